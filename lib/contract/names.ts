/**
 * What the resources, locals and outputs of a firewall are called. Terraform's addresses, states and plans are read by these
 * names, so that a name has one meaning for ever.
 */
import { createHash } from "node:crypto";

/** The resources of a firewall. */
export const PARTS = {
  ruleset: "ruleset",
  hold: "hold",
  lockdown: "lockdown",
  seal: "seal",
  relock: "relock",
  reseal: "reseal",
} as const;

export type Part = keyof typeof PARTS;

/** Those that say of a lockdown whether its run came to its end; see lib/terraform/seals.ts. */
export const SEAL_PARTS = [PARTS.seal, PARTS.relock, PARTS.reseal] as const;

export type SealPart = (typeof SEAL_PARTS)[number];

/** Their type, whatever stands for a host. */
export const SEAL_TYPE = "terraform_data";

/** The locals of a firewall; those of shards and waves have a suffix. */
export const LOCALS = {
  rulesets: "rulesets",
  rulesetHashes: "ruleset_sha256",
  hosts: "hosts",
  hostsWithoutWave: "hosts_rest",
  noHosts: "no_hosts",
  holdIds: "hold_ids",
  /** Of each file with a key or certificate: what is wrong with it. */
  keyProblems: "key_problems",
  /** Of each host: its lockdown, and when the plan was made by which it was locked. */
  runs: "runs",
  /** The same of those that are sealed together. */
  sealRuns: "seal_runs",
  /** The ids of the lockdowns that were planned together, by the time of that. */
  batches: "batches",
  /** When the plan was made by which a seal was. */
  sealTimes: "seal_times",
  sealed: "sealed",
  locked: "locked",
  lockedHosts: "locked_hosts",
} as const;

/**
 * The variable whose default lists the names of a firewall's hosts. Nothing reads it but a review: plans show no locals, and a plan
 * of some hosts may not show that it is one.
 */
export const HOST_NAMES = "host_names";

/** The data source and the check of `detectDrift`. */
export const DRIFT_BLOCK = "drift";

/** The locals with the host program, of which a stack has one each; the first also names their construct. */
export const PROGRAM_LOCALS = {
  program: "ssh_only_firewall_host_program",
  pieces: "ssh_only_firewall_host_program_parts",
  launcher: "ssh_only_firewall_launcher",
  version: "ssh_only_firewall_version",
} as const;

/** In the stacks of a fleet file: the construct, and the output that lists what is locked. */
export const FLEET = { construct: "fleet", output: "locked_hosts" } as const;

/** `fleet_hold_64_07`: the name of a resource or local of a firewall, which is called by its logical id. */
export function nameIn(firewall: string, part: string, suffix = ""): string {
  return `${firewall}_${part}${suffix}`;
}

/** The end of the names in a shard. The count is part of it, so that another count means other names. */
export function shardSuffix(shard: number, shards: number): string {
  return shards === 1 ? "" : `_${shards}_${String(shard).padStart(String(shards - 1).length, "0")}`;
}

/** What the suffix of a wave's lockdowns begins with. @param index from 0 */
export function waveSuffix(index: number): string {
  return `_wave_${index + 1}`;
}

/** The end of the names of what only one host has, which cannot be its own name: Terraform's names have fewer characters. */
export function hostSuffix(key: string): string {
  return `_host_${createHash("sha256").update(key).digest("hex").slice(0, 12)}`;
}

const SHARD = "(?:_[0-9]+_[0-9]+)?";

const RESOURCE = new RegExp(
  `^(?<firewall>.*)_(?<part>${Object.values(PARTS).join("|")})(?:_host_[0-9a-f]{12}|(?:_wave_[0-9]+)?${SHARD})$`,
  "s",
);

/** The firewall and the part that a resource is named after; undefined for a name that is not one of these. */
export function parseResourceName(name: string): { readonly firewall: string; readonly part: Part } | undefined {
  const { firewall, part } = RESOURCE.exec(name)?.groups ?? {};
  return firewall === undefined ? undefined : { firewall, part: part as Part };
}

/** Whether a variable is named as one that lists hosts. */
export const isHostNames = (variable: string): boolean => variable.endsWith(nameIn("", HOST_NAMES));

/** As they stand in the default of the variable. No name has a blank. */
export const joinHostNames = (names: readonly string[]): string => names.join(" ");
export const splitHostNames = (text: string): readonly string[] => text.split(" ").filter((one) => one !== "");

const HOLD_IDS = new RegExp(`^local\\.(?<firewall>.*)_${LOCALS.holdIds}(?<suffix>${SHARD})$`, "s");

/** The name of the holds whose ids a local has; undefined for a reference to anything else. */
export function holdOfIds(reference: string): string | undefined {
  const { firewall, suffix } = HOLD_IDS.exec(reference)?.groups ?? {};
  return firewall === undefined ? undefined : nameIn(firewall, PARTS.hold, suffix);
}
