/** What becomes of a host: what the plan does with its hold and lockdown, and what that does to the host. */
import { SAME_STACK } from "../contract/settings";
import { TRIGGERS } from "../contract/triggers";
import type { Danger } from "./dangers";
import type { TrackedHost } from "./firewalls";
import { type Change, known, same, type Value } from "./plan";
import { creates, type FirewallResource, holdIds, idsOf, trigger, triggerChange, type ValueChange } from "./resources";
import { type Text, text } from "./text";

/** What becomes of a host, in the order in which it is listed: for the verdict, and for the table of hosts. */
export const OUTCOMES = {
  unlock: { short: "opened", long: "unlocked: the firewall is removed" },
  leave: { short: "left locked", long: "removed from the state; nothing of the firewall runs there" },
  hold: {
    short: "left with its hold alone",
    long: "stays as it is; only its lockdown leaves the state, and a later deploy or destroy can unlock it by its hold",
  },
  reopen: { short: "opened and locked again", long: "unlocked, and then locked again" },
  move: { short: "moved to another address", long: "moved: given up at the old address, and locked at the new one" },
  "move-locked": {
    short: "moved to another address, and left locked at the old one",
    long: "moved: stays locked at the old address, and locked at the new one",
  },
  first: { short: "locked for the first time", long: "locked for the first time" },
  perhaps: {
    short: "locked, possibly again",
    long: "locked; it may be locked already, because its hold is in the state and its lockdown is not",
  },
  retry: {
    short: "tried again",
    long: "tried again after a lock that failed; until then it is as it was before that lock, open or locked",
  },
  again: {
    short: "locked once more",
    long: "locked once more, because the run that locked it is not known to have finished; until then it is locked or open",
  },
  observe: { short: "observed", long: "observed: nothing is denied, and what would be denied is recorded" },
  enforce: {
    short: "enforced after observing",
    long: "enforced: it was only observed until now, and is closed from then on",
  },
  relock: { short: "locked again", long: "locked again: the new ruleset replaces the current one in one step" },
  update: { short: "updated in Terraform only", long: "unchanged; only what Terraform remembers of it changes" },
  stay: { short: "unchanged", long: "unchanged" },
} as const satisfies Record<string, { readonly short: string; readonly long: string }>;

export type Outcome = keyof typeof OUTCOMES;

export const ALL_OUTCOMES = Object.keys(OUTCOMES) as Outcome[];

/** An outcome, and what is dangerous about it. */
export interface HostOutcome {
  readonly outcome: Outcome;
  readonly findings: readonly Danger[];
}

/** Whether a host is locked already, and by what: of an attempt that failed, the state does not show what it replaced. */
export type PreviousLock = "none" | "known" | "possible";

export function previousLock({ hold, lockdown, relock }: TrackedHost): PreviousLock {
  if (lockdown?.tainted === true || relock !== undefined) {
    return "possible";
  }
  return lockdown?.change.before !== undefined ? "known" : hold?.change.before !== undefined ? "possible" : "none";
}

/** What the destruction of a hold does to its host; undefined when it is not destroyed. */
export function releaseOf({ change, tainted, block }: FirewallResource): "unlocks" | Text | undefined {
  const actions = change.actions.join();
  if (change.actions.includes("forget")) {
    return text`no unlock runs, because Terraform only forgets it (${actions})`;
  }
  if (!change.actions.includes("delete")) {
    return undefined;
  }
  if (block === undefined) {
    return [
      "no unlock of the firewall runs, because its block is no longer in the configuration",
      ...(change.reason === undefined ? [] : text` (${change.reason})`),
    ];
  }
  if (change.deposed !== undefined) {
    return ["no unlock runs, because this hold is left over from an earlier replacement"];
  }
  if (tainted) {
    return ["no unlock runs, because its hold is tainted"];
  }
  if (actions === "create,delete") {
    return ["no unlock runs, because its hold is replaced with create_before_destroy"];
  }
  return block.provisioners.length === 0 ? ["no unlock runs, because onDestroy is leave-locked"] : "unlocks";
}

/** What becomes of a new lock where another hold has the lock. */
const TAKE_OVER: Readonly<Record<string, string>> = {
  true: "taken over, because takeOver is set",
  [SAME_STACK]: `taken over if the host recorded this stack, because takeOver is ${SAME_STACK}, and refused otherwise`,
};

/** @param takeOver as the plan sets it; undefined where the plan does not say */
export function outcomeOf(host: TrackedHost, address: ValueChange, takeOver: string | undefined): HostOutcome {
  const release = host.hold && releaseOf(host.hold);
  const was = address.before ?? { known: "no address" };
  const refused = TAKE_OVER[takeOver ?? ""] ?? "refused unless takeOver is set";
  const enforced =
    host.hold === undefined || release === undefined
      ? outcomeOfLockdown(host, was, refused)
      : outcomeOfDestroyedHold({ ...host, hold: host.hold }, release, address, refused);
  return observed(enforced, host, address);
}

type HostWithHold = TrackedHost & { readonly hold: FirewallResource };

function outcomeOfDestroyedHold(
  { hold, lockdown }: HostWithHold,
  release: "unlocks" | Text,
  address: ValueChange,
  refused: string,
): HostOutcome {
  const was = address.before ?? { known: "no address" };
  if (hold.change.after === undefined) {
    return release === "unlocks"
      ? { outcome: "unlock", findings: [["opened", text`${was}: unlock runs, and it is open from then on`]] }
      : { outcome: "leave", findings: [["left-locked", text`${was}: ${[maybeLocked(lockdown)]}${release}`]] };
  }
  if (release === "unlocks" && !creates(lockdown)) {
    const detail = text`${was}: its hold is replaced, which unlocks it, and this plan does not lock it again`;
    return { outcome: "unlock", findings: [["opened", detail]] };
  }
  if (!same(address.before, trigger(hold.change, "after", TRIGGERS.address))) {
    return moved(was, address.after ?? was, release);
  }
  if (release === "unlocks") {
    const detail = text`${was}: its hold is replaced (${hold.change.reason ?? "no reason given"})`;
    return { outcome: "reopen", findings: [["reopened", detail]] };
  }
  const detail = text`${was}: ${release}, so the old hold keeps the lock, and the new one is ${[refused]}`;
  return { outcome: "relock", findings: [["owner", detail]] };
}

function moved(was: Value, becomes: Value, release: "unlocks" | Text): HostOutcome {
  return release === "unlocks"
    ? {
        outcome: "move",
        findings: [["address", text`${was} becomes ${becomes}; the old address is unlocked and open`]],
      }
    : {
        outcome: "move-locked",
        findings: [
          ["address", text`${was} becomes ${becomes}; the old address stays locked: ${release}`],
          ["left-locked", text`${was}: ${release}`],
        ],
      };
}

function outcomeOfLockdown(host: TrackedHost, was: Value, refused: string): HostOutcome {
  const { hold, lockdown } = host;
  if (lockdown !== undefined && lockdown.change.after === undefined) {
    return outcomeWithoutLockdown(hold, lockdown.change, was);
  }
  const findings: Danger[] = [];
  if (hold === undefined) {
    findings.push(["unclear", text`${lockdown?.change.address ?? ""} has no hold that this review could find`]);
  } else if (hold.change.before === undefined && lockdown?.change.before !== undefined) {
    findings.push(["owner", text`${was}: its hold is not in the state; the lock of the new one is ${[refused]}`]);
  }
  if (lockdown === undefined) {
    const detail = text`${was}: has a hold but no lockdown, so this plan does not lock it`;
    return { outcome: "stay", findings: [...findings, ["incomplete", detail]] };
  }
  if (!creates(lockdown)) {
    return { outcome: host.relock === undefined ? "stay" : "again", findings };
  }
  const outcomes = { none: "first", known: "relock", possible: lockdown.tainted ? "retry" : "perhaps" } as const;
  return { outcome: outcomes[previousLock(host)], findings };
}

/** Its lockdown leaves the state and nothing else: what can still unlock it is the hold that owns its lock. */
function outcomeWithoutLockdown(hold: FirewallResource | undefined, lockdown: Change, was: Value): HostOutcome {
  const actions = lockdown.actions.join();
  const stays = hold?.change.before !== undefined && hold.change.after !== undefined;
  if (stays && idsOf(hold.change).some((id) => holdIds(lockdown).includes(id))) {
    const detail = text`${was}: its lockdown leaves the state (${actions}) and its hold stays, so it can still be unlocked`;
    return { outcome: "hold", findings: [["hold-only", detail]] };
  }
  const detail = text`${was}: its lockdown leaves the state (${actions}), and the hold that owns its lock is not there to unlock it`;
  return { outcome: "leave", findings: [["left-locked", detail]] };
}

const maybeLocked = (lockdown: FirewallResource | undefined): string =>
  lockdown === undefined ? "it may be locked, because its hold is in the state; " : "";

/** What only observes is not locked, whatever it was; and whoever was locked before is opened by it. */
function observed({ outcome, findings }: HostOutcome, host: TrackedHost, address: ValueChange): HostOutcome {
  const mode = triggerChange(host.lockdown, TRIGGERS.mode);
  const previous = previousLock(host);
  const wasObserved = previous === "known" && known(mode.before) === "observe";
  if (!creates(host.lockdown) || known(mode.after) !== "observe") {
    return { outcome: outcome === "relock" && wasObserved ? "enforce" : outcome, findings };
  }
  const possibly = previous === "possible" ? "may be locked already, and " : "";
  const detail = text`${address.after ?? ""}: ${[possibly]}becomes observed, which denies nothing`;
  // Nothing locks it again.
  const others = findings.filter(([kind]) => kind !== "reopened");
  return {
    outcome: "observe",
    findings: previous === "none" || wasObserved ? others : [...others, ["opened", detail]],
  };
}
