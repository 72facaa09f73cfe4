/**
 * One fleet in four forms of configuration: ours; the loop that people write first, one resource a host; cdktf's iterator
 * over a map; and the leanest that can be written by hand. All run the same scripts on the same hosts, and have the same
 * triggers; the last does all that ours does, with a hold and a lockdown for each host.
 *
 * They track with null_resource, as is usual, or with terraform_data, so that Terraform needs no provider.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { stringify } from "yaml";
import type { SshOnlyFirewallProps, TrackerKind } from "../lib/index";
import { type Hosts, jobOf } from "./fleet";
import { leanest } from "./leanest";
import { type Cost, costOf } from "./measure";

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
