/** The kinds of danger, in the order in which a reviewer reads of them. */
import type { Value } from "./plan";
import type { Text } from "./text";

/** The kinds of danger, in the order in which they are listed. */
export const DANGERS = {
  incomplete: "this plan is not the whole of what is configured",
  opened: "hosts that will be opened",
  reopened: "hosts that are open for a while, and then locked again",
  "left-locked": "hosts that leave the state and stay locked",
  owner: "hosts whose lock has, or may have, another owner",
  address: "hosts whose address changes",
  "open-to-world": "hosts with a port that is open to the world",
  "cut-off": "hosts from which you may be cut off",
  "host-key": "hosts whose host key is not pinned",
  tainted: "hosts on which an earlier lock failed, tried again",
  unguarded: "hosts that are locked without the usual checks",
  unknown: "hosts whose ruleset cannot be reviewed",
  unclear: "what is not understood",
  drift: "what was changed outside of Terraform",
} as const;

export type DangerKind = keyof typeof DANGERS;

export interface Finding {
  readonly kind: DangerKind;
  /** The host's name; undefined for what is about no single host. */
  readonly host: string | undefined;
  readonly detail: Text;
}

/** One of a host that is not named yet. */
export type Danger = readonly [DangerKind, Text];

export interface Sides {
  readonly before: Value | undefined;
  readonly after: Value | undefined;
}
