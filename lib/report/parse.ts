/**
 * What the host program's report prints, as values. A host may send whatever it likes: what makes no sense is kept as text,
 * and no text has anything in it that a terminal or a browser would obey.
 */
import { plain } from "../status/text";
import { type Login, loginOf } from "./logins";
import { type Sockets, socketsIn } from "./sockets";
import { utcOfSeconds } from "./time";

export interface Denied {
  readonly direction: Direction;
  /** A name, or `protocol N`. */
  readonly protocol: string;
  readonly peer: string;
  /** Null where the protocol has none. */
  readonly port: number | null;
  readonly packets: number;
  readonly first: string | null;
  readonly last: string | null;
}

/** All that was denied in a direction, whoever sent it. */
export type Total = Pick<Denied, "packets" | "first" | "last"> & { readonly direction: Direction };

export const DIRECTIONS = ["in", "out", "forward"] as const;
export type Direction = (typeof DIRECTIONS)[number];

export interface Told {
  /** The lines NAME=VALUE of the host itself. */
  readonly host: Readonly<Record<string, string>>;
  readonly denied: readonly Denied[];
  readonly totals: readonly Total[];
  readonly sockets: Sockets;
  readonly logins: readonly Login[];
  /** Lines of logs that are no login over SSH, as they stand. */
  readonly otherLogins: readonly string[];
  /** Lines that make no sense here, as they stand. */
  readonly unread: readonly string[];
}

const SECTIONS = ["host", "denied", "sockets", "logins"] as const;
type Section = (typeof SECTIONS)[number];

const PROTOCOLS: Readonly<Record<string, string>> = {
  "1": "icmp",
  "2": "igmp",
  "6": "tcp",
  "17": "udp",
  "41": "ipv6",
  "47": "gre",
  "50": "esp",
  "51": "ah",
  "58": "icmpv6",
  "89": "ospf",
  "103": "pim",
  "112": "vrrp",
  "132": "sctp",
};

export function parseReport(text: string): Told {
  const { sections, before } = split(text);
  const unread = [...before];
  const host: Record<string, string> = {};
  for (const line of sections.host) {
    const [, name, value] = /^([a-z_]{1,30})=(.*)$/.exec(line) ?? [];
    if (name === undefined) {
      unread.push(plain(line));
    } else {
      host[name] = plain(value);
    }
  }
  const denied: Denied[] = [];
  const totals: Total[] = [];
  for (const line of sections.denied) {
    const one = deniedOf(line);
    if (one === undefined) {
      unread.push(plain(line));
    } else if ("peer" in one) {
      denied.push(one);
    } else {
      totals.push(one);
    }
  }
  const logins = sections.logins.map((line) => loginOf(line) ?? plain(line));
  return {
    host,
    denied,
    totals,
    sockets: socketsIn(sections.sockets),
    logins: logins.filter((one): one is Login => typeof one !== "string"),
    otherLogins: logins.filter((one): one is string => typeof one === "string"),
    unread,
  };
}

/** Each section once, and in this order: what else looks like one is a line of the section it is in. */
function split(text: string): { sections: Record<Section, string[]>; before: string[] } {
  const sections: Record<Section, string[]> = { host: [], denied: [], sockets: [], logins: [] };
  const before: string[] = [];
  let current: Section | undefined;
  for (const line of text.split(/\r?\n/)) {
    const next = SECTIONS.find((name) => line === `== ${name}`);
    if (next !== undefined && SECTIONS.indexOf(next) > SECTIONS.indexOf(current as Section)) {
      current = next;
    } else if (line.trim() !== "") {
      (current === undefined ? before : sections[current]).push(current === undefined ? plain(line) : line);
    }
  }
  return { sections, before };
}

function deniedOf(line: string): Denied | Total | undefined {
  const words = line.trim().split(/\s+/);
  const [where, protocol, peer, port, count, from, to] = words;
  const direction = DIRECTIONS.find((one) => one === where);
  if (words.length !== 7 || direction === undefined || !isCount(count) || Number(count) === 0) {
    return undefined;
  }
  const seen = { packets: Number(count), first: utcOfSeconds(from), last: utcOfSeconds(to) };
  if (protocol === "all") {
    return { direction, ...seen };
  }
  if (!/^\d{1,3}$/.test(protocol) || !/^[0-9A-Fa-f.:]{2,45}$/.test(peer) || !/^(-|\d{1,5})$/.test(port)) {
    return undefined;
  }
  const name = PROTOCOLS[String(Number(protocol))] ?? `protocol ${Number(protocol)}`;
  return { direction, protocol: name, peer, port: port === "-" ? null : Number(port), ...seen };
}

const isCount = (text: string): boolean => /^\d{1,15}$/.test(text);
