/** All that the resources are written from, found once for a list of hosts. */
import type { Host, Shared } from "../policy/host";
import type { Policy } from "../policy/policy";
import { RULESET_TEXTS, type RulesetTexts } from "../contract/backends";
import { renderRulesets } from "../ruleset/backends";
import { expression, type Term, toJson } from "./escape";
import { withoutTokens } from "./later";
import { shardOf } from "./layout";
import { commonValues, isLiteral, ownValues, term, type Value } from "./values";

/** A ruleset, under the name of what it was written for. */
export interface Ruleset {
  readonly key: string;
  readonly texts: RulesetTexts;
  readonly policy: Policy;
}

export class Configuration {
  public readonly rulesets: readonly Ruleset[];
  public readonly shards: ReadonlyArray<readonly Host[]>;
  /** The values that all hosts have and that are known at synth, by name. */
  public readonly common: ReadonlyMap<string, Value>;
  private readonly rulesetOf: ReadonlyMap<Host, Ruleset>;
  private readonly made = new Map<string, unknown>();

  public constructor(
    public readonly hosts: readonly Host[],
    shared: Shared,
    shards: number,
  ) {
    const rulesets = new DistinctRulesets(shared);
    this.rulesetOf = new Map(hosts.map((host) => [host, rulesets.find(host)]));
    this.rulesets = rulesets.list;
    this.shards = spread(hosts, shards);
    this.common = commonValues(hosts);
  }

  /** The name of the ruleset that a host gets. */
  public rulesetKeyOf(host: Host): string {
    return (this.rulesetOf.get(host) as Ruleset).key;
  }

  /** Where the resources of a host find a value of it. */
  public termOf(name: string): Term {
    return this.common.has(name) ? term(this.common.get(name)) : expression(`each.value.${name}`);
  }

  /** What `make` makes, made once, because cdktf asks twice. */
  public once<T>(name: string, make: () => T): T {
    if (!this.made.has(name)) {
      this.made.set(name, make());
    }
    return this.made.get(name) as T;
  }

  /** The hosts of a shard as `for_each` iterates over them. */
  public hostEntries(shard: number): object {
    let hasTokens = false;
    const configured = (value: Value): unknown => {
      const known = isLiteral(value);
      hasTokens ||= !known;
      return known ? toJson(term(value)) : value;
    };
    const entries = (this.shards[shard] ?? []).map((host) => [
      host.key,
      {
        ruleset: this.rulesetKeyOf(host),
        ...Object.fromEntries(ownValues(host, this.common).map(([name, value]) => [name, configured(value)])),
      },
    ]);
    const byKey = Object.fromEntries(entries) as object;
    return hasTokens ? byKey : withoutTokens(byKey);
  }
}

function spread(hosts: readonly Host[], count: number): ReadonlyArray<readonly Host[]> {
  const shards: Host[][] = Array.from({ length: count }, () => []);
  hosts.forEach((host) => shards[shardOf(host.key, count)]?.push(host));
  return shards;
}

/** One ruleset for all hosts with the same texts, named after what is shared or the first host that needs it. */
class DistinctRulesets {
  private readonly byPolicy = new Map<Policy, Map<string, Ruleset>>();
  private readonly byText = new Map<string, Ruleset>();
  private readonly ofShared: string | undefined;

  public constructor({ policy, props }: Shared) {
    this.ofShared = policy && identityOf(renderRulesets(policy, props.backend ?? "auto"));
  }

  public get list(): readonly Ruleset[] {
    return [...this.byText.values()];
  }

  public find(host: Host): Ruleset {
    const ofPolicy = this.byPolicy.get(host.policy) ?? new Map<string, Ruleset>();
    this.byPolicy.set(host.policy, ofPolicy);
    const found = ofPolicy.get(host.backend) ?? this.make(host);
    ofPolicy.set(host.backend, found);
    return found;
  }

  private make({ key, policy, backend }: Host): Ruleset {
    const texts = renderRulesets(policy, backend);
    const identity = identityOf(texts);
    const found = this.byText.get(identity) ?? { key: identity === this.ofShared ? "shared" : key, texts, policy };
    this.byText.set(identity, found);
    return found;
  }
}

function identityOf(texts: RulesetTexts): string {
  return RULESET_TEXTS.map((text) => texts[text] ?? "").join("\0");
}
