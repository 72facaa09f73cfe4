/** What a host gets of its policy besides the texts of its ruleset, by the names of the settings. */
import type { Policy } from "./policy";

export const POLICY_SETTINGS = {
  port: (policy: Policy) => policy.sshPort,
  allow_from: (policy: Policy) => policy.sources.map((source) => source.cidr).join(" "),
  exceptions: (policy: Policy) => policy.exceptions.flatMap(({ words }) => words).join(" "),
  mode: (policy: Policy) => policy.mode,
  log_denied: (policy: Policy) => String(policy.logDeniedPerMinute ?? ""),
} as const;
