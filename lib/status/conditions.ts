/** The words of status: for a host, and for what the state says of it. */
import type { Claim } from "../state/hosts";

export interface Word {
  readonly meaning: string;
  /** Whether state and host agree. */
  readonly agrees: boolean;
  readonly colour: "green" | "yellow" | "red";
  /** What to do where a plan leaves such a host as it is (detectDrift). */
  readonly remedy?: string;
}

/** What a host is, with --live. */
export const CONDITIONS = {
  locked: {
    meaning: "locked, as the state says: owner, ruleset and live rules agree, and no probed port answers",
    agrees: true,
    colour: "green",
  },
  observed: {
    meaning: "observed, as the state says: nothing is denied, and owner, ruleset and live rules agree",
    agrees: true,
    colour: "green",
  },
  unlocked: { meaning: "open, and not in the state (only for hosts named by --also)", agrees: true, colour: "green" },
  open: { meaning: "not locked but should be; or a port that must be closed answers", agrees: false, colour: "red" },
  pending: {
    meaning: "locked but not confirmed yet",
    agrees: false,
    colour: "red",
    remedy: "Pending: plan again when the host has confirmed its lock or rolled back, within minutes.",
  },
  drifted: { meaning: "locked, but the live rules or the ruleset differ", agrees: false, colour: "red" },
  "locked-by-someone-else": {
    meaning: "locked by another owner than the state says",
    agrees: false,
    colour: "red",
    remedy:
      "Locked by someone else: have that owner unlock it, or set takeOver and apply with -replace of its lockdown.",
  },
  "locked-but-not-in-state": {
    meaning: "locked, but the state does not say so",
    agrees: false,
    colour: "red",
  },
  unreachable: {
    meaning: "no SSH connection, or the machine that answers has another host key",
    agrees: false,
    colour: "yellow",
    remedy: "Unreachable: restore the connection from here to the host, then plan again.",
  },
  unclear: {
    meaning: "it could not be asked, or its answer makes no sense",
    agrees: false,
    colour: "red",
    remedy: "Unclear: fix the reason given, then plan again.",
  },
} as const satisfies Record<string, Word>;

export type Condition = keyof typeof CONDITIONS;

export const conditionOf = (condition: Condition): Word => CONDITIONS[condition];

/** What a state alone says of a host. */
export const CLAIMS = {
  locked: { word: "locked", agrees: true },
  observed: { word: "observed", agrees: true },
  unfinished: { word: "unfinished", agrees: false },
  declared: { word: "not in it", agrees: false },
  absent: { word: "not in it", agrees: true },
} as const satisfies Record<Claim, { readonly word: string; readonly agrees: boolean }>;

export type StateWord = (typeof CLAIMS)[Claim]["word"];

/** Whether the state has a lockdown for it that is whole. */
export const isLockedInState = (claim: Claim): boolean => claim === "locked" || claim === "observed";
