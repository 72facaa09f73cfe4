/** What every connection needs below itself: loopback, the size of packets, and finding the neighbours in IPv6. */
import type { Policy } from "../policy/policy";
import { ACCEPT, type Group, type IcmpType, type Rule, type Topic } from "./rule";

export function loopback(): Topic {
  const group: Group = {
    comment: ["Loopback: programs of this host talk to each other over it."],
    rules: [{ loopback: true, verdict: ACCEPT }],
  };
  return { input: group, output: group };
}

export function pathMtu(policy: Policy): Topic {
  const tooBig: Readonly<Record<"ipv4" | "ipv6", IcmpType>> = { ipv4: "fragmentation-needed", ipv6: "packet-too-big" };
  return {
    input: {
      comment: [
        'Routers on the path report "packet too big" (RFC 1191, RFC 8201). Without these errors large packets get lost',
        "and sessions hang. They may come from any address; TCP accepts only an error that quotes a packet which it has",
        "just sent (RFC 5927).",
      ],
      rules: policy.families.map((family) => ({ family, icmp: [tooBig[family]], verdict: ACCEPT })),
    },
  };
}

/** Nothing when IPv6 is closed. */
export function ipv6LinkTopics(policy: Policy): readonly Topic[] {
  return policy.families.includes("ipv6") ? [neighbourDiscovery(), multicastListeners()] : [];
}

function neighbourDiscovery(): Topic {
  const discovery = (...icmp: readonly IcmpType[]): Rule => ({ family: "ipv6", icmp, hopLimit: 255, verdict: ACCEPT });
  return {
    input: {
      comment: [
        "IPv6 finds neighbours and routers by ICMPv6 (RFC 4861, RFC 4890 section 4.4.1). Without it the host loses its",
        "network. Hop limit 255 proves that the packet was sent on this link.",
      ],
      rules: [discovery("neighbour-solicitation", "neighbour-advertisement"), discovery("router-advertisement")],
    },
    output: {
      comment: ["IPv6 neighbour and router discovery: the host's own requests and replies (RFC 4861)."],
      rules: [discovery("neighbour-solicitation", "neighbour-advertisement"), discovery("router-solicitation")],
    },
  };
}

function multicastListeners(): Topic {
  return {
    input: {
      comment: [
        "Switches ask which multicast groups the host listens to (MLD, RFC 2710, RFC 3810; type 130 is the query), from",
        "a link-local address. Without an answer some switches stop delivering neighbour discovery.",
      ],
      rules: [{ family: "ipv6", peers: ["fe80::/10"], icmp: ["mld-query"], hopLimit: 1, verdict: ACCEPT }],
    },
    output: {
      comment: [
        "The host's replies to MLD queries: types 131 and 143 name groups, type 132 names one that it has left.",
      ],
      rules: [{ family: "ipv6", icmp: ["mld-report", "mld-done", "mld2-report"], hopLimit: 1, verdict: ACCEPT }],
    },
  };
}
