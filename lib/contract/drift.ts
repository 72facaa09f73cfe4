/**
 * What the configuration, the command `drift` and the review have in common: the trigger of a lockdown that says what was
 * found of its host. It counts, so that a host which drifts again is locked again, and names what was found, so that a
 * plan shows why.
 */

/** Of a host that has never drifted; its lockdown then has no such trigger. */
export const NEVER_DRIFTED = "0";

/** Under this name, which no host can have, the command says which hosts it left as they are; empty when none. */
export const LEFT_ALONE = "(left alone)";

export const FINDINGS = ["open", "drifted"] as const;

/** What a host is found to be that is locked again for it. */
export type DriftFinding = (typeof FINDINGS)[number];

/** The value that replaces the lockdown which has `before`. */
export function nextDrift(before: string, found: DriftFinding): string {
  const count = /^[0-9]{1,9}\b/.exec(before)?.[0] ?? "0";
  return `${Number(count) + 1} ${found}`;
}

/** What a value of the trigger says was found. */
export function foundIn(drift: string): DriftFinding | undefined {
  return FINDINGS.find((found) => /^[0-9]+ (.*)$/.exec(drift)?.[1] === found);
}

/** The query of the data source, besides the connection attributes that all hosts have in common. */
export const QUERY = { lockdowns: "lockdowns" } as const;
