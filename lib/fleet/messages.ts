/** What we tell people about a fleet file that cannot be used; what is wrong with its values, lib/policy says. */
import { kindOf, shown } from "../output/shown";

/** What `stacks` says where hosts name their groups. */
export const BY_GROUP = "by-group";

/** The way to run a command of this package whether it is installed or not. */
export const COMMAND = "npx --package=cdktf-ssh-only-firewall ssh-only-firewall";

export const messages = {
  // The file
  notThere: (init: string | undefined): string =>
    "is not there; " + (init === undefined ? "give the path of a fleet file" : `write one to start from: ${init}`),
  isFolder: (): string => "is a folder; give the fleet file in it",
  notReadable: (user: string): string => `may not be read by ${user}; see its permissions (ls -l)`,
  cannotRead: (reason: string): string => `cannot be read: ${reason}; give the path of a fleet file`,
  notUtf8: (): string => "is not UTF-8 text; save it in that encoding",

  // The text
  isEmpty: (): string => "is empty; name at least one host below `hosts:`, such as `web-1: 192.0.2.10`",
  notAFleet: (value: unknown): string =>
    `must be made of names and values, such as \`hosts:\` and the hosts below it, not ${kindOf(value)}`,
  tabIndent: (): string => "is indented with a tab, which YAML does not allow; use spaces",
  severalDocuments: (): string => "begins a second document; keep one, and take out the line `---` or `...`",
  notAName: (): string => "cannot be a name; a name is plain text before a colon",
  needsQuotes: (reason: string): string => `is not YAML: ${reason}; put the value in quotes`,
  notYaml: (reason: string): string =>
    `is not YAML: ${reason}; look for a wrong indentation, a missing quote or bracket, or a missing space after a colon`,
  directive: (reason: string): string => `is not YAML: ${reason}; take the line out`,

  // Its parts
  twice: (line: number): string => `stands in line ${line} already, and one of the two would be lost; take one out`,
  noValue: (): string => "has no value; give it one, or take the line out",
  tagged: (tag: string): string =>
    `bears the tag ${shown(tag)}; take it out, and write plain text, numbers, true or false`,
  noAnchor: (name: string): string => `*${name}: no &${name} stands before it; name what it repeats by &${name}`,
  ownAnchor: (name: string): string => `*${name} repeats what it is part of; take it out`,
  notMergeable: (): string => "must repeat names and values from elsewhere in the file, as in `<<: *name`",
  holdsToken: (): string =>
    "holds a token of cdktf, which means nothing in a file; write the value itself, or use TypeScript",

  // The fleet
  badName: (value: unknown): string =>
    `${kindOf(value)} cannot name a stack; use letters, digits, "-" and "_", at most 63 of them, beginning with a letter or digit`,
  noHosts: (): string => "names no host; name at least one with its address, such as `web-1: 192.0.2.10`",

  // Its stacks
  badStacks: (value: unknown): string =>
    `must be a number of stacks, such as 8, or ${BY_GROUP}, where each host names its group, not ${kindOf(value)}`,
  noGroup: (address: string | undefined): string =>
    `names no group, which \`stacks: ${BY_GROUP}\` asks of every host; give it one` +
    (address === undefined ? "" : `, as in \`{ address: ${address}, group: north }\``),
  badGroup: (value: unknown): string =>
    `${kindOf(value)} cannot be part of a stack's name; use letters and digits, with single "-" and "_" between them, as text`,
  sameGroup: (group: string, other: string): string =>
    `${shown(group)} and ${shown(other)} differ in case only, and some file systems would take their stacks for one; write them alike`,
  groupWithoutStacks: (): string =>
    `says nothing unless the file says \`stacks: ${BY_GROUP}\`; write that, or take the group out`,
  longStackName: (name: string, longest: number): string =>
    `makes the stack's name ${shown(name)} longer than ${longest} letters; shorten the fleet's name or the group's`,
  severalStacks: (count: number): string =>
    `These are ${count} stacks. Deploy them one at a time (cdktf deploy '*' --parallelism 1), or each in a job of its ` +
    "own (examples/stacks.yml): where cdktf deploys several at once and one fails, the others are cut off, and their " +
    "states may say less than what was done.",
  emptyStacks: (names: readonly string[]): string =>
    `No host belongs to ${some(names)}, so that nothing is written for it. If it had one, that one stays locked, and ` +
    "its state stays where it is: destroy the stack with the earlier fleet file, or move its hosts (ssh-only-firewall " +
    "stacks --from).",

  noFirstWave: (names: readonly string[]): string =>
    `Waves are in order only within a stack, and ${some(names)} ${names.length === 1 ? "has" : "have"} no host of the ` +
    "first one: a host that fails elsewhere does not stop them. Deploy the stacks that have such hosts before the others.",

  // From one division to another
  movedByTags: (stack: string): string =>
    `${stack}: its workspace is found by tags, and a script cannot know which one that is; give workspaces.name`,
  movedBackend: (stack: string): string =>
    `${stack}: its state is kept elsewhere in the earlier file; change that in a step of its own (terraform init ` +
    "-migrate-state), before or after",
  sameState: (stack: string, other: string): string =>
    `${stack} and ${other} have the same state; write {stack} into the settings of the backend`,
  leftBehind: (host: string, stack: string): string =>
    `hosts.${host}: is not in the other file, and its stack ${stack} is not made any more, so that it would stay ` +
    "locked and in no plan; take it out in a deploy of its own, before the stacks change",
  changedToo: (key: string): string =>
    `${key}: differs from the other file; change it in a deploy of its own, before or after the stacks change`,
  nothingToMove: (): string => "No host changes its stack: there is nothing to move.",
  noneFound: (stacks: readonly string[]): string =>
    `no host that is to move is in the states of ${some(stacks)}, and nothing was moved; run the script where the ` +
    "fleet's app runs, with the workspace and the credentials that its stacks are deployed with. If none was ever " +
    "deployed, there is nothing to move",
  notStateFile: (stack: string): string =>
    `${stack}: what terraform state pull prints of it is no state of version 4, the only one known here; ` +
    "nothing was changed by this step",
  inBoth: (host: string, from: string, to: string): string =>
    `${host} is in the states of ${from} and of ${to}, with another lock in each, and nothing was changed by this step; ` +
    "see which one the host has (ssh-only-firewall status --live), and take the other out (terraform state rm)",
  notArrived: (host: string, from: string, to: string): string =>
    `${host} is in the state of ${from}, and not or not as a whole in that of ${to}; it was not taken out; run the script again`,

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
  missing: (): string => "is missing",
  secret: (variable: string | undefined): string =>
    "is a secret, which does not belong into a file that others read; take it out, and give it to Terraform " +
    (variable === undefined
      ? "by the environment, as its documentation says"
      : `by the environment variable ${variable}`),
  secretInside: (): string =>
    "holds a password, which does not belong into a file that others read; take it out, and give it to Terraform by the " +
    "environment (PGPASSWORD, TF_HTTP_PASSWORD)",
} as const;

function some(names: readonly string[]): string {
  return names.slice(0, 5).join(", ") + (names.length > 5 ? ` and ${names.length - 5} more` : "");
}
