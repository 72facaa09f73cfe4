/** The rows of the report's tables, for every form that has tables. */
import type { Denied, Direction, Total } from "./evidence";
import type { Login } from "./logins";
import { titles, UNKNOWN } from "./sentences";
import type { Connected, Listener } from "./sockets";
import type { Judged } from "./traffic";
import type { HostUsage, UsageReport } from "./usage-report";
import { type Finding, RULES } from "./verdict-rules";

export type Row = readonly string[];

export const HEADS = {
  denied: ["Way", "Protocol", "Peer", "Port", "Packets", "First", "Last"],
  logins: ["Time", "User", "From", "By"],
  findings: ["Kind", "Rule", "What", "First", "Last"],
} as const;

export const DIRECTION_WORDS: Readonly<Record<Direction, string>> = { in: "in", out: "out", forward: "through" };

/** With its firewall where there are several. */
export function nameOf({ hosts }: UsageReport, { host, firewall }: Pick<HostUsage, "host" | "firewall">): string {
  const several = isOfSeveral.get(hosts) ?? new Set(hosts.flatMap((one) => one.firewall ?? [])).size > 1;
  isOfSeveral.set(hosts, several);
  return several && firewall !== null ? `${firewall}/${host}` : host;
}

/** Asked for each row. */
const isOfSeveral = new WeakMap<UsageReport["hosts"], boolean>();

export const deniedRow = ({ direction, protocol, peer, port, packets, first, last }: Denied): Row => [
  DIRECTION_WORDS[direction],
  protocol,
  peer,
  String(port ?? ""),
  String(packets),
  first ?? UNKNOWN,
  last ?? UNKNOWN,
];

export const totalRow = (total: Total): Row => deniedRow({ ...total, protocol: "all", peer: "", port: null });

export const listenerRow = ({ protocol, address, port, program }: Listener): Row => [
  protocol,
  socket(address, port),
  program ?? "",
];

/** Connections that differ only in the port that one end chose for each are one row. */
export function connectedRows(connected: readonly Connected[]): readonly Row[] {
  const groups = new Map<string, Connected[]>();
  for (const one of connected) {
    const own = one.direction === "in" ? one.port : one.peerPort;
    const key = JSON.stringify([one.direction, one.protocol, one.address, one.peer, own, one.state, one.program]);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()].flatMap((of) => of.slice(0, 1).map((one) => connectedRow(one, of.length)));
}

const connectedRow = (one: Connected, times: number): Row => [
  one.direction,
  one.protocol,
  times > 1 && one.direction === "out" ? socket(one.address, "*") : socket(one.address, one.port),
  times > 1 && one.direction === "in" ? socket(one.peer, "*") : socket(one.peer, one.peerPort),
  times > 1 ? `${one.state} (${times} times)` : one.state,
  one.program ?? "",
];

/** Which lock or observation the baseline is of. */
export const firstOf = ({ baseline, observations, state }: HostUsage): string =>
  titles.first(baseline.at, state === "observed" && observations.length === 0 ? null : observations[0]?.from);

export const loginRow = ({ at, logged, user, from, by, key }: Login): Row => [
  at ?? logged,
  user,
  from,
  key ?? by ?? "",
];

export const findingRow = ({ rule, kind, text, first, last }: Finding): Row => [
  kind,
  rule,
  text,
  first ?? "",
  last ?? "",
];

/** Rows of what decides, or may, and how many others there are. */
export function folded(row: HostUsage): { readonly shown: readonly Judged[]; readonly others: readonly Judged[] } {
  const decides = ({ rule }: Judged): boolean => ["use", "doubt"].includes(RULES[rule].kind);
  return { shown: row.denied.filter(decides), others: row.denied.filter((one) => !decides(one)) };
}

/** Port 0 stands for any. */
function socket(address: string, port: number | "*"): string {
  return `${address.includes(":") ? `[${address}]` : address}:${port === 0 ? "*" : port}`;
}
