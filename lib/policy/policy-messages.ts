/** What is wrong with a policy: who may reach SSH, and its exceptions. */
import { didYouMean } from "../input/value-messages";
import { kindOf, shown } from "../output/text";

export const policyMessages = {
  nobodyAllowed: (): string =>
    "is empty, so nobody could reach the host any more; name at least one source, or leave allowFrom out to allow all",
  notAnException: (value: unknown): string =>
    `must be a PolicyException, or a kind such as "dhcp-client", or an object with a kind, not ${kindOf(value)}`,
  unknownExceptionKind: (value: unknown, suggestion: string | undefined, kinds: readonly string[]): string =>
    `${kindOf(value)} is not a kind of exception; ` +
    (suggestion === undefined ? `known kinds: ${kinds.join(", ")}` : didYouMean(suggestion)),
  unknownProtocol: (value: string, suggestion: string | undefined, names: readonly string[]): string =>
    `${shown(value)} is not a protocol that this package knows by name; ` +
    (suggestion === undefined ? `give its number, or one of ${names.join(", ")}` : didYouMean(suggestion)),
  protocolElsewhere: (value: unknown, remedy: string): string =>
    `${kindOf(value)} has exceptions of its own: use the kind ${remedy}`,
  protocolIsHeader: (number: number): string =>
    `${number} is a header that stands in front of a protocol, and a rule for it would never match; give the protocol itself`,
  headerInIpv6: (): string =>
    "has IPv6 addresses, and in IPv6 that protocol is a header, which firewalls look behind; use esp, or name IPv4 addresses only",
  noFarEnd: (): string => "has no far end; name peers, a multicast group in group, or both",
  noGroup: (): string => "is empty; name at least one multicast group, or leave it out",
  notAGroup: (value: string): string =>
    `${shown(value)} is not a multicast group (224.0.0.0/4, ff00::/8); the addresses of machines belong in peers`,
  ingressToSsh: (port: number): string =>
    `opens port ${port}, the SSH port, to more sources; add them to allowFrom instead, so that one list says who may log in`,
} as const;
