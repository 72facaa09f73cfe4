/** What is wrong with a host, its address, and how Terraform connects to it. */
import { didYouMean } from "../input/value-messages";
import { kindOf, shown } from "../output/text";

export const hostMessages = {
  badKey: (key: string): string =>
    `${shown(key)} cannot name a host: use letters, digits, ".", "_" and "-", at most 63 of them, beginning with a letter or digit`,
  reservedKey: (key: string): string => `${shown(key)} is the name of the shared ruleset; give the host another name`,
  twice: (key: string): string => `${shown(key)} was added already`,
  notAHost: (value: unknown): string => `must be an address, or an object with an address, not ${kindOf(value)}`,

  // The address
  noAddress: (): string => "is missing; give the address or the name that Terraform connects to",
  badAddress: (value: string): string =>
    `${shown(value)} is neither an IP address nor a host name; give one such as 192.0.2.10, 2001:db8::10 or web-1.example.com`,
  numbersOfC: (value: string, address: string): string =>
    `${shown(value)} is the address ${address} to programs that read numbers as C does, and a name to others; ${didYouMean(address)}`,
  addressIsMore: (value: string, address: string, elsewhere: string): string =>
    `${shown(value)} is more than an address; ${didYouMean(`${shown(address)}, with ${elsewhere}`)}`,
  sameAddress: (address: string, other: string): string =>
    `${shown(address)} is the address of ${other} too: one host would be locked twice, and opened when either is taken out; ` +
    "hosts behind one address need different values of connection.port",
  jumpHost: (names: string, to: string, port: number): string =>
    `lets this host connect to nothing on TCP port ${port}, but it is the bastion of ${names}: once it is locked, Terraform cannot ` +
    `reach them through it; add { kind: egress, to: ${to}, port: ${port} }`,

  // The connection
  otherHome: (value: string): string =>
    `${shown(value)}: Terraform knows no home but that of the user who runs it; begin with "~/", or give the whole path`,
  shellVariable: (value: string): string =>
    `${shown(value)} begins with a variable of a shell, which nobody replaces here; ` +
    didYouMean(shown(value.replace(/^\$HOME(?=\/)/, "~").replace(/^\$\w+/, "/whole/path"))),
  certificateAlone: (): string =>
    "is read only beside a private key; name that key's file in privateKeyPath, or leave this out where the agent has both",
  nobodyLogsIn: (): string =>
    "is false, and no private key is named, so nobody could log in; give privateKeyPath, or leave agent out",
  badScriptPath: (value: string): string =>
    `${shown(value)} is not a path that every login shell runs as it stands; give one with a slash, of letters, digits, ` +
    '".", "_", "+", "%" and "-" only, such as "./.run-%RAND%.sh"',
  badHostKey: (value: string): string =>
    `${shown(value)} is not a public host key; give its type and value, such as "ssh-ed25519 AAAAC3Nza…" ` +
    "(ssh-keyscan -t ed25519 HOST prints it behind the host's name)",
  hostKeyWithName: (suggestion: string): string =>
    `begins with a host name, as in known_hosts; ${didYouMean(shown(suggestion))}`,
} as const;
