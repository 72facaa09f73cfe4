/** The named exceptions of a policy. What answers them is let through for the same address and port only. */
import type { PolicyException } from "../policy/exception";
import type { Mode } from "../policy/policy";
import { ACCEPT, byAddress, type Rule, type Topic } from "./rule";

export function exceptionTopic(exception: PolicyException, mode: Mode): Topic {
  switch (exception.kind) {
    case "dhcp-client":
      return dhcpV4();
    case "dhcpv6-client":
      return dhcpV6(mode);
    case "ping":
      return ping(exception, mode);
    case "protocol":
      return withoutPorts(exception);
    case "wireguard":
      return wireguard(exception);
    default:
      return toPort(exception, mode);
  }
}

/** To observe is not worth that the kernel tracks all connections (denied.ts): all from there is taken for an answer. */
const answering = (mode: Mode): Pick<Rule, "states"> => (mode === "observe" ? {} : { states: ["established"] });

/**
 * A connection or an exchange of datagrams with one port, opened from either end. Of TCP all passes that opens nothing, because the kernel
 * has not tracked connections that are older than the rules: through one of them SSH itself may come.
 */
function toPort(exception: PolicyException, mode: Mode): Topic {
  const title = `Exception ${exception.what}`;
  const ends = byAddress(exception.peers ?? []);
  const towards: readonly Rule[] = exception.protocols.flatMap((protocol) =>
    ends.map((end) => ({ ...end, protocol, destinationPort: exception.port, verdict: ACCEPT })),
  );
  const back: readonly Rule[] = exception.protocols.flatMap((protocol) =>
    ends.map((end) => ({
      ...end,
      protocol,
      sourcePort: exception.port,
      ...(protocol === "tcp" ? { flags: "not-opening" } : answering(mode)),
      verdict: ACCEPT,
    })),
  );
  const opening = { comment: [`${title}.`], rules: towards };
  const answers = { comment: [`${title}; replies.`], rules: back };
  return exception.direction === "out" ? { output: opening, input: answers } : { input: opening, output: answers };
}

/**
 * Either end may begin, so the connection tracking of the kernel is not asked. A peer sends it to the host or to a group, of which the
 * source alone identifies it; where no peer is named, the group does.
 */
function withoutPorts({ what, ipProtocol, peers = [], groups }: PolicyException): Topic {
  const pass = { ipProtocol, verdict: ACCEPT } as const;
  const ofAnybody = groups.filter(({ family }) => !peers.some((peer) => peer.family === family));
  return {
    input: {
      comment: [`Exception ${what}.`],
      rules: [
        ...byAddress(peers).map((end) => ({ ...end, ...pass })),
        ...ofAnybody.map(({ family, cidr }) => ({ family, self: cidr, ...pass })),
      ],
    },
    output: {
      comment: [`Exception ${what}.`],
      rules: [...byAddress(peers), ...byAddress(groups)].map((end) => ({ ...end, ...pass })),
    },
  };
}

/** Either end may begin, or move to another port; the host's own stays. */
function wireguard({ what, port, peers = [] }: PolicyException): Topic {
  const ends = byAddress(peers).map((end) => ({ ...end, protocol: "udp", verdict: ACCEPT }) as const);
  const comment = [`Exception ${what}.`];
  return {
    input: { comment, rules: ends.map((end) => ({ ...end, destinationPort: port })) },
    output: { comment, rules: ends.map((end) => ({ ...end, sourcePort: port })) },
  };
}

function ping(exception: PolicyException, mode: Mode): Topic {
  const ends = byAddress(exception.peers ?? []);
  const title = `Exception ${exception.what}`;
  return {
    input: {
      comment: [`${title}.`],
      rules: ends.map((end) => ({ ...end, icmp: ["echo-request"], verdict: ACCEPT })),
    },
    output: {
      comment: [`${title}; replies.`],
      rules: ends.map((end) => ({ ...end, icmp: ["echo-reply"], ...answering(mode), verdict: ACCEPT })),
    },
  };
}

function dhcpV4(): Topic {
  const client = { family: "ipv4", protocol: "udp", verdict: ACCEPT } as const;
  return {
    input: {
      comment: [
        "Exception DHCP client: replies of DHCP servers (RFC 2131). They may be broadcast, so connection tracking does",
        "not know them.",
      ],
      rules: [{ ...client, sourcePort: 67, destinationPort: 68 }],
    },
    output: {
      comment: ["Exception DHCP client: the host renews its IPv4 address (RFC 2131)."],
      rules: [{ ...client, sourcePort: 68, destinationPort: 67 }],
    },
  };
}

function dhcpV6(mode: Mode): Topic {
  const client = { family: "ipv6", protocol: "udp", verdict: ACCEPT } as const;
  return {
    input: {
      comment: [
        "Exception DHCPv6 client: replies of DHCPv6 servers and relays (RFC 8415). They go to the host's link-local",
        "address, which only this link can reach, and may come from any address and port. The second rule is for a",
        "server that allows unicast (section 18.4).",
      ],
      rules: [
        { ...client, self: "fe80::/10", destinationPort: 546 },
        { ...client, sourcePort: 547, destinationPort: 546, ...answering(mode) },
      ],
    },
    output: {
      comment: ["Exception DHCPv6 client: the host renews its IPv6 address (RFC 8415)."],
      rules: [{ ...client, sourcePort: 546, destinationPort: 547 }],
    },
  };
}
