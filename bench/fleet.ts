/** The fleet and what is done on each of its hosts, the same in each form of configuration. */
import { createHash } from "node:crypto";
import type { TrackerKind } from "../lib/index";
import { PROGRAM_LOCALS } from "../lib/contract/names";
import { hostProgramParts, hostProgramVersion, launcher } from "../lib/host/program";
import { parsePolicy } from "../lib/policy/policy";
import { parseOrThrow } from "../lib/input/problems";
import { renderRulesets } from "../lib/ruleset/backends";
import { expression, literal, templateLiteral } from "../lib/terraform/escape";
import { script } from "../lib/terraform/scripts";

export interface FleetHost {
  readonly address: string;
  readonly host_key: string;
}

export type Hosts = Readonly<Record<string, FleetHost>>;

/** What is done on each host, as templates of Terraform; the texts behind them stand once, as locals. */
export interface Job {
  readonly tracker: TrackerKind;
  readonly locals: Readonly<Record<string, string | readonly string[]>>;
  readonly triggers: Readonly<Record<string, string>>;
  readonly lock: string;
  readonly confirm: string;
  readonly unlock: string;
  readonly privateKeyPath: string;
}

export function hostsOf(count: number): Hosts {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => {
      const name = `host-${String(index).padStart(5, "0")}`;
      return [name, { address: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`, host_key: hostKey(name) }];
    }),
  );
}

export function jobOf(tracker: TrackerKind, allowFrom: readonly string[], privateKeyPath: string): Job {
  const policy = parseOrThrow("The policy", (problems) => parsePolicy({ allowFrom: [...allowFrom] }, problems));
  const { nftables = "", iptables = "", ip6tables = "" } = renderRulesets(policy, "auto");
  const hash = createHash("sha256")
    .update(nftables + iptables + ip6tables)
    .digest("hex");
  const texts = { nftables, iptables, ip6tables, [PROGRAM_LOCALS.launcher]: launcher() };
  return {
    tracker,
    locals: {
      ...Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, templateLiteral(text)])),
      parts: hostProgramParts().map(templateLiteral),
      program: '${join("\\n", local.parts)}',
    },
    triggers: { host_program: hostProgramVersion(), ruleset_sha256: hash },
    lock: script(
      {
        VERB: literal("lock"),
        HOST: expression("each.key"),
        OWNER: expression("self.id"),
        ATTEMPT: expression("self.id"),
        RULESET: literal(hash),
        NFTABLES: expression("local.nftables"),
        IPTABLES: expression("local.iptables"),
        IP6TABLES: expression("local.ip6tables"),
        PORT: literal(policy.sshPort),
        ALLOW_FROM: literal(allowFrom.join(" ")),
        EXCEPTIONS: literal(""),
        MODE: literal("enforce"),
        LOG_DENIED: literal(""),
        BACKEND: literal("auto"),
        CONFIRM_WITHIN: literal(120),
        SKIP_PREFLIGHT: literal(false),
        TAKE_OVER: literal(false),
        PERSIST: literal(true),
        PROGRAM_VERSION: literal(hostProgramVersion()),
        PROGRAM: expression("local.program"),
      },
      "named",
    ),
    confirm: script({ VERB: expression(`join(" ", ["confirm", self.id, self.id, "${hash}"])`) }, "named"),
    unlock: script({ VERB: expression('join(" ", ["unlock", self.id])') }, "whole"),
    privateKeyPath,
  };
}

/** Of the form of a real one. */
function hostKey(name: string): string {
  const type = Buffer.from("\0\0\0\x0bssh-ed25519\0\0\0\x20", "latin1");
  const key = createHash("sha256").update(name).digest();
  return `ssh-ed25519 ${Buffer.concat([type, key]).toString("base64")}`;
}
