/** What the resources of a firewall keep in the state, and by which of it they are recognized. */
import { createHash } from "node:crypto";
import { RULESET_TEXTS, type RulesetTexts } from "./backends";

/** The triggers of a lockdown. A change of one locks the host again. */
export const TRIGGERS = {
  address: "address",
  /** The id of the hold, which owns the lock. */
  hold: "hold",
  /** The version of the host program. */
  program: "host_program",
  mode: "mode",
  ruleset: "ruleset_sha256",
  /** Only where it is false. */
  persist: "persist",
  /** Only of a host that has drifted. */
  drift: "drift",
} as const;

/** The triggers that make a resource a lockdown, whatever it is called. */
export const LOCKDOWN_MARKS = [TRIGGERS.address, TRIGGERS.hold, TRIGGERS.program, TRIGGERS.ruleset] as const;

/** What a lockdown, seal, relock and reseal keep as it was when they were made: when the plan was made that made them. */
export const PLANNED_AT = "planned_at";

/** What a lockdown keeps besides: that the files of its host's keys could work when it was made. */
export const KEYS_CHECKED = "keys_checked";

/**
 * The one trigger of a seal, a relock and a reseal, by which each is recognized: the id of what it belongs to; of a seal of several
 * hosts, when the plan was made by which they were locked.
 */
export const SEAL_TRIGGERS = {
  seal: "sealed_lockdown",
  batch: "sealed_plan",
  relock: "relocked_lockdown",
  reseal: "sealed_relock",
} as const;

/** What a seal of several hosts keeps besides: the ids of their lockdowns. */
export const SEALED_LOCKDOWNS = "lockdowns";

/** A hold has this trigger alone. */
export const HOLD_MARKS = [TRIGGERS.address] as const;

/**
 * What every hold remembers: it is a hold, whatever it is called and whatever else of its host is left. Holds of earlier versions
 * do not have it.
 */
export const HOLD_ROLE = { name: "role", value: "ssh-only-firewall hold" } as const;

/** The ruleset that a lockdown's trigger names, as the host and Terraform compute it: SHA-256, in hexadecimal. */
export function rulesetHash(texts: RulesetTexts): string {
  return createHash("sha256")
    .update(RULESET_TEXTS.map((name) => texts[name] ?? "").join(""))
    .digest("hex");
}

/** What `lockedHosts` says of each host: these triggers of its lockdown. */
export const LOCKED_HOST = [TRIGGERS.address, TRIGGERS.hold, TRIGGERS.ruleset] as const;

/** The attributes in which the two types of resource keep what replaces them, and what they only remember. */
export const TRACKERS = {
  null_resource: { triggers: "triggers", memory: "triggers" },
  terraform_data: { triggers: "triggers_replace", memory: "input" },
} as const;

export type TrackerKind = keyof typeof TRACKERS;

export const TRACKER_KINDS = Object.keys(TRACKERS) as readonly TrackerKind[];

export function isTracker(type: string): type is TrackerKind {
  return Object.hasOwn(TRACKERS, type);
}
