/** What is wrong with a fleet file as a file, as YAML, and as a fleet; lib/policy has what is wrong with the firewall in it. */
import { kindOf, shown } from "../output/text";

/** The way to run a command of this package whether it is installed or not. */
export const COMMAND = "npx --package=cdktf-ssh-only-firewall ssh-only-firewall";

export const fleetFileMessages = {
  // The file
  notThere: (init: string | undefined): string =>
    "is not there; " + (init === undefined ? "give the path of a fleet file" : `write one to start from: ${init}`),
  isDirectory: (): string => "is a directory; give the fleet file in it",
  notReadable: (user: string): string => `may not be read by ${user}; see its permissions (ls -l)`,
  cannotRead: (reason: string): string => `cannot be read: ${reason}; give the path of a fleet file`,
  noEnd: (seconds: number): string => `no text that ends came within ${seconds} seconds`,
  tooLarge: (most: number): string =>
    `is larger than ${most / 2 ** 20} MiB; is it a fleet file? A larger fleet needs several files`,
  notUtf8: (): string => "is not UTF-8 text; save it in that encoding",

  // The text
  isEmpty: (): string => "is empty; name at least one host below `hosts:`, such as `web-1: 192.0.2.10`",
  notAFleet: (value: unknown): string =>
    `must be a YAML mapping, such as \`hosts:\` and the hosts below it, not ${kindOf(value)}`,
  tabIndent: (): string => "is indented with a tab, which YAML does not allow; use spaces",
  severalDocuments: (): string => "begins a second document; keep one, and take out the line `---` or `...`",
  notAName: (): string => "cannot be a name; a name is plain text before a colon",
  needsQuotes: (reason: string): string => `is not YAML: ${reason}; put the value in quotes`,
  notYaml: (reason: string): string =>
    `is not YAML: ${reason}; look for a wrong indentation, a missing quote or bracket, or a missing space after a colon`,
  directive: (reason: string): string => `is not YAML: ${reason}; take the line out`,
  tooDeep: (most: number): string => `is nested more than ${most} levels deep; take levels out`,
  tooManyParts: (most: number): string => `makes the file longer than ${most} words and signs; divide the fleet`,

  // Its parts
  twice: (line: number): string => `is in line ${line} already, and one of the two would be lost; take one out`,
  noValue: (): string => "has no value; give it one, or take the line out",
  tagged: (tag: string): string =>
    `has the tag ${shown(tag)}; take it out, and write plain text, numbers, true or false`,
  noAnchor: (name: string): string =>
    `${shown(`*${name}`)}: there is no anchor ${shown(`&${name}`)} before it; write that anchor before what is to be repeated`,
  ownAnchor: (name: string): string => `${shown(`*${name}`)} repeats what it is part of; take it out`,
  notMergeable: (): string => "must repeat a mapping from elsewhere in the file, as in `<<: *name`",
  tooMuchRepeated: (most: number): string =>
    `repeats so much by aliases (*name) that the file has more than ${most} values; repeat less, and none within another`,
  holdsToken: (): string =>
    "holds a token of cdktf, which means nothing in a file; write the value itself, or use TypeScript",

  // The fleet
  badName: (value: unknown): string =>
    `${kindOf(value)} cannot name a stack; use letters, digits, "-" and "_", at most 63 of them, beginning with a letter or digit`,
  noHosts: (): string => "names no host; name at least one with its address, such as `web-1: 192.0.2.10`",
} as const;
