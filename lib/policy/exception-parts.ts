/** The options of an exception, checked: the shape of its kind lists which there are. */
import { checkKeys } from "../input/keys";
import type { Problems } from "../input/problems";
import { valueMessages } from "../input/value-messages";
import { parseChoice, parsePort } from "../input/values";
import { addressMessages } from "./address-messages";
import type { Protocol } from "./exception-options";
import { IPV4_ONLY, parseIpProtocol } from "./ip-protocol";
import { policyMessages } from "./policy-messages";
import { AllowedSource } from "./source";
import { normalised, parseGroups, parseSources } from "./sources";

/** Which way the first packet of an exception goes; both, where either end may begin. */
export type Direction = "in" | "out" | "both";

/** What a kind of exception is made of, and what of it a user says. */
export interface Shape {
  readonly title: string;
  readonly direction: Direction;
  /** The user's word for the far end; absent when there is nothing to say about it. */
  readonly peers?: "from" | "to" | "resolvers" | "servers" | "peers";
  /** Without peers: those of the SSH rule are meant, or whoever sends to a group. */
  readonly without?: "sources" | "group";
  /** What else the user names. */
  readonly asks?: ReadonlyArray<"port" | "protocol" | "group">;
  readonly port?: number;
  readonly protocol?: Protocol;
}

/** What makes an exception besides its kind. */
export interface Parts {
  readonly peers: readonly AllowedSource[] | undefined;
  readonly port: number | undefined;
  readonly protocols: readonly Protocol[];
  readonly ipProtocol?: number | undefined;
  readonly groups?: readonly AllowedSource[];
}

const PROTOCOLS: readonly Protocol[] = ["tcp", "udp"];

/** The options that a kind of this shape has, or undefined after adding what is wrong with them. */
export function parseParts(shape: Shape, options: unknown, problems: Problems): Parts | undefined {
  const { asks = [] } = shape;
  const before = problems.count;
  if (!checkKeys(options, [...(shape.peers === undefined ? [] : [shape.peers]), ...asks], problems)) {
    return undefined;
  }
  const peers = parsePeers(shape, options, problems);
  const parts: Parts = {
    peers,
    port: asks.includes("port") ? parseAskedPort(shape, options.port, problems.at("port")) : shape.port,
    ...(asks.includes("group")
      ? parseWithoutPorts(options, peers, problems)
      : { protocols: parseProtocols(shape, options.protocol, problems.at("protocol")) }),
  };
  return problems.count === before ? parts : undefined;
}

/** What a protocol without ports has in the place of ports. */
function parseWithoutPorts(
  { protocol, peers: given, group }: Record<string, unknown>,
  peers: readonly AllowedSource[] | undefined,
  problems: Problems,
): Pick<Parts, "protocols" | "ipProtocol" | "groups"> {
  const place = problems.at("protocol");
  if (protocol === undefined) {
    place.add("", valueMessages.required());
  }
  const ipProtocol = protocol === undefined ? undefined : parseIpProtocol(protocol, place);
  if (group === undefined && given === undefined) {
    problems.add("", policyMessages.noFarEnd());
  }
  const groups = group === undefined ? undefined : parseGroups(group, problems.at("group"));
  const isHeader = ipProtocol !== undefined && IPV4_ONLY.includes(ipProtocol);
  if (isHeader && [...(peers ?? []), ...(groups ?? [])].some(({ family }) => family === "ipv6")) {
    place.add("", policyMessages.headerInIpv6());
  }
  return { protocols: [], ipProtocol, ...(groups && { groups }) };
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
    if (shape.without === undefined) {
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
  if (shape.port === undefined && shape.asks === undefined) {
    return [];
  }
  if (value === undefined) {
    return shape.protocol === undefined ? PROTOCOLS : [shape.protocol];
  }
  const protocol = parseChoice(value, PROTOCOLS, problems);
  return protocol === undefined ? [] : [protocol];
}
