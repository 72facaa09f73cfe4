/** What becomes of a host: what its hold and lockdown are told to do, and what Terraform makes of that. */
import type { Danger, Sides } from "./dangers";
import { type Part, trigger, type TrackedHost } from "./firewalls";
import { known, same } from "./plan";
import type { Settings } from "./settings";
import { type Text, text } from "./text";

/** What becomes of a host, in the order in which it is listed. */
export const OUTCOMES = {
  unlock: "unlocked: the firewall is taken away",
  leave: "out of the state, and nothing of the firewall runs there",
  reopen: "unlocked, and then locked again",
  move: "let go at the old address, and locked at the new one",
  first: "locked for the first time",
  perhaps: "locked; perhaps it is already, for its hold is in the state and its lockdown is not",
  retry: "tried again after a lock that failed: until then as before it, open or locked",
  observe: "observed: nothing is denied, and what would be is recorded",
  enforce: "enforced: it was only observed, and is closed from then on",
  relock: "locked again: the ruleset replaces the one in force in one step",
  update: "as before; only what Terraform remembers of it changes",
  stay: "as before",
} as const;

export type Outcome = keyof typeof OUTCOMES;

/** An outcome, and what is dangerous about it. */
export interface Found {
  readonly outcome: Outcome;
  readonly findings: readonly Danger[];
}

/** Whether a host is locked already, and by what: of an attempt that failed, the state tells not what it replaced. */
export type Earlier = "none" | "told" | "perhaps";

export function earlierLock({ hold, lockdown }: TrackedHost): Earlier {
  if (lockdown?.tainted === true) {
    return "perhaps";
  }
  return lockdown?.change.before !== undefined ? "told" : hold?.change.before !== undefined ? "perhaps" : "none";
}

/** What only observes is not locked, whatever it was; and whoever was locked before is opened by it. */
export function observing(
  { outcome, findings }: Found,
  earlier: Earlier,
  address: Sides,
  mode: Sides,
  locks: boolean,
): Found {
  const observed = earlier === "told" && known(mode.before) === "observe";
  if (!locks || known(mode.after) !== "observe") {
    return { outcome: outcome === "relock" && observed ? "enforce" : outcome, findings };
  }
  const perhaps = earlier === "perhaps" ? "is perhaps locked already, and " : "";
  const detail = text`${address.after ?? ""}: ${[perhaps]}becomes observed, which denies nothing`;
  // Nothing locks it again.
  const others = findings.filter(([kind]) => kind !== "reopened");
  return {
    outcome: "observe",
    findings: earlier === "none" || observed ? others : [...others, ["opened", detail]],
  };
}

export const creates = (part: Part | undefined): boolean => part?.change.actions.includes("create") === true;

/** What the destruction of a hold does to its host; undefined when it is not destroyed. */
export function releaseOf({ change, tainted, block }: Part): "unlocks" | Text | undefined {
  const actions = change.actions.join();
  if (change.actions.includes("forget")) {
    return text`no unlock runs, for Terraform only forgets it (${actions})`;
  }
  if (!change.actions.includes("delete")) {
    return undefined;
  }
  if (block === undefined) {
    return [
      "no unlock of the firewall runs, for its block left the configuration",
      ...(change.reason === undefined ? [] : text` (${change.reason})`),
    ];
  }
  if (change.deposed !== undefined) {
    return ["no unlock runs, for this is what an earlier replacement of its hold left over"];
  }
  if (tainted) {
    return ["no unlock runs, for its hold is tainted"];
  }
  if (actions === "create,delete") {
    return ["no unlock runs, for its hold is replaced with create_before_destroy"];
  }
  return block.provisioners.length === 0 ? ["no unlock runs, for onDestroy is leave-locked"] : "unlocks";
}

export function outcomeOf(host: TrackedHost, address: Sides, settings: Settings): Found {
  const { hold, lockdown } = host;
  const release = hold && releaseOf(hold);
  const locks = creates(lockdown);
  const was = address.before ?? { known: "no address" };
  const refused = settings.takeOver === "true" ? "taken over, for takeOver is set" : "refused, unless takeOver is set";
  if (hold !== undefined && release !== undefined && hold.change.after === undefined) {
    return release === "unlocks"
      ? { outcome: "unlock", findings: [["opened", text`${was}: unlock runs, and it is open from then on`]] }
      : { outcome: "leave", findings: [["left-locked", text`${was}: ${release}`]] };
  }
  if (release === "unlocks" && !locks) {
    const detail = text`${was}: its hold is replaced, which unlocks it, and this plan does not lock it again`;
    return { outcome: "unlock", findings: [["opened", detail]] };
  }
  if (hold !== undefined && release !== undefined) {
    const moves = !same(address.before, trigger(hold.change, "after", "address"));
    if (moves) {
      const old: Text =
        release === "unlocks"
          ? ["the old address is unlocked, and open"]
          : ["the old address stays locked: ", ...release];
      const findings: Danger[] = [["address", text`${was} becomes ${address.after ?? was}; ${old}`]];
      return {
        outcome: "move",
        findings: release === "unlocks" ? findings : [...findings, ["left-locked", text`${was}: ${release}`]],
      };
    }
    return release === "unlocks"
      ? {
          outcome: "reopen",
          findings: [["reopened", text`${was}: its hold is replaced (${hold.change.reason ?? "no reason given"})`]],
        }
      : {
          outcome: "relock",
          findings: [
            ["owner", text`${was}: ${release}, so that the old hold keeps the lock, and the new one is ${[refused]}`],
          ],
        };
  }
  const findings: Danger[] = [];
  if (hold === undefined) {
    findings.push(["unclear", text`${lockdown?.change.address ?? ""} has no hold that could be found`]);
  } else if (hold.change.before === undefined && lockdown?.change.before !== undefined) {
    findings.push(["owner", text`${was}: its hold is not in the state; the lock of the new one is ${[refused]}`]);
  }
  if (lockdown === undefined) {
    return {
      outcome: "stay",
      findings: [
        ...findings,
        ["incomplete", text`${was}: has a hold and no lockdown, so that this plan does not lock it`],
      ],
    };
  }
  if (lockdown.change.after === undefined) {
    return {
      outcome: "leave",
      findings: [
        ...findings,
        [
          "left-locked",
          text`${was}: only its lockdown leaves the state (${lockdown.change.actions.join()}); nothing runs on the host`,
        ],
      ],
    };
  }
  if (!locks) {
    return { outcome: "stay", findings };
  }
  const outcomes = { none: "first", told: "relock", perhaps: lockdown.tainted ? "retry" : "perhaps" } as const;
  return { outcome: outcomes[earlierLock(host)], findings };
}
