/** What is wrong with the stacks of a fleet, and with where their states are; and what to know before they are deployed. */
import { kindOf, listed, shown } from "../output/text";

/** The value of `stacks` where hosts name their groups. */
export const BY_GROUP = "by-group";

export const stackMessages = {
  badStacks: (value: unknown): string =>
    `must be a number of stacks, such as 8, or ${BY_GROUP}, where each host names its group, not ${kindOf(value)}`,
  noGroup: (address: string | undefined): string =>
    `names no group, which \`stacks: ${BY_GROUP}\` requires of every host; give it one` +
    (address === undefined ? "" : `, as in \`{ address: ${address}, group: north }\``),
  badGroup: (value: unknown): string =>
    `${kindOf(value)} cannot be part of a stack's name; use letters and digits, with single "-" and "_" between them, as text`,
  sameGroup: (group: string, other: string): string =>
    `${shown(group)} and ${shown(other)} differ in case only, and some file systems would take their stacks for one; write them alike`,
  groupWithoutStacks: (): string =>
    `has no effect unless the file has \`stacks: ${BY_GROUP}\`; write that, or take the group out`,
  longStackName: (name: string, longest: number): string =>
    `makes the stack's name ${shown(name)} longer than ${longest} letters; shorten the fleet's name or the group's`,

  // Where the states are
  oneKeeper: (): string => "must have one of backend and cloud, and not both",
  oneBackend: (kinds: readonly string[]): string => `must name one backend; known: ${kinds.join(", ")}`,
  noSettings: (kind: string): string =>
    `must have settings below it, as in Terraform's documentation of the backend ${kind}`,
  sharedState: (settings: readonly string[]): string =>
    `gives all stacks one state; write {stack}, in quotes, into ${settings.join(" or ")}: the stack's name is put there`,
  sharedLock: (): string =>
    "gives all stacks one lock, so that one has to wait for another or takes its lock away; write {stack}, in quotes, into it",
  nameOrTags: (): string => 'must have a name, such as "{stack}", or tags, and not both',
  notTags: (): string => "must be a list of text",
  secret: (variable: string | undefined): string =>
    "is a secret, which does not belong in a file that others read; take it out, and give it to Terraform in the " +
    (variable === undefined ? "environment, as its documentation shows" : `environment variable ${variable}`),
  noVariable: (): string =>
    "refers to a variable, and a fleet file has no variables; leave it out here, and give it to OpenTofu in the environment " +
    "variable TF_ENCRYPTION",
  secretInside: (): string =>
    "holds a password, which does not belong in a file that others read; take it out, and give it to Terraform in the " +
    "environment (PGPASSWORD, TF_HTTP_PASSWORD)",

  // Warnings
  severalStacks: (count: number): string =>
    `These are ${count} stacks. Deploy them one at a time (cdktf deploy '*' --parallelism 1), or each in a job of its ` +
    "own (examples/stacks.yml): where cdktf deploys several at once and one fails, the others are cut off, and their " +
    "states may lack what was done.",
  emptyStacks: (names: readonly string[]): string =>
    `No host belongs to ${listed(names, 5)}, so nothing is written for it. If it had a host before, that host stays locked, and ` +
    "its state stays where it is: destroy the stack with the earlier fleet file, or move its hosts (ssh-only-firewall " +
    "stacks --from).",
  noFirstWave: (names: readonly string[]): string =>
    `Waves are in order only within a stack, and ${listed(names, 5)} ${names.length === 1 ? "has" : "have"} no host of the ` +
    "first one: a host that fails elsewhere does not stop them. Deploy the stacks that have such hosts before the others.",
} as const;
