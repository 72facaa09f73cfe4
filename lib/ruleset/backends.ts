/** All backends, and the texts that a host needs for its own. */
import { BACKEND_NAMES, type BackendName, type RulesetTexts } from "../contract/backends";
import type { Formats } from "../output/formats";
import type { Backend } from "../policy/host";
import type { Policy } from "../policy/policy";
import type { RulesetBackend } from "./backend";
import * as all from "./backends/all";

const BACKENDS: Readonly<Record<BackendName, RulesetBackend>> = all;

export const RULESET_BACKENDS = BACKEND_NAMES.map((name) => BACKENDS[name]);

/** What `render` can print. */
export const RENDER_FORMATS: Formats<Policy> = Object.fromEntries(
  [...RULESET_BACKENDS.flatMap(({ texts }) => texts), ...RULESET_BACKENDS.flatMap(({ files }) => files)].map(
    (format) => [format.name, format],
  ),
);

/** What `render` prints for a host where nothing else is asked for. */
export function defaultFormat(backend: Backend): BackendName {
  return backend === "auto" ? "nftables" : backend;
}

export function renderRulesets(policy: Policy, backend: Backend): RulesetTexts {
  const needed = backend === "auto" ? BACKEND_NAMES : [backend, ...BACKENDS[backend].needs];
  const texts = BACKEND_NAMES.filter((name) => needed.includes(name)).flatMap((name) => BACKENDS[name].texts);
  return Object.fromEntries(texts.map(({ name, print }) => [name, print(policy)]));
}
