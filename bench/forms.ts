/**
 * One fleet in four forms of configuration: ours; the loop that people write first, one resource a host; cdktf's iterator
 * over a map; and the leanest that can be written by hand. All run the same scripts on the same hosts, and have the same
 * triggers; the last does all that ours does, with a hold and a lockdown for each host.
 *
 * They track with null_resource, as is usual, or with terraform_data, so that Terraform needs no provider.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { stringify } from "yaml";
import type { SshOnlyFirewallProps, TrackerKind } from "../lib/index";
import { hostProgramParts, hostProgramVersion, launcher, LAUNCHER_LOCAL } from "../lib/host/program";
import { parsePolicy } from "../lib/policy/policy";
import { parseOrThrow } from "../lib/input/problems";
import { renderRulesets } from "../lib/ruleset/rulesets";
import { expression, literal, templateLiteral } from "../lib/terraform/escape";
import { script } from "../lib/terraform/scripts";
import { leanest } from "./leanest";
import { type Cost, costOf } from "./measure";

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

export const FORMS = ["ours", "naive", "fromMap", "leanest"] as const;
export type Form = (typeof FORMS)[number];

export const FORM_NAMES: Readonly<Record<Form, string>> = {
  ours: "ours",
  naive: "one resource a host",
  fromMap: "`TerraformIterator.fromMap`",
  leanest: "leanest by hand",
};

/** How many shards a fleet file asks for, beyond a size. */
const SHARDED_FROM = 300;
export const SHARDS = 64;
const MORE_SHARDED_FROM = 5000;
const MORE_SHARDS = 128;

/** As in a fleet file. */
type Layout = Pick<SshOnlyFirewallProps, "shards" | "movedFromShards">;

const ROOT = resolve(__dirname, "..");
const APPS: Partial<Record<Form, string>> = {
  ours: join(ROOT, "dist/bin/fleet.js"),
  naive: join(__dirname, "apps/naive.mjs"),
  fromMap: join(__dirname, "apps/from-map.mjs"),
};

/** The sources of two rulesets: one is changed into the other. */
export const SOURCES = [["198.51.100.0/24"], ["198.51.100.0/24", "203.0.113.7"]] as const;

export function hostsOf(count: number): Hosts {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => {
      const name = `host-${String(index).padStart(5, "0")}`;
      return [name, { address: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`, host_key: hostKey(name) }];
    }),
  );
}

/** A fleet in one form, in a folder of its own. */
export class Project {
  public constructor(
    public readonly form: Form,
    public readonly folder: string,
    private readonly tracker: TrackerKind = "terraform_data",
  ) {
    mkdirSync(folder, { recursive: true });
  }

  /** Where Terraform runs. */
  public get stack(): string {
    return this.form === "leanest" ? this.folder : join(this.folder, "cdktf.out/stacks/fleet");
  }

  /** Writes the configuration, as its own process where it is an app. */
  public synth(hosts: Hosts, allowFrom: readonly string[] = SOURCES[0], layout = layoutFor(hosts)): Cost | undefined {
    const key = join(this.folder, "key");
    writeFileSync(key, "no key\n");
    rmSync(join(this.stack, "cdk.tf.json"), { force: true });
    if (this.form === "leanest") {
      writeFileSync(
        join(this.folder, "main.tf.json"),
        JSON.stringify(leanest(hosts, jobOf(this.tracker, allowFrom, key))),
      );
      return undefined;
    }
    if (this.form === "ours") {
      writeFileSync(
        join(this.folder, "fleet.yaml"),
        stringify(fleetFile(this.tracker, hosts, allowFrom, key, layout), { lineWidth: 0 }),
      );
    } else {
      writeFileSync(
        join(this.folder, "fleet.json"),
        JSON.stringify({ hosts, job: jobOf(this.tracker, allowFrom, key) }),
      );
    }
    return costOf([process.execPath, APPS[this.form] as string], { cwd: this.folder });
  }

  public get state(): string {
    return join(this.folder, this.form === "leanest" ? "terraform.tfstate" : "terraform.fleet.tfstate");
  }

  /** Of the configuration. */
  public get bytes(): number {
    return readFileSync(join(this.stack, this.form === "leanest" ? "main.tf.json" : "cdk.tf.json")).length;
  }
}

function fleetFile(
  tracker: TrackerKind,
  hosts: Hosts,
  allowFrom: readonly string[],
  privateKeyPath: string,
  layout: Layout,
): object {
  return {
    name: "fleet",
    tracker,
    ...layout,
    allowFrom,
    connection: { user: "root", privateKeyPath },
    hosts: Object.fromEntries(
      Object.entries(hosts).map(([name, host]) => [
        name,
        { address: host.address, connection: { hostKey: host.host_key } },
      ]),
    ),
  };
}

function layoutFor(hosts: Hosts): Layout {
  const { length } = Object.keys(hosts);
  return length > SHARDED_FROM ? { shards: length > MORE_SHARDED_FROM ? MORE_SHARDS : SHARDS } : {};
}

function jobOf(tracker: TrackerKind, allowFrom: readonly string[], privateKeyPath: string): Job {
  const policy = parseOrThrow("The policy", (problems) => parsePolicy({ allowFrom: [...allowFrom] }, problems));
  const { nftables = "", iptables = "", ip6tables = "" } = renderRulesets(policy, "auto");
  const hash = createHash("sha256")
    .update(nftables + iptables + ip6tables)
    .digest("hex");
  const texts = { nftables, iptables, ip6tables, [LAUNCHER_LOCAL]: launcher() };
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
        LOG_DENIED: literal(policy.logDeniedPerMinute ?? ""),
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
