/** All backends, and the texts that a host needs for its own. */
import { BACKEND_NAMES, type BackendName, type RulesetTexts } from "../contract/backends";
import type { Backend } from "../policy/host";
import type { Policy } from "../policy/policy";
import type { Format, RulesetBackend } from "./backend";
import { iptables } from "./backends/iptables";
import { nftables } from "./backends/nftables";

export const RULESET_BACKENDS: Readonly<Record<BackendName, RulesetBackend>> = { nftables, iptables };

const ALL = BACKEND_NAMES.map((name) => RULESET_BACKENDS[name]);

/** What `render` can print. */
export const FORMATS: readonly Format[] = [...ALL.flatMap(({ texts }) => texts), ...ALL.flatMap(({ files }) => files)];

/** What `render` prints for a host where nothing else is asked for. */
export function defaultFormat(backend: Backend): BackendName {
  return backend === "auto" ? "nftables" : backend;
}

export function renderRulesets(policy: Policy, backend: Backend): RulesetTexts {
  const needed = backend === "auto" ? BACKEND_NAMES : [backend, ...RULESET_BACKENDS[backend].needs];
  const texts = BACKEND_NAMES.filter((name) => needed.includes(name)).flatMap((name) => RULESET_BACKENDS[name].texts);
  return Object.fromEntries(texts.map(({ name, render }) => [name, render(policy)]));
}
