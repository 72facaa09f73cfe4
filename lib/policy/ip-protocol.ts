/** Protocols beside TCP, UDP and ICMP: read from what a user wrote. */
import { IP_PROTOCOLS } from "../contract/ip-protocols";
import { closest } from "../input/names";
import type { Problems } from "../input/problems";
import { parseInteger } from "../input/values";
import { policyMessages } from "./policy-messages";

/** What has a kind of exception of its own, by name and number. */
export const ELSEWHERE: ReadonlyArray<readonly [RegExp, string]> = [
  [/^(tcp|udp|6|17)$/, "egress, for what the host connects to, or ingress, for what connects to the host"],
  [/^(icmp|icmpv6|ipv6-icmp|1|58)$/, "ping; the ICMP that SSH needs passes anyway"],
];

/** Kernels look behind these for the protocol of an IPv6 packet, so that no rule for them ever matches. 0 means all to iptables. */
export const EXTENSION_HEADERS: readonly number[] = [0, 43, 44, 59, 60, 135, 139, 140];

/** The number that `value` is, or is the name of. */
export function parseIpProtocol(value: unknown, problems: Problems): number | undefined {
  const [, remedy] = ELSEWHERE.find(([pattern]) => pattern.test(String(value).toLowerCase())) ?? [];
  if (remedy !== undefined) {
    problems.add("", policyMessages.protocolElsewhere(value, remedy));
    return undefined;
  }
  if (typeof value !== "string") {
    const number = parseInteger(value, { min: 1, max: 254 }, problems);
    if (number === undefined || !EXTENSION_HEADERS.includes(number)) {
      return number;
    }
    problems.add("", policyMessages.protocolIsHeader(number));
    return undefined;
  }
  const name = value.toLowerCase();
  const number = Object.hasOwn(IP_PROTOCOLS, name) ? IP_PROTOCOLS[name] : undefined;
  if (number === undefined) {
    const names = Object.keys(IP_PROTOCOLS);
    problems.add("", policyMessages.unknownProtocol(value, closest(value, names), names));
  }
  return number;
}

/** AH is a header in front of the protocol in IPv6, and a protocol in IPv4. */
export const IPV4_ONLY: readonly number[] = [IP_PROTOCOLS.ah ?? 0];
