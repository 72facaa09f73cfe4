/** What a plan does to each host, and what of it a reviewer must know before anything else. */
import { foundIn } from "../contract/drift";
import { accessFindings } from "./access";
import type { Danger, Finding, Sides } from "./dangers";
import { type Part, remembered, trigger, type TrackedHost } from "./firewalls";
import { creates, earlierLock, observing, type Outcome, outcomeOf, releaseOf } from "./outcome";
import { known, same, type Value } from "./plan";
import type { Rulesets } from "./rulesets";
import { lockFindings, memoryChanges, type Settings, settingsOf, unpinned } from "./settings";

export interface HostReview {
  readonly name: string;
  readonly key: string;
  readonly outcome: Outcome;
  /** Whether lock and confirm run on it. */
  readonly locks: boolean;
  /** Whether unlock runs on it, at the address before. */
  readonly unlocks: boolean;
  /** After the apply; of a host that leaves, the one that it had. */
  readonly address: Value | undefined;
  readonly addressBefore: Value | undefined;
  /** Its address, port and bastion after the apply, where they are known: two hosts with the same are one machine. */
  readonly place: string | undefined;
  readonly placeBefore: string | undefined;
  readonly ruleset: Sides;
  readonly program: Sides;
  /** Why it is locked again. */
  readonly why: readonly string[];
  /** Whether it is in the state as locked, once this plan has been applied. */
  readonly lockedAfter: boolean;
  readonly settings: Settings;
  readonly findings: readonly Finding[];
}

export function reviewHost(host: TrackedHost, name: string, rulesets: Rulesets): HostReview {
  const { hold, lockdown } = host;
  const locks = creates(lockdown);
  const sides = (trigger_: string): Sides => ({
    before: lockdown && trigger(lockdown.change, "before", trigger_),
    after: lockdown && trigger(lockdown.change, "after", trigger_),
  });
  const address = {
    before: (hold && trigger(hold.change, "before", "address")) ?? sides("address").before,
    after: sides("address").after ?? (hold && trigger(hold.change, "after", "address")),
  };
  const settings = settingsOf(lockdown, hold);
  const mode = sides("mode");
  const observes = locks && known(mode.after) === "observe";
  const earlier = earlierLock(host);
  const { outcome, findings } = observing(outcomeOf(host, address, settings), earlier, address, mode, locks);
  const inTriggers = sides("ruleset_sha256");
  const ruleset = { before: earlier === "told" ? inTriggers.before : undefined, after: inTriggers.after };
  const programs = sides("host_program");
  const program = { before: earlier === "told" ? programs.before : undefined, after: programs.after };
  const access = (): readonly Danger[] => accessFindings(ruleset, rulesets, observes, earlier);
  const memory = memoryChanges(host);
  const dangers = locks
    ? [...findings, ...access(), ...lockFindings(lockdown as Part, hold, settings)]
    : [...findings, ...unpinned(host)];
  return {
    name,
    key: host.key,
    outcome: outcome === "stay" && memory.length > 0 ? "update" : outcome,
    locks,
    unlocks: hold !== undefined && releaseOf(hold) === "unlocks",
    address: address.after ?? address.before,
    addressBefore: address.before,
    place: placeOf(hold, address.after, "after"),
    placeBefore: placeOf(hold, address.before, "before"),
    ruleset,
    program,
    why: [
      ...(locks && lockdown?.change.before !== undefined
        ? reasonsOf(lockdown, {
            ruleset: inTriggers,
            program: programs,
            address: sides("address"),
            hold: sides("hold"),
            mode,
            persist: sides("persist"),
            drift: sides("drift"),
          })
        : []),
      ...memory,
    ],
    lockedAfter:
      lockdown?.change.after !== undefined &&
      known(mode.after) !== "observe" &&
      (locks || !lockdown.tainted) &&
      !["unlock", "leave"].includes(outcome),
    settings,
    findings: dangers.map(([kind, detail]) => ({ kind, host: name, detail })),
  };
}

function placeOf(hold: Part | undefined, address: Value | undefined, side: "before" | "after"): string | undefined {
  const where = known(address);
  const others = ["port", "bastion_host"].map((name) => hold && known(remembered(hold.change, side, name)));
  return where === undefined ? undefined : JSON.stringify([where, ...others.map((one) => one ?? "")]);
}

function reasonsOf(lockdown: Part, triggers: Readonly<Record<string, Sides>>): readonly string[] {
  const changed = (name: string): boolean => !same(triggers[name].before, triggers[name].after);
  const reasons = [
    ...(changed("drift") ? [driftReason(triggers.drift.after)] : []),
    ...(changed("mode") ? ["its mode changes"] : []),
    ...(changed("persist") ? ["its persist changes"] : []),
    ...(changed("ruleset") ? ["its ruleset changes"] : []),
    ...(changed("program") ? ["the host program changes"] : []),
    ...(changed("address") ? ["its address changes"] : []),
    ...(changed("hold") && !changed("address") ? ["its hold is replaced"] : []),
    ...(lockdown.comes === true ? ["its lockdown is another resource than before"] : []),
    ...(lockdown.tainted ? ["the last lock failed"] : []),
    ...(lockdown.change.reason === "replace_by_request" ? ["somebody asked for it (-replace)"] : []),
    ...(lockdown.change.reason === "replace_by_triggers" ? ["replace_triggered_by"] : []),
  ];
  return reasons.length === 0 ? ["the plan does not say why"] : reasons;
}

/** Of detectDrift, which asked the host when this plan was made. */
function driftReason(after: Value | undefined): string {
  const found = foundIn(known(after) ?? "");
  if (found !== undefined) {
    return found === "open" ? "it was found open" : "its lock was found changed";
  }
  return after === undefined ? "detectDrift was turned off" : "whether it drifted is not told by this plan";
}
