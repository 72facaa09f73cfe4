/** What may pass besides SSH: named, so that it shows in the plan by its name. */
import type { Family } from "./address";
import { checkKeys, isObject } from "../input/keys";
import { closest } from "../input/names";
import { type Problems, parseOrThrow } from "../input/problems";
import { AllowedSource } from "./source";
import { normalised, parseSources } from "./sources";
import { valueMessages } from "../input/value-messages";
import { parseChoice, parsePort } from "../input/values";
import { addressMessages } from "./address-messages";
import { policyMessages } from "./policy-messages";

export type Protocol = "tcp" | "udp";

/** The names of the exceptions, as in a fleet file. */
export type ExceptionKind = "dhcp-client" | "dhcpv6-client" | "ping" | "dns" | "ntp" | "syslog" | "egress" | "ingress";

/** An address or range, or a list of them. */
export type Peers = string | AllowedSource | ReadonlyArray<string | AllowedSource>;

export interface PingOptions {
  /**
   * Who may ping the host.
   * @default - the sources that may reach SSH
   */
  readonly from?: Peers;
}

export interface SyslogOptions {
  /** The log servers. */
  readonly to: Peers;
  /** @default 514 */
  readonly port?: number;
  /** @default "udp" */
  readonly protocol?: Protocol;
}

export interface EgressOptions {
  /** The addresses that the host may connect to. */
  readonly to: Peers;
  /** The port there. */
  readonly port: number;
  /** @default "tcp" */
  readonly protocol?: Protocol;
}

export interface IngressOptions {
  /** The addresses that may connect to the host. */
  readonly from: Peers;
  /** The port of the host. */
  readonly port: number;
  /** @default "tcp" */
  readonly protocol?: Protocol;
}

/** Which way the first packet of an exception goes. */
export type Direction = "in" | "out";

/** What a kind of exception is made of, and what of it a user says. */
interface Shape {
  readonly title: string;
  readonly direction: Direction;
  /** The user's word for the far end; absent when there is nothing to say about it. */
  readonly peers?: "from" | "to" | "resolvers" | "servers";
  /** Without peers, those of the SSH rule are meant. */
  readonly peersOptional?: true;
  /** Whether the user names port and protocol. */
  readonly asks?: true;
  readonly port?: number;
  readonly protocol?: Protocol;
}

const SHAPES: Readonly<Record<ExceptionKind, Shape>> = {
  "dhcp-client": { title: "DHCP client (IPv4)", direction: "out" },
  "dhcpv6-client": { title: "DHCPv6 client", direction: "out" },
  ping: { title: "ping", direction: "in", peers: "from", peersOptional: true },
  dns: { title: "DNS", direction: "out", peers: "resolvers", port: 53 },
  ntp: { title: "NTP", direction: "out", peers: "servers", port: 123, protocol: "udp" },
  syslog: { title: "syslog", direction: "out", peers: "to", asks: true, port: 514, protocol: "udp" },
  egress: { title: "egress", direction: "out", peers: "to", asks: true, protocol: "tcp" },
  ingress: { title: "ingress", direction: "in", peers: "from", asks: true, protocol: "tcp" },
};

export const EXCEPTION_KINDS = Object.keys(SHAPES) as ExceptionKind[];

const PROTOCOLS: readonly Protocol[] = ["tcp", "udp"];

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
  public static make(
    kind: ExceptionKind,
    peers: readonly AllowedSource[] | undefined,
    port: number | undefined,
    protocols: readonly Protocol[],
  ): PolicyException {
    return new PolicyException(kind, peers, port, protocols);
  }

  private constructor(
    public readonly kind: ExceptionKind,
    /** The far end; undefined where the sources of SSH are meant, and for DHCP, whose servers nobody knows. */
    public readonly peers: readonly AllowedSource[] | undefined,
    /** The port of the far end, or for `ingress` the host's own. */
    public readonly port: number | undefined,
    public readonly protocols: readonly Protocol[],
  ) {
    Object.freeze(this);
  }

  public get direction(): Direction {
    return SHAPES[this.kind].direction;
  }

  /** Whether the far end is left to be the sources of SSH. */
  public get followsSources(): boolean {
    return this.peers === undefined && SHAPES[this.kind].peersOptional === true;
  }

  /** The same exception with its far end spelt out, where it is the sources of SSH. */
  public resolvedFor(sources: readonly AllowedSource[]): PolicyException {
    return this.followsSources ? PolicyException.make(this.kind, sources, this.port, this.protocols) : this;
  }

  public uses(family: Family): boolean {
    if (this.kind === "dhcp-client") {
      return family === "ipv4";
    }
    return this.kind === "dhcpv6-client" ? family === "ipv6" : this.peersOf(family).length > 0;
  }

  public peersOf(family: Family): readonly AllowedSource[] {
    return (this.peers ?? []).filter((peer) => peer.family === family);
  }

  /** What passes, without the far end: "syslog: UDP port 514". */
  public get what(): string {
    const { title, asks } = SHAPES[this.kind];
    return asks ? `${title}: ${this.protocols.join("/").toUpperCase()} port ${this.port}` : title;
  }

  /** The far ends in words: "to 192.0.2.7"; of one family only, where asked. */
  public ends(family?: Family): readonly string[] {
    const joint = this.direction === "in" ? "from" : "to";
    if (this.followsSources) {
      return [`${joint} the sources of SSH`];
    }
    return (family === undefined ? (this.peers ?? []) : this.peersOf(family)).map((peer) => `${joint} ${peer}`);
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
  const shape = SHAPES[kind];
  const known = [...(shape.peers === undefined ? [] : [shape.peers]), ...(shape.asks ? ["port", "protocol"] : [])];
  const before = problems.count;
  if (!checkKeys(options, known, problems)) {
    return undefined;
  }
  const peers = parsePeers(shape, options, problems);
  const port = shape.asks ? parseAskedPort(shape, options.port, problems.at("port")) : shape.port;
  const protocols = parseProtocols(shape, options.protocol, problems.at("protocol"));
  return problems.count === before ? PolicyException.make(kind, peers, port, protocols) : undefined;
}

function parsePeers(
  shape: Shape,
  options: Record<string, unknown>,
  problems: Problems,
): readonly AllowedSource[] | undefined {
  if (shape.peers === undefined) {
    return undefined;
  }
  const value = options[shape.peers];
  const place = problems.at(shape.peers);
  if (value === undefined) {
    if (!shape.peersOptional) {
      place.add("", valueMessages.required());
    }
    return undefined;
  }
  if (typeof value === "string" || value instanceof AllowedSource) {
    const source = AllowedSource.parse(value, place);
    return source && normalised([source]);
  }
  return parseSources(value, addressMessages.noPeers(), place);
}

function parseAskedPort(shape: Shape, value: unknown, problems: Problems): number | undefined {
  if (value === undefined && shape.port === undefined) {
    problems.add("", valueMessages.required());
    return undefined;
  }
  return parsePort(value === undefined ? shape.port : value, problems);
}

function parseProtocols(shape: Shape, value: unknown, problems: Problems): readonly Protocol[] {
  if (shape.port === undefined && !shape.asks) {
    return [];
  }
  if (!shape.asks || value === undefined) {
    return shape.protocol === undefined ? PROTOCOLS : [shape.protocol];
  }
  const protocol = parseChoice(value, PROTOCOLS, problems);
  return protocol === undefined ? [] : [protocol];
}
