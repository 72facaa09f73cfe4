/** The kinds of danger. */
import type { Text } from "./text";

/** In the order in which a reviewer reads of them: what each is called, what it means, and what to do. */
export const DANGERS = {
  incomplete: {
    title: "this plan does not cover the whole configuration",
    meaning: "What is missing from this plan is not reviewed, and does not happen when it is applied.",
  },
  opened: {
    title: "hosts that will be opened",
    meaning:
      "They left `hosts`, everything is destroyed, or they are only observed from now on, which denies nothing. With `onDestroy: unlock-if-reachable`, a host that cannot be reached stays locked. Unlocking deletes what a host recorded of its use: keep its `report` first.",
  },
  "in-use": {
    title: "hosts that are closed or given up, although the report calls them used or unknown",
    meaning:
      "Whoever uses them can no longer do so, or nobody watches any more whether they are used. `report --host NAME --explain` shows what decided; an exception keeps what is still needed.",
  },
  reopened: {
    title: "hosts that are unlocked for a while, and then locked again",
    meaning:
      "Unlock and lock are two steps here. Between them these hosts are open; if the lock fails, they stay open.",
  },
  "left-locked": {
    title: "hosts that leave the state and stay locked",
    meaning:
      "Nothing owns these locks any more, and no later deploy unlocks them. A plan does not show what a `removed` block runs by itself. To open such a host, run `sh /var/lib/ssh-only-firewall/host.sh unlock` on it, as root.",
  },
  "hold-only": {
    title: "hosts of which only the hold stays in the state",
    meaning:
      "Nothing runs on them, so they stay as they are, and `status` calls them unfinished. The next deploy locks them again; one that takes them out of `hosts`, and a destroy, unlock them.",
  },
  owner: {
    title: "hosts whose lock has, or may have, another owner",
    meaning: "A host that another owner has locked refuses a new lock, and stays as it is.",
  },
  address: {
    title: "hosts whose address changes",
    meaning: "A new address means another machine: the old one is unlocked, and the new one is locked.",
  },
  "open-to-world": {
    title: "hosts with a port that is open to the world",
    meaning: "Anybody can connect; name the sources in `allowFrom`, or in the exception.",
  },
  "cut-off": {
    title: "hosts that may cut you off",
    meaning:
      "Compare with the address that you log in from. Sessions from other addresses end. Terraform itself must connect again from an allowed source, or the host rolls back.",
  },
  "jump-host": {
    title: "hosts that are the bastion of others, and will not reach them",
    meaning:
      "A locked host connects to nothing but what an exception names. Terraform then cannot reach the hosts behind it, to lock, update or unlock them; add an `egress` exception for their addresses and SSH port to the bastion.",
  },
  "host-key": {
    title: "hosts whose host key is not pinned",
    meaning: "Terraform does not check which machine answers; set `connection.hostKey`.",
  },
  tainted: {
    title: "hosts on which an earlier lock failed, and is tried again",
    meaning: "Find out why it failed before you try again: the output of that deploy shows it.",
  },
  unguarded: {
    title: "hosts that are locked without the usual checks",
    meaning: "These settings are for drills and for lost states; remove them afterwards.",
  },
  unknown: { title: "hosts whose ruleset cannot be reviewed", meaning: "This review cannot read what will be loaded." },
  unclear: { title: "resources that are not understood", meaning: "Read these resources in Terraform's own plan." },
  drift: { title: "changes made outside of Terraform", meaning: "The state differs from what the last apply left." },
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
