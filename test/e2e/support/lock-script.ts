/** The host program as Terraform would run it, but directly: for what needs no SSH, or must stop half-way. */
import { createHash, randomUUID } from "node:crypto";
import { hostProgram, hostProgramVersion } from "../../../lib/host/program";
import { type PolicyProps, parsePolicy } from "../../../lib/policy/policy";
import { parseOrThrow } from "../../../lib/input/problems";
import { renderRulesets } from "../../../lib/ruleset/backends";
import { shellWord } from "../../../lib/output/shell-word";
import type { Host } from "../../lab/lab";

export interface LockScript {
  /** For `sh`, as root on the host. */
  readonly script: string;
  /** The words after `host.sh` that confirm this lock. */
  readonly confirm: string;
  readonly owner: string;
  readonly attempt: string;
}

/** @param settings go over the usual ones; names as in the host program, without SSH_ONLY_. */
export function lockScript(
  host: Host,
  policyProps: PolicyProps = { allowFrom: ["10.77.0.0/24", "fd77::/64"] },
  settings: Readonly<Record<string, string | number | boolean>> = {},
): LockScript {
  const policy = parseOrThrow("The policy", (problems) => parsePolicy(policyProps, problems));
  const { nftables = "", iptables = "", ip6tables = "" } = renderRulesets(policy, "auto");
  const ruleset = createHash("sha256")
    .update(nftables + iptables + ip6tables)
    .digest("hex");
  const all = {
    HOST: host.name,
    OWNER: "owner-1",
    ATTEMPT: randomUUID(),
    RULESET: ruleset,
    NFTABLES: nftables,
    IPTABLES: iptables,
    IP6TABLES: ip6tables,
    PORT: policy.sshPort,
    ALLOW_FROM: policy.sources.map((source) => source.cidr).join(" "),
    EXCEPTIONS: policy.exceptions.map((exception) => exception.kind).join(" "),
    LOG_DENIED: policy.logDeniedPerMinute ?? "",
    BACKEND: "auto",
    CONFIRM_WITHIN: 120,
    SKIP_PREFLIGHT: false,
    TAKE_OVER: false,
    PERSIST: false,
    PROGRAM_VERSION: hostProgramVersion(),
    PROGRAM: hostProgram(),
    FROM: `10.77.0.1 50000 ${host.ipv4} ${host.sshPort}`,
    LOGIN: "root",
    ...settings,
  };
  const constants = Object.entries(all).map(([name, value]) => `SSH_ONLY_${name}=${shellWord(String(value))}`);
  return {
    script: [...constants, "set -- lock", 'eval "$SSH_ONLY_PROGRAM"', ""].join("\n"),
    confirm: `confirm ${all.OWNER} ${all.ATTEMPT} ${ruleset}`,
    owner: all.OWNER,
    attempt: all.ATTEMPT,
  };
}
