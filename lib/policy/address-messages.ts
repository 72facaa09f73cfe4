/** What is wrong with addresses, ranges and lists of them. */
import { didYouMean } from "../input/value-messages";
import { kindOf, shown } from "../output/text";

export const addressMessages = {
  emptyAddress: (): string => "is empty; give an address such as 192.0.2.10, or a range such as 192.0.2.0/24",
  addressSpaces: (value: string, suggestion: string): string =>
    `${shown(value)} contains spaces; ${didYouMean(shown(suggestion))}`,
  notAnAddress: (value: string): string =>
    `${shown(value)} is not an IPv4 or IPv6 address; give one such as 192.0.2.10 or 2001:db8::10, or a range such as ` +
    "192.0.2.0/24",
  addressIsName: (value: string): string =>
    `${shown(value)} is a name, but the firewall of a host cannot look names up; give the address that the name stands for`,
  numbersOfC: (value: string, suggestion: string): string =>
    `${shown(value)} has hexadecimal numbers, which only some programs take for an IPv4 address; ${didYouMean(suggestion)}`,
  leadingZeros: (value: string, suggestion: string): string =>
    `${shown(value)} has leading zeros, which some programs read as octal; ${didYouMean(suggestion)}`,
  shortAddress: (value: string, suggestion: string): string =>
    `${shown(value)} is shortened: an IPv4 address has four numbers; ${didYouMean(suggestion)}`,
  brackets: (value: string, suggestion: string): string =>
    `${shown(value)}: brackets belong in web addresses; ${didYouMean(suggestion)}`,
  zone: (value: string, suggestion: string): string =>
    `${shown(value)} names a network interface of one machine, which means nothing on another; ${didYouMean(suggestion)}`,
  missingPrefix: (value: string, address: string): string =>
    `${shown(value)}: the prefix length after the slash is missing; did you mean ${address} (one address), or a range ` +
    "such as 192.0.2.0/24?",
  netmask: (value: string, suggestion: string): string =>
    `${shown(value)}: a range is written with a prefix length, not a netmask; ${didYouMean(suggestion)}`,
  badPrefix: (value: string, family: string, max: number): string =>
    `${shown(value)}: the prefix length of an ${family} range is a whole number from 0 to ${max}`,
  hostBits: (value: string, range: string, address: string): string =>
    `${shown(value)} is an address with a prefix length, not a range; did you mean ${range}, or ${address}?`,
  mapped: (value: string, suggestion: string): string =>
    `${shown(value)} is an IPv4 address written as IPv6; no packet carries it; ${didYouMean(suggestion)}`,
  specialAddress: (value: string, what: string, remedy: string): string => `${shown(value)} is ${what}; ${remedy}`,
  otherFamily: (value: string, family: string, factory: string): string =>
    `${shown(value)} is an ${family} address; ${didYouMean(`AllowedSource.${factory}(${shown(value)})`)}`,
  notASource: (value: unknown): string =>
    `must be an address or range as text, such as "192.0.2.0/24", not ${kindOf(value)}`,
  tokenWithoutFamily: (): string =>
    "is a token, whose value is unknown until apply; name its family: AllowedSource.ipv4(token) or " +
    "AllowedSource.ipv6(token)",
  tokenList: (): string =>
    "is a list whose length is unknown until apply; name its elements one by one: " +
    "AllowedSource.ipv4(Fn.element(list, 0))",
  notATokenOfAddress: (value: string): string =>
    `${shown(value)}: only digits, dots, colons and a prefix length may stand beside a token, such as \`\${token}/32\``,
  noPeers: (): string => "is empty; name at least one address",
} as const;
