/** The kinds of danger. */
import type { Text } from "./text";

/** In the order in which a reviewer reads of them: what each is called, what it means, and what to do. */
export const DANGERS = {
  incomplete: {
    title: "this plan is not the whole of what is configured",
    meaning: "What is not in this plan is not reviewed, and does not happen when it is applied.",
  },
  opened: {
    title: "hosts that will be opened",
    meaning:
      "They left `hosts`, or everything is destroyed, or they only observe from now on: nothing is denied there any more. With `onDestroy: unlock-if-reachable`, one that cannot be reached then stays locked.",
  },
  reopened: {
    title: "hosts that are open for a while, and then locked again",
    meaning: "Unlock and lock are two steps here: in between, and for good if the lock fails, these hosts are open.",
  },
  "left-locked": {
    title: "hosts that leave the state and stay locked",
    meaning:
      "Nothing holds these locks any more, and no later deploy unlocks them; what a `removed` block runs of its own is not in a plan. To open such a host: `sh /var/lib/ssh-only-firewall/host.sh unlock` on it, as root.",
  },
  owner: {
    title: "hosts whose lock has, or may have, another owner",
    meaning: "A host that another owner has locked refuses a new lock, and stays as it is.",
  },
  address: {
    title: "hosts whose address changes",
    meaning: "A new address means another machine: the old one is unlocked, and the new one locked.",
  },
  "open-to-world": {
    title: "hosts with a port that is open to the world",
    meaning: "Everybody may try to get in; name the sources in `allowFrom`, or in the exception.",
  },
  "cut-off": {
    title: "hosts from which you may be cut off",
    meaning:
      "Compare with where you log in from. Sessions from there end; Terraform itself must come back from an allowed source, or the host rolls back.",
  },
  "host-key": {
    title: "hosts whose host key is not pinned",
    meaning: "Terraform does not check which machine answers; give `connection.hostKey`.",
  },
  tainted: {
    title: "hosts on which an earlier lock failed, tried again",
    meaning: "Find out why it failed before you try again: the output of that deploy says it.",
  },
  unguarded: {
    title: "hosts that are locked without the usual checks",
    meaning: "Settings for drills and for lost states; take them out again afterwards.",
  },
  unknown: { title: "hosts whose ruleset cannot be reviewed", meaning: "What will be loaded cannot be read here." },
  unclear: { title: "what is not understood", meaning: "Read these resources in Terraform's own plan." },
  drift: { title: "what was changed outside of Terraform", meaning: "The state is not what the last apply left." },
} as const satisfies Record<string, { readonly title: string; readonly meaning: string }>;

export type DangerKind = keyof typeof DANGERS;

export interface Finding {
  readonly kind: DangerKind;
  /** The host's name; undefined for what is about no single host. */
  readonly host: string | undefined;
  readonly detail: Text;
}

/** What is found of a host, which is not named yet. */
export type Danger = readonly [DangerKind, Text];
