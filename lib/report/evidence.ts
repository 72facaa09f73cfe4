/**
 * The evidence that a host prints, as values. A host may send whatever it likes: what makes no sense is kept as text, and no text
 * has anything in it that a terminal or a browser would obey.
 */
import { plain } from "../output/text";
import { beginningOf, type Login, loginOf } from "./logins";
import { type Sockets, socketsIn } from "./sockets";
import { utcOfIso, utcOfSeconds } from "./time";

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

/** A time in which the rules were gone, or not what they should have been. */
export interface Gap {
  /** The rules were there then, for the last time; null where nobody knows. */
  readonly from: string | null;
  readonly until: string | null;
}

/** A time in which nothing was denied. */
export interface Observation {
  readonly from: string | null;
  /** Null as long as it goes on. */
  readonly until: string | null;
}

/** Where logins come from. */
export interface LoginSource {
  /** `journal`, `auth.log`, `secure` or `last`. */
  readonly name: string;
  /** How many it has, of which the last are listed. */
  readonly all: number;
  /** When it begins, in its own words; null where that is not known. */
  readonly begins: string | null;
}

/** A session in which this program ran. */
export interface OwnSession {
  readonly at: string | null;
  readonly from: string;
  readonly fromPort: number;
}

/** What `status --live` announced: two packets to each port, from there, within seconds. */
export interface Probe {
  readonly at: string | null;
  readonly from: string;
  readonly ports: readonly number[];
}

export interface Evidence {
  /** The lines NAME=VALUE of the host itself. */
  readonly host: Readonly<Record<string, string>>;
  /** The last of them; `gapCount` is how many there were. */
  readonly gaps: readonly Gap[];
  readonly gapCount: number;
  readonly observations: readonly Observation[];
  readonly sessions: readonly OwnSession[];
  readonly probes: readonly Probe[];
  readonly sources: readonly LoginSource[];
  readonly denied: readonly Denied[];
  readonly totals: readonly Total[];
  /** Of those that were denied, whom the kernel's log names: a sample. */
  readonly sampled: readonly Denied[];
  readonly sockets: Sockets;
  readonly logins: readonly Login[];
  /** Lines of logs that are no login over SSH, as they stand. */
  readonly otherLogins: readonly string[];
  /** Lines that make no sense here, as they stand. */
  readonly unread: readonly string[];
}

const SECTIONS = ["host", "denied", "sockets", "logins", "sources", "sampled"] as const;
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

export function parseEvidence(text: string): Evidence {
  const { sections, before } = split(text);
  const denied = parsed(sections.denied, deniedOf);
  const sampled = parsed(sections.sampled, (line) => {
    const one = deniedOf(line);
    return one !== undefined && "peer" in one ? one : undefined;
  });
  const sources = parsed(sections.sources, sourceOf);
  const logins = parsed(once(sections.logins), loginOf);
  const { unread, ...host } = hostLines(sections.host);
  return {
    ...host,
    sources: sources.values,
    denied: denied.values.filter((one): one is Denied => "peer" in one),
    totals: denied.values.filter((one) => !("peer" in one)),
    sampled: sampled.values,
    sockets: socketsIn(sections.sockets),
    logins: logins.values,
    otherLogins: logins.others,
    unread: [...before, ...unread, ...denied.others, ...sampled.others, ...sources.others],
  };
}

/** The lines that make sense, as values, and the others, as text that is safe to print. */
function parsed<T>(
  lines: readonly string[],
  parse: (line: string) => T | undefined,
): { values: T[]; others: string[] } {
  const values: T[] = [];
  const others: string[] = [];
  for (const line of lines) {
    const value = parse(line);
    if (value === undefined) {
      others.push(plain(line));
    } else {
      values.push(value);
    }
  }
  return { values, others };
}

type HostLines = Pick<Evidence, "host" | "gaps" | "gapCount" | "observations" | "unread" | "sessions" | "probes">;

function hostLines(lines: readonly string[]): HostLines {
  const host: Record<string, string> = {};
  const gaps: Gap[] = [];
  let gapCount = 0;
  const observations: Observation[] = [];
  const unread: string[] = [];
  const sessions = parsed(named(lines, "session"), sessionOf);
  const probes = parsed(named(lines, "probe"), probeOf);
  for (const line of lines.filter((one) => !/^(session|probe)=/.test(one))) {
    const [, name, value = ""] = /^([a-z_]{1,30})=(.*)$/.exec(line) ?? [];
    const [, number, from = "", until = ""] = /^gap=(\d{1,9}) (-|\d{1,12}) (\d{1,12})$/.exec(line) ?? [];
    const [, mode, begins = ""] = /^mode_from=(observe|enforce) (\d{1,12})$/.exec(line) ?? [];
    if (number !== undefined) {
      gaps.push({ from: utcOfSeconds(from), until: utcOfSeconds(until) });
      gapCount = Number(number);
    } else if (mode === "observe") {
      observations.push({ from: utcOfSeconds(begins), until: null });
    } else if (mode === "enforce") {
      observations.push({ from: observations.pop()?.from ?? null, until: utcOfSeconds(begins) });
    } else if (name === undefined || name === "gap" || name === "mode_from") {
      unread.push(plain(line));
    } else {
      host[name] = plain(value);
    }
  }
  const others = [...unread, ...sessions.others, ...probes.others];
  return { host, gaps, gapCount, observations, unread: others, sessions: sessions.values, probes: probes.values };
}

const named = (lines: readonly string[], name: string): readonly string[] =>
  lines.filter((line) => line.startsWith(`${name}=`));

function sessionOf(line: string): OwnSession | undefined {
  const [, at = "", from = "", port] = /^session=(\d{1,12}) ([0-9A-Fa-f.:]{2,45}) (\d{1,5})$/.exec(line) ?? [];
  return port === undefined ? undefined : { at: utcOfSeconds(at), from, fromPort: Number(port) };
}

function probeOf(line: string): Probe | undefined {
  const [, at = "", from = "", ports] =
    /^probe=(\d{1,12}) ([0-9A-Fa-f.:]{2,45}) (\d{1,5}(?:,\d{1,5}){0,99})$/.exec(line) ?? [];
  return ports === undefined ? undefined : { at: utcOfSeconds(at), from, ports: ports.split(",").map(Number) };
}

function sourceOf(line: string): LoginSource | undefined {
  const [, name, all, begins = ""] = /^([a-z.]{1,20}) (\d{1,15}) (.*)$/.exec(line) ?? [];
  return name === undefined ? undefined : { name, all: Number(all), begins: beginningOf(begins) };
}

/** The journal and auth.log may both have a login: what sshd logged is the same then, with the number of its process. */
function once(lines: readonly string[]): readonly string[] {
  const seen = new Map<string, Set<string | null>>();
  return lines.filter((line) => {
    const login = / sshd(?:-session)?(\[\d+\]: Accepted .*)$/.exec(line)?.[1];
    if (login === undefined) {
      return true;
    }
    // A process, an address and a port come again, at another time.
    const at = utcOfIso(/^\S+/.exec(line)?.[0] ?? "");
    const times = seen.get(login) ?? new Set();
    const isNew = times.size === 0 || (at !== null && !times.has(at) && !times.has(null));
    seen.set(login, times.add(at));
    return isNew;
  });
}

/** Each section once, and in this order: what else looks like one is a line of the section it is in. */
function split(text: string): { sections: Record<Section, string[]>; before: string[] } {
  const sections: Record<Section, string[]> = {
    host: [],
    denied: [],
    sockets: [],
    logins: [],
    sources: [],
    sampled: [],
  };
  const before: string[] = [];
  let current: Section | undefined;
  for (const line of text.split(/\r?\n/)) {
    const next = SECTIONS.find((name) => line === `== ${name}`);
    if (next !== undefined && (current === undefined || SECTIONS.indexOf(next) > SECTIONS.indexOf(current))) {
      current = next;
    } else if (line.trim() !== "") {
      // In these sections a host marks each line, so that nothing in it is taken for the beginning of one.
      const isMarked = current === "sockets" || current === "logins";
      const unmarked = isMarked ? line.replace(/^\| /, "") : line;
      (current === undefined ? before : sections[current]).push(current === undefined ? plain(line) : unmarked);
    }
  }
  return { sections, before };
}

const DENIED =
  /^\s*(?<where>\S+)\s+(?<protocol>\S+)\s+(?<peer>\S+)\s+(?<port>\S+)\s+(?<packets>\d{1,15})\s+(?<from>\S+)\s+(?<to>\S+)\s*$/;

function deniedOf(line: string): Denied | Total | undefined {
  const { where, protocol = "", peer = "", port = "", packets, from = "", to = "" } = DENIED.exec(line)?.groups ?? {};
  const direction = DIRECTIONS.find((one) => one === where);
  if (direction === undefined || Number(packets) === 0) {
    return undefined;
  }
  const seen = { packets: Number(packets), first: utcOfSeconds(from), last: utcOfSeconds(to) };
  if (protocol === "all") {
    return { direction, ...seen };
  }
  if (!/^\d{1,3}$/.test(protocol) || !/^[0-9A-Fa-f.:]{2,45}$/.test(peer) || !/^(-|\d{1,5})$/.test(port)) {
    return undefined;
  }
  const name = PROTOCOLS[String(Number(protocol))] ?? `protocol ${Number(protocol)}`;
  return { direction, protocol: name, peer, port: port === "-" ? null : Number(port), ...seen };
}
