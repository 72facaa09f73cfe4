/** What a host answers. */
/** What came of asking a host. */
export type Answer =
  | {
      readonly kind: "told";
      readonly state: "open" | "pending" | "locked" | "observed";
      readonly rules: "none" | "matches" | "drifted" | "unrecorded";
      readonly owner: string;
      readonly ruleset: string;
      readonly program: string;
      readonly lockedAt: string;
      /** What is wrong there, in the host's own words; empty where nothing is. */
      readonly problem: string;
      /** The port that its ruleset lets in. */
      readonly port: number | undefined;
      /** Where something on it listened when it was locked. */
      readonly listened: readonly number[];
    }
  | { readonly kind: "unreachable" | "unclear"; readonly why: string };
