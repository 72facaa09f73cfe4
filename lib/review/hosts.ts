/** What a plan does to each host, and what of it a reviewer must know before anything else. */
import { CONNECTION } from "../contract/connection";
import { foundIn } from "../contract/drift";
import { TRIGGERS } from "../contract/triggers";
import { accessFindings } from "./access";
import type { Danger, Finding } from "./dangers";
import type { TrackedHost } from "./firewalls";
import { type Outcome, outcomeOf, previousLock, releaseOf } from "./outcome";
import { known, same, type Value } from "./plan";
import {
  creates,
  type FirewallResource,
  remembered,
  type Side,
  trigger,
  triggerChange,
  type ValueChange,
} from "./resources";
import type { Rulesets } from "./rulesets";
import { hasProbation } from "./unclear";
import { lockFindings, memoryChanges, type Settings, settingsOf, unpinned } from "./settings";

export interface HostReview {
  readonly name: string;
  readonly key: string;
  readonly firewall: string;
  readonly outcome: Outcome;
  /** Whether lock and confirm run on it. */
  readonly locks: boolean;
  /** Whether it stays pending for a while before it is confirmed; for how long, only the configuration says. */
  readonly onProbation: boolean;
  /** Whether unlock runs on it, at the address before. */
  readonly unlocks: boolean;
  /** After the apply; of a host that leaves, the one that it had. */
  readonly address: Value | undefined;
  readonly addressBefore: Value | undefined;
  /** Its address, port and bastion after the apply, where they are known: two hosts with the same are one machine. */
  readonly place: string | undefined;
  readonly placeBefore: string | undefined;
  /** Where its bastion is dialled, and its own port behind it, after the apply. */
  readonly bastion: { readonly host: string; readonly port: string; readonly to: string } | undefined;
  readonly ruleset: ValueChange;
  readonly program: ValueChange;
  /** Why it is locked again. */
  readonly why: readonly string[];
  /** Whether it is in the state as locked, once this plan has been applied. */
  readonly lockedAfter: boolean;
  readonly settings: Settings;
  readonly findings: readonly Finding[];
}

export function reviewHost(host: TrackedHost, name: string, rulesets: Rulesets): HostReview {
  const { hold, lockdown, relock } = host;
  const locks = creates(lockdown) || relock !== undefined;
  const address = addressOf(host);
  const settings = settingsOf(lockdown, hold);
  const { outcome, findings } = outcomeOf(host, address, settings.takeOver);
  const ruleset = ofTheHost(host, TRIGGERS.ruleset);
  const memory = memoryChanges(host);
  const dangers =
    lockdown !== undefined && locks
      ? [...findings, ...accessOf(host, ruleset, rulesets), ...lockFindings(lockdown, hold, settings)]
      : [...findings, ...unpinned(host)];
  return {
    name,
    key: host.key,
    firewall: host.firewall,
    outcome: outcome === "stay" && memory.length > 0 ? "update" : outcome,
    locks,
    onProbation: locks && lockdown?.block !== undefined && hasProbation(lockdown.block),
    unlocks: hold !== undefined && releaseOf(hold) === "unlocks",
    address: address.after ?? address.before,
    addressBefore: address.before,
    place: placeOf(hold, address.after, "after"),
    placeBefore: placeOf(hold, address.before, "before"),
    bastion: bastionOf(hold),
    ruleset,
    program: ofTheHost(host, TRIGGERS.program),
    why: [...(lockdown?.change.before !== undefined && creates(lockdown) ? reasonsOf(lockdown) : []), ...memory],
    lockedAfter: isLockedAfter(lockdown, outcome),
    settings,
    findings: dangers.map(([kind, detail]) => ({ kind, host: name, detail })),
  };
}

function addressOf({ hold, lockdown }: TrackedHost): ValueChange {
  const own = triggerChange(lockdown, TRIGGERS.address);
  const ofHold = triggerChange(hold, TRIGGERS.address);
  return { before: ofHold.before ?? own.before, after: own.after ?? ofHold.after };
}

/** What the host has, and gets: an attempt that failed says nothing of what the host has. */
function ofTheHost(host: TrackedHost, name: string): ValueChange {
  const { before, after } = triggerChange(host.lockdown, name);
  return { before: previousLock(host) === "known" ? before : undefined, after };
}

function accessOf(host: TrackedHost, ruleset: ValueChange, rulesets: Rulesets): readonly Danger[] {
  const observes = known(triggerChange(host.lockdown, TRIGGERS.mode).after) === "observe";
  return accessFindings(ruleset, rulesets, observes, previousLock(host));
}

function isLockedAfter(lockdown: FirewallResource | undefined, outcome: Outcome): boolean {
  return (
    lockdown?.change.after !== undefined &&
    known(trigger(lockdown.change, "after", TRIGGERS.mode)) !== "observe" &&
    (creates(lockdown) || !lockdown.tainted) &&
    outcome !== "unlock" &&
    outcome !== "leave"
  );
}

function placeOf(hold: FirewallResource | undefined, address: Value | undefined, side: Side): string | undefined {
  const where = known(address);
  const others = [CONNECTION.port.name, CONNECTION.bastionHost.name].map(
    (name) => hold && known(remembered(hold.change, side, name)),
  );
  return where === undefined ? undefined : JSON.stringify([where, ...others.map((one) => one ?? "")]);
}

function bastionOf(hold: FirewallResource | undefined): HostReview["bastion"] {
  const value = (name: string): string | undefined => hold && known(remembered(hold.change, "after", name));
  const host = value(CONNECTION.bastionHost.name);
  return host === undefined || host === ""
    ? undefined
    : {
        host,
        port: value(CONNECTION.bastionPort.name) || "22",
        to: value(CONNECTION.port.name) ?? "22",
      };
}

/** Why a lockdown is replaced, by the trigger that changes. */
const REASONS: Readonly<Record<string, string>> = {
  [TRIGGERS.mode]: "its mode changes",
  [TRIGGERS.persist]: "its persist changes",
  [TRIGGERS.ruleset]: "its ruleset changes",
  [TRIGGERS.program]: "the host program changes",
  [TRIGGERS.address]: "its address changes",
};

function reasonsOf(lockdown: FirewallResource): readonly string[] {
  const { change, movedHere, tainted } = lockdown;
  const changes = (name: string): boolean => !same(trigger(change, "before", name), trigger(change, "after", name));
  const reasons = [
    ...(changes(TRIGGERS.drift) ? [driftReason(trigger(change, "after", TRIGGERS.drift))] : []),
    ...Object.entries(REASONS).flatMap(([name, reason]) => (changes(name) ? [reason] : [])),
    ...(changes(TRIGGERS.hold) && !changes(TRIGGERS.address) ? ["its hold is replaced"] : []),
    ...(movedHere === true ? ["its lockdown is now another resource"] : []),
    ...(tainted ? ["the last lock failed"] : []),
    ...(change.reason === "replace_by_request" ? ["it was requested (-replace)"] : []),
    ...(change.reason === "replace_by_triggers" ? ["replace_triggered_by"] : []),
  ];
  return reasons.length === 0 ? ["the plan does not say why"] : reasons;
}

/** Of detectDrift, which asked the host when this plan was made. */
function driftReason(after: Value | undefined): string {
  const found = foundIn(known(after) ?? "");
  if (found !== undefined) {
    return found === "open" ? "it was found open" : "its lock was found changed";
  }
  return after === undefined ? "detectDrift was turned off" : "this plan does not show whether it drifted";
}
