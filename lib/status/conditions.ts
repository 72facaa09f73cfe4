/** The words of status: for a host, and for what it is in the state. */
import { SAME_STACK } from "../contract/settings";
import type { Claim } from "../state/hosts";

export interface ConditionInfo {
  readonly meaning: string;
  /** Whether state and host agree. */
  readonly agrees: boolean;
  readonly colour: "green" | "yellow" | "red";
  /** What to do where a plan leaves such a host as it is (detectDrift). */
  readonly remedy?: string;
}

const good = (meaning: string): ConditionInfo => ({ meaning, agrees: true, colour: "green" });
const bad = (meaning: string, remedy?: string): ConditionInfo => ({
  meaning,
  agrees: false,
  colour: "red",
  ...(remedy === undefined ? {} : { remedy }),
});

/** What a host is, with --live. */
export const CONDITIONS = {
  locked: good("locked, as in the state: owner, ruleset and live rules agree, and no probed port answers"),
  observed: good("observed, as in the state: nothing is denied, and owner, ruleset and live rules agree"),
  unlocked: good("open, and not in the state (only for hosts named by --also)"),
  open: bad("not locked but should be; or a port that must be closed answers"),
  pending: bad(
    "locked but not confirmed yet",
    "Pending: plan again when the host has confirmed its lock or rolled back, within minutes.",
  ),
  unlocking: bad(
    "its rules are removed, and the unlock is not confirmed yet: it locks itself again, or is open once that is confirmed",
    "Unlocking: plan again when the host has confirmed its unlock or locked itself again, within minutes.",
  ),
  drifted: bad("locked, but the live rules, the ruleset or the host program differ"),
  "locked-by-someone-else": bad(
    "locked by another owner than in the state",
    `Locked by someone else: have that owner unlock it, or set takeOver (${SAME_STACK}, or true) and apply with -replace of its lockdown.`,
  ),
  "locked-but-not-in-state": bad("locked, but not according to the state"),
  unreachable: {
    ...bad(
      "no SSH connection, or the machine that answers has another host key",
      "Unreachable: restore the connection from here to the host, then plan again.",
    ),
    colour: "yellow",
  },
  unclear: bad(
    "it could not be asked, or its answer makes no sense",
    "Unclear: fix the reason given, then plan again.",
  ),
} as const satisfies Record<string, ConditionInfo>;

export type Condition = keyof typeof CONDITIONS;

/** What a state alone says of a host; the help has each word once, with its meaning. */
export const CLAIMS = {
  locked: { word: "locked", agrees: true, meaning: "its hold, its lockdown and its seal are in the state" },
  observed: { word: "observed", agrees: true, meaning: "the same, with mode: observe" },
  unconfirmed: {
    word: "not known to be confirmed",
    agrees: false,
    meaning: "both are in the state, but the run that locked it is not known to have finished: locked or open",
  },
  unfinished: {
    word: "unfinished",
    agrees: false,
    meaning: "only one of the two is, or they do not belong together, or its last lock failed: locked or open",
  },
  declared: { word: "not in it", agrees: false, meaning: "only --fleet or --also names it" },
  absent: { word: "not in it", agrees: true },
} as const satisfies Record<Claim, { readonly word: string; readonly agrees: boolean; readonly meaning?: string }>;

export type StateWord = (typeof CLAIMS)[Claim]["word"];

/** Whether the state has a whole lockdown of it. */
export const isLockedInState = (claim: Claim): boolean =>
  claim === "locked" || claim === "observed" || claim === "unconfirmed";
