/** What `report --json` is read by: its version, and the words for whether a host is used, worst first. */
export const REPORT_VERSION = 2;

export const VERDICT_WORDS = ["used", "unknown", "ssh-only", "unused"] as const;

export type VerdictWord = (typeof VERDICT_WORDS)[number];
