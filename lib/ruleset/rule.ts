/**
 * What a rule is, before any firewall's syntax: the policy becomes a list of these, and each backend writes the same
 * list in its own words. So no rule can be in one backend and be forgotten in another.
 */
import type { Family } from "../policy/address";
import type { Protocol } from "../policy/exception-options";
import type { AllowedSource } from "../policy/source";

export type ChainName = "input" | "output" | "forward";

/** How the connection tracking of the kernel sees a packet. */
export type State = "established" | "related";

export type IcmpType =
  | "fragmentation-needed"
  | "admin-prohibited"
  | "echo-request"
  | "echo-reply"
  | "packet-too-big"
  | "destination-unreachable"
  | "time-exceeded"
  | "parameter-problem"
  | "router-solicitation"
  | "router-advertisement"
  | "neighbour-solicitation"
  | "neighbour-advertisement"
  | "mld-query"
  | "mld-report"
  | "mld-done"
  | "mld2-report";

export type TcpFlags =
  /** Opens no connection: all but a SYN without ACK. */
  | "not-opening"
  /** Refuses or ends a connection. */
  | "rst";

export type Verdict =
  | { readonly kind: "accept" | "drop" | "reject-tcp" | "reject-other" }
  /** Leaves the packet to whatever comes after this firewall. */
  | { readonly kind: "pass" }
  /** Lets pass a datagram from where, or to where, one went the other way a moment ago; for backends that can. */
  | { readonly kind: "pass-answering-udp" }
  /** Knows by it which datagrams answer, and goes on; likewise. */
  | { readonly kind: "know-udp" }
  /** Notes the far end and the port, and goes on; for backends that can. */
  | { readonly kind: "remember"; readonly what: "tcp" | "udp" | "others" }
  | { readonly kind: "log"; readonly prefix: string; readonly perMinute: number }
  /** Counts and goes on; for backends whose rules do not count by themselves. */
  | { readonly kind: "count"; readonly name: string };

/** Everything a rule asks of a packet; what is absent is not asked. */
export interface Rule {
  /** Of this machine to itself. */
  readonly loopback?: true;
  /** Always there when addresses or ICMP types are. */
  readonly family?: Family;
  /** The far end, one of: the source in the input chain, the destination in the output chain. */
  readonly peers?: readonly string[];
  /** The near end: the destination in the input chain. */
  readonly self?: string;
  readonly protocol?: Protocol;
  /** The number of a protocol without ports. */
  readonly ipProtocol?: number | undefined;
  readonly sourcePort?: number | undefined;
  readonly destinationPort?: number | undefined;
  /** One of these types. */
  readonly icmp?: readonly IcmpType[];
  readonly hopLimit?: number;
  /** Of a datagram in pieces not the first, which alone has ports; of IPv6, and for backends that would remember it. */
  readonly laterPiece?: true;
  readonly states?: readonly State[];
  readonly flags?: TcpFlags;
  readonly verdict: Verdict;
}

/** Rules with one reason, which is written above them. */
export interface Group {
  readonly comment: readonly string[];
  readonly rules: readonly Rule[];
}

/** One thing that may pass or not, with its rules in each chain. */
export type Topic = { readonly [chain in ChainName]?: Group };

export const ACCEPT: Verdict = { kind: "accept" };

/** The far ends as few rules can name them: per family all literals at once, and each token by itself. */
export function byAddress(sources: readonly AllowedSource[]): ReadonlyArray<Pick<Rule, "family" | "peers">> {
  return (["ipv4", "ipv6"] as const).flatMap((family) => {
    const own = sources.filter((source) => source.family === family);
    if (own.some((source) => source.isAny)) {
      return [{ family }];
    }
    const literals = own.filter((source) => !source.isToken).map((source) => source.cidr);
    // What a token will be is unknown here, and two members of one set must not overlap.
    const tokens = own.filter((source) => source.isToken).map((source) => [source.cidr]);
    return [literals, ...tokens].filter((peers) => peers.length > 0).map((peers) => ({ family, peers }));
  });
}
