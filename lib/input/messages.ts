/**
 * What we tell people about a policy that cannot be used. The place of the value goes in front (see problems.ts);
 * every message here names the value and says what to do about it.
 */
import { kindOf, shown } from "../output/shown";

const did = (suggestion: string): string => `did you mean ${suggestion}?`;

export const messages = {
  // Any value
  unknownKey: (suggestion: string | undefined, known: readonly string[]): string =>
    suggestion !== undefined
      ? `unknown; ${did(suggestion)}`
      : `unknown; ${known.length === 0 ? "there is nothing to say here" : `known here: ${known.join(", ")}`}`,
  notAnObject: (value: unknown): string => `must be an object with named values, not ${kindOf(value)}`,
  notAList: (value: unknown): string =>
    typeof value === "string" ? `must be a list; ${did(`[${shown(value)}]`)}` : `must be a list, not ${kindOf(value)}`,
  notAString: (value: unknown): string => `must be text, not ${kindOf(value)}`,
  notOneOf: (value: unknown, allowed: readonly string[]): string =>
    `must be ${allowed.map(shown).join(" or ")}, not ${kindOf(value)}`,
  notPlain: (value: string, found: string): string =>
    `${shown(value)} contains ${found}, which could change the meaning of the firewall rules; remove it`,
  unknownToken: (value: string): string =>
    `${shown(value)} names a token that cdktf does not know; use the attribute itself, such as bastion.privateIp`,

  // Numbers
  notANumber: (value: unknown, min: number, max: number): string =>
    typeof value === "string" && /^[0-9]+$/.test(value)
      ? `must be a number, not text; ${did(`${Number(value)} without quotes`)}`
      : `must be a whole number from ${min} to ${max}, not ${kindOf(value)}`,
  numberOutOfRange: (value: number, min: number, max: number, remedy: string): string =>
    `must be a whole number from ${min} to ${max}, not ${value}${remedy === "" ? "" : `; ${remedy}`}`,
  numberIsToken: (): string =>
    "is a token, whose value is unknown until apply; the ruleset is written at synth, so give the number itself",

  // Addresses
  emptyAddress: (): string => "is empty; give an address such as 192.0.2.10, or a range such as 192.0.2.0/24",
  addressSpaces: (value: string, suggestion: string): string =>
    `${shown(value)} contains spaces; ${did(shown(suggestion))}`,
  notAnAddress: (value: string): string =>
    `${shown(value)} is not an IPv4 or IPv6 address; give one such as 192.0.2.10 or 2001:db8::10, or a range such as ` +
    "192.0.2.0/24",
  addressIsName: (value: string): string =>
    `${shown(value)} is a name: the host's firewall needs addresses, because it cannot look names up; ` +
    "give the address that the name stands for",
  leadingZeros: (value: string, suggestion: string): string =>
    `${shown(value)} has leading zeros, which some programs read as octal; ${did(suggestion)}`,
  shortAddress: (value: string, suggestion: string): string =>
    `${shown(value)} is shortened: an IPv4 address has four numbers; ${did(suggestion)}`,
  brackets: (value: string, suggestion: string): string =>
    `${shown(value)}: brackets belong into web addresses; ${did(suggestion)}`,
  zone: (value: string, suggestion: string): string =>
    `${shown(value)} names a network interface of one machine, which means nothing on another; ${did(suggestion)}`,
  missingPrefix: (value: string, address: string): string =>
    `${shown(value)}: the prefix length after the slash is missing; did you mean ${address} (one address), or a range ` +
    "such as 192.0.2.0/24?",
  netmask: (value: string, suggestion: string): string =>
    `${shown(value)}: a range is written with a prefix length, not a netmask; ${did(suggestion)}`,
  badPrefix: (value: string, family: string, max: number): string =>
    `${shown(value)}: the prefix length of an ${family} range is a whole number from 0 to ${max}`,
  hostBits: (value: string, range: string, address: string): string =>
    `${shown(value)} is an address with a prefix length, not a range; did you mean ${range}, or ${address}?`,
  mapped: (value: string, suggestion: string): string =>
    `${shown(value)} is an IPv4 address written as IPv6; no packet carries it; ${did(suggestion)}`,
  specialAddress: (value: string, what: string, remedy: string): string => `${shown(value)} is ${what}; ${remedy}`,
  otherFamily: (value: string, family: string, factory: string): string =>
    `${shown(value)} is an ${family} address; ${did(`AllowedSource.${factory}(${shown(value)})`)}`,
  notASource: (value: unknown): string =>
    `must be an address or range as text, such as "192.0.2.0/24", not ${kindOf(value)}`,
  tokenWithoutFamily: (): string =>
    "is a token, whose value is unknown until apply; say which family it will be: AllowedSource.ipv4(token) or " +
    "AllowedSource.ipv6(token)",
  tokenList: (): string =>
    "is a list whose length is unknown until apply; name its elements one by one: " +
    "AllowedSource.ipv4(Fn.element(list, 0))",
  notATokenOfAddress: (value: string): string =>
    `${shown(value)}: only digits, dots, colons and a prefix length may stand beside a token, such as \`\${token}/32\``,
  notWords: (value: unknown): string =>
    `must be a program and its arguments, a list of texts such as ["npx", "--no", "ssh-only-firewall", "drift"], not ${kindOf(value)}`,

  // The policy
  nobodyAllowed: (): string =>
    "is empty, so nobody could reach the host any more; name at least one source, or leave allowFrom out to allow all",
  noPeers: (): string => "is empty; name at least one address",
  required: (): string => "is missing",
  notAnException: (value: unknown): string =>
    `must be a PolicyException, or a kind such as "dhcp-client", or an object with a kind, not ${kindOf(value)}`,
  unknownExceptionKind: (value: unknown, suggestion: string | undefined, kinds: readonly string[]): string =>
    `${kindOf(value)} is no kind of exception; ` +
    (suggestion === undefined ? `known kinds: ${kinds.join(", ")}` : did(suggestion)),
  ingressToSsh: (port: number): string =>
    `opens port ${port}, the SSH port, to more sources; add them to allowFrom instead, so that one list says who may log in`,
} as const;
