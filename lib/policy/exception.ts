/** What may pass besides SSH: named, so that it shows in the plan by its name. */
import type { Family } from "./address";
import { isObject } from "../input/keys";
import { closest } from "../input/names";
import { type Problems, parseOrThrow } from "../input/problems";
import type {
  EgressOptions,
  IngressOptions,
  Peers,
  PingOptions,
  Protocol,
  ProtocolOptions,
  SyslogOptions,
  WireguardOptions,
} from "./exception-options";
import { type Direction, parseParts, type Parts, type Shape } from "./exception-parts";
import { describeIpProtocol } from "../contract/ip-protocols";
import { policyMessages } from "./policy-messages";
import type { AllowedSource } from "./source";

/** The names of the exceptions, as in a fleet file. */
export type ExceptionKind =
  "dhcp-client" | "dhcpv6-client" | "ping" | "dns" | "ntp" | "syslog" | "egress" | "ingress" | "protocol" | "wireguard";

/** @internal */
export const SHAPES: Readonly<Record<ExceptionKind, Shape>> = {
  "dhcp-client": { title: "DHCP client (IPv4)", direction: "out" },
  "dhcpv6-client": { title: "DHCPv6 client", direction: "out" },
  ping: { title: "ping", direction: "in", peers: "from", without: "sources" },
  dns: { title: "DNS", direction: "out", peers: "resolvers", port: 53 },
  ntp: { title: "NTP", direction: "out", peers: "servers", port: 123, protocol: "udp" },
  syslog: { title: "syslog", direction: "out", peers: "to", asks: ["port", "protocol"], port: 514, protocol: "udp" },
  egress: { title: "egress", direction: "out", peers: "to", asks: ["port", "protocol"], protocol: "tcp" },
  ingress: { title: "ingress", direction: "in", peers: "from", asks: ["port", "protocol"], protocol: "tcp" },
  protocol: { title: "", direction: "both", peers: "peers", without: "group", asks: ["protocol", "group"] },
  wireguard: { title: "WireGuard", direction: "both", peers: "peers", asks: ["port"], port: 51820, protocol: "udp" },
};

export type { Direction };

export const EXCEPTION_KINDS = Object.keys(SHAPES) as ExceptionKind[];

export class PolicyException {
  /** Lets the host renew its IPv4 address. */
  public static dhcpClient(): PolicyException {
    return checked("dhcpClient", "dhcp-client", {});
  }

  /** Lets the host renew its IPv6 address. */
  public static dhcpV6Client(): PolicyException {
    return checked("dhcpV6Client", "dhcpv6-client", {});
  }

  /** Lets the host answer pings. */
  public static ping(options: PingOptions = {}): PolicyException {
    return checked("ping", "ping", options);
  }

  /** Lets the host ask these resolvers, over UDP and TCP. */
  public static dns(resolvers: Peers): PolicyException {
    return checked("dns", "dns", { resolvers });
  }

  /** Lets the host ask these time servers. */
  public static ntp(servers: Peers): PolicyException {
    return checked("ntp", "ntp", { servers });
  }

  /** Lets the host send its log away. */
  public static syslog(options: SyslogOptions): PolicyException {
    return checked("syslog", "syslog", options);
  }

  /** Lets the host connect to a port elsewhere. */
  public static egress(options: EgressOptions): PolicyException {
    return checked("egress", "egress", options);
  }

  /** Lets others connect to a port of the host. */
  public static ingress(options: IngressOptions): PolicyException {
    return checked("ingress", "ingress", options);
  }

  /** Lets another protocol than TCP, UDP and ICMP pass, in both directions: VRRP, OSPF, or what carries a tunnel. */
  public static protocol(options: ProtocolOptions): PolicyException {
    return checked("protocol", "protocol", options);
  }

  /** Lets the host be an end of WireGuard tunnels. What comes through them meets the rules like everything else. */
  public static wireguard(options: WireguardOptions): PolicyException {
    return checked("wireguard", "wireguard", options);
  }

  /**
   * @internal
   * An exception as a fleet file writes it, for whoever collects problems: a kind (`dhcp-client`) or an object with a
   * kind and the options of its factory (`{ kind: "dns", resolvers: ["192.0.2.53"] }`). Takes a PolicyException too.
   */
  public static parse(value: unknown, problems: Problems): PolicyException | undefined {
    if (value instanceof PolicyException) {
      return value;
    }
    const entry = typeof value === "string" ? { kind: value } : value;
    if (!isObject(entry)) {
      problems.add("", policyMessages.notAnException(value));
      return undefined;
    }
    const { kind, ...options } = entry;
    const known = EXCEPTION_KINDS.find((one) => one === kind);
    if (known === undefined) {
      const suggestion = typeof kind === "string" ? closest(kind, EXCEPTION_KINDS) : undefined;
      problems.add("kind", policyMessages.unknownExceptionKind(kind, suggestion, EXCEPTION_KINDS));
      return undefined;
    }
    return parseOptions(known, options, problems);
  }

  /** @internal for the functions of this file, which have checked their arguments. */
  public static make(kind: ExceptionKind, parts: Parts): PolicyException {
    return new PolicyException(kind, parts);
  }

  /** The far end; undefined where the sources of SSH are meant, where a group is, and for DHCP, whose servers nobody knows. */
  public readonly peers: readonly AllowedSource[] | undefined;
  /** The port of the far end, or for `ingress` and `wireguard` the host's own. */
  public readonly port: number | undefined;
  public readonly protocols: readonly Protocol[];
  /** The number of a protocol that has no ports. */
  public readonly ipProtocol: number | undefined;
  /** Multicast groups that it is sent to. */
  public readonly groups: readonly AllowedSource[];

  private constructor(
    public readonly kind: ExceptionKind,
    { peers, port, protocols, ipProtocol, groups = [] }: Parts,
  ) {
    this.peers = peers;
    this.port = port;
    this.protocols = protocols;
    this.ipProtocol = ipProtocol;
    this.groups = groups;
    Object.freeze(this);
  }

  public get direction(): Direction {
    return SHAPES[this.kind].direction;
  }

  /** Whether the far end is left to be the sources of SSH. */
  public get followsSources(): boolean {
    return this.peers === undefined && SHAPES[this.kind].without === "sources";
  }

  /** The same exception with its far end spelt out, where it is the sources of SSH. */
  public resolvedFor(sources: readonly AllowedSource[]): PolicyException {
    return this.followsSources ? PolicyException.make(this.kind, { ...this, peers: sources }) : this;
  }

  public uses(family: Family): boolean {
    if (this.kind === "dhcp-client") {
      return family === "ipv4";
    }
    return this.kind === "dhcpv6-client"
      ? family === "ipv6"
      : [...this.peersOf(family), ...this.groupsOf(family)].length > 0;
  }

  public peersOf(family: Family): readonly AllowedSource[] {
    return (this.peers ?? []).filter((peer) => peer.family === family);
  }

  public groupsOf(family: Family): readonly AllowedSource[] {
    return this.groups.filter((group) => group.family === family);
  }

  /** What a host gets of it: its kind, and of a protocol without ports also the number: `protocol-112`. */
  public get words(): readonly string[] {
    return this.ipProtocol === undefined ? [this.kind] : [this.kind, `${this.kind}-${this.ipProtocol}`];
  }

  /** What passes, without the far end: "syslog: UDP port 514". */
  public get what(): string {
    const { title, asks } = SHAPES[this.kind];
    if (this.ipProtocol !== undefined) {
      return describeIpProtocol(this.ipProtocol);
    }
    return asks ? `${title}: ${this.protocols.join("/").toUpperCase()} port ${this.port}` : title;
  }

  /** The far ends in words: "to 192.0.2.7"; of one family only, where asked. */
  public ends(family?: Family): readonly string[] {
    const joint = { in: "from", out: "to", both: "with" }[this.direction];
    if (this.followsSources) {
      return [`${joint} the sources of SSH`];
    }
    const ofFamily = ({ family: own }: AllowedSource): boolean => family === undefined || own === family;
    return [
      ...(this.peers ?? []).filter(ofFamily).map((peer) => `${joint} ${peer}`),
      ...this.groups.filter(ofFamily).map((group) => `with the group ${group}`),
    ];
  }

  /** The exception in one line: "syslog: UDP port 514 to 192.0.2.7". */
  public describe(): string {
    return [this.what, this.ends().join(", ")].filter((part) => part !== "").join(" ");
  }
}

function checked(factory: string, kind: ExceptionKind, options: object): PolicyException {
  return parseOrThrow(`PolicyException.${factory}()`, (problems) => parseOptions(kind, options, problems));
}

function parseOptions(kind: ExceptionKind, options: unknown, problems: Problems): PolicyException | undefined {
  const parts = parseParts(SHAPES[kind], options, problems);
  return parts && PolicyException.make(kind, parts);
}
