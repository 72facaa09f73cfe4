/** All that the configuration is written from, found once for a list of hosts. */
import type { Host, Shared } from "../policy/host";
import type { RulesetTexts } from "../contract/backends";
import type { Policy } from "../policy/policy";
import { renderRulesets } from "../ruleset/backends";
import { shardOf } from "./layout";
import { commonValues, type Value } from "./host-values";

export const TEXTS = ["nftables", "iptables", "ip6tables"] as const;

/** A ruleset, under the name of what it was written for. */
export interface Ruleset {
  readonly key: string;
  readonly texts: RulesetTexts;
  readonly policy: Policy;
}

/** All that the configuration is written from, made once for a list of hosts. */
export interface Plan {
  readonly hosts: readonly Host[];
  readonly rulesets: readonly Ruleset[];
  readonly rulesetOf: ReadonlyMap<Host, Ruleset>;
  readonly shards: ReadonlyArray<readonly Host[]>;
  /** Parts of the configuration, by name, when they have been asked for. */
  readonly made: Map<string, unknown>;
  /** The value of an attribute where all hosts have the same and it is known at synth. */
  readonly common: ReadonlyMap<string, Value>;
}

export function planOf(hosts: readonly Host[], shared: Shared, shards: number): Plan {
  const common = commonValues(hosts);
  return { hosts, shards: spread(hosts, shards), ...distinctRulesets(hosts, shared), made: new Map(), common };
}

function spread(hosts: readonly Host[], count: number): ReadonlyArray<readonly Host[]> {
  const shards: Host[][] = Array.from({ length: count }, () => []);
  hosts.forEach((host) => shards[shardOf(host.key, count)]?.push(host));
  return shards;
}

/** One ruleset for all hosts with the same texts, named after what is shared or the first host that needs it. */
function distinctRulesets(hosts: readonly Host[], shared: Shared): Pick<Plan, "rulesets" | "rulesetOf"> {
  const byPolicy = new Map<Policy, Map<string, Ruleset>>();
  const byText = new Map<string, Ruleset>();
  const rulesetOf = new Map<Host, Ruleset>();
  const identityOf = (texts: RulesetTexts): string => TEXTS.map((text) => texts[text] ?? "").join("\0");
  const { policy: common, props } = shared;
  const ofShared = common && identityOf(renderRulesets(common, props.backend ?? "auto"));
  const make = (host: Host): Ruleset => {
    const texts = renderRulesets(host.policy, host.backend);
    const identity = identityOf(texts);
    const key = identity === ofShared ? "shared" : host.key;
    const found = byText.get(identity) ?? { key, texts, policy: host.policy };
    byText.set(identity, found);
    return found;
  };
  const find = (host: Host): Ruleset => {
    const ofPolicy = byPolicy.get(host.policy) ?? new Map<string, Ruleset>();
    byPolicy.set(host.policy, ofPolicy);
    const found = ofPolicy.get(host.backend) ?? make(host);
    ofPolicy.set(host.backend, found);
    return found;
  };
  hosts.forEach((host) => rulesetOf.set(host, find(host)));
  return { rulesets: [...byText.values()], rulesetOf };
}
