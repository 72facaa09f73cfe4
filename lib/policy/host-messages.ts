/** What we tell people about hosts and connections that cannot be used; see messages.ts for policies. */
import { kindOf, shown } from "../output/shown";

export const hostMessages = {
  badKey: (key: string): string =>
    `${shown(key)} cannot name a host: use letters, digits, ".", "_" and "-", at most 63 of them, beginning with a letter or digit`,
  reservedKey: (key: string): string =>
    `${shown(key)} is the name of the ruleset that hosts share; name the host otherwise`,
  noAddress: (): string => "is missing; give the address or the name that Terraform connects to",
  notAHost: (value: unknown): string => `must be an address, or an object with an address, not ${kindOf(value)}`,
  notBoolean: (value: unknown): string => `must be true or false, not ${kindOf(value)}`,
  badAddress: (value: string): string =>
    `${shown(value)} is neither an IP address nor a host name; give one such as 192.0.2.10, 2001:db8::10 or web-1.example.com`,
  addressIsMore: (value: string, address: string, elsewhere: string): string =>
    `${shown(value)} is more than an address; did you mean ${shown(address)}, with ${elsewhere}?`,
  sameAddress: (address: string, other: string): string =>
    `${shown(address)} is the address of ${other} too: one host would be locked twice, and opened when either is taken out; ` +
    "hosts behind one address need different values of connection.port",
  otherHome: (value: string): string =>
    `${shown(value)}: Terraform looks up no other home than that of whoever runs it; begin with "~/", or give the whole path`,
  certificateAlone: (): string =>
    "is read only beside a private key; name that key's file in privateKeyPath, or leave this out where the agent has both",
  nobodyLogsIn: (): string =>
    "is false, and no private key is named, so nobody could log in; give privateKeyPath, or leave agent out",
  nothingToRun: (): string => "is run by nobody; set detectDrift to true, or leave this out",
  isEmpty: (): string => "is empty; leave it out instead",
  hasSpaces: (value: string): string => `${shown(value)} contains a space`,
  badScriptPath: (value: string): string =>
    `${shown(value)} is no path that every login shell runs as it stands; give one with a slash, of letters, digits, ` +
    '".", "_", "+", "%" and "-" only, such as "./.run-%RAND%.sh"',
  badHostKey: (value: string): string =>
    `${shown(value)} is not a public host key; give its type and value, such as "ssh-ed25519 AAAAC3Nza…" ` +
    "(ssh-keyscan -t ed25519 HOST prints it behind the host's name)",
  hostKeyWithName: (suggestion: string): string =>
    `begins with a host name, as in known_hosts; did you mean ${shown(suggestion)}?`,
  notDependable: (value: unknown): string =>
    `must be a resource, or another construct with an fqn, not ${kindOf(value)}`,
  noHosts: (): string => "no host was added: name hosts in the property hosts, or call addHost()",
  sameShards: (shards: number): string =>
    `has ${shards}, as shards is, and from there nothing has to be moved; take it out`,
  shardsTwice: (shards: number): string => `has ${shards} twice; name each number once, the oldest first`,
  notInHosts: (key: string, suggestion: string | undefined): string =>
    `${shown(key)} is no host of this firewall; ` +
    (suggestion === undefined ? "name one of its hosts" : `did you mean ${shown(suggestion)}?`),
  inTwoWaves: (key: string): string => `${shown(key)} stands in a wave already; take it out of one`,
  twice: (key: string): string => `${shown(key)} was added already`,
} as const;
