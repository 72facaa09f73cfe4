/** The rows of the report's tables, for every form that has tables. */
import type { Denied, Direction, Total } from "./evidence";
import type { Login } from "./logins";
import { UNKNOWN } from "./sentences";
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

export const connectedRow = (one: Connected): Row => [
  one.direction,
  one.protocol,
  socket(one.address, one.port),
  socket(one.peer, one.peerPort),
  one.state,
  one.program ?? "",
];

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
function socket(address: string, port: number): string {
  return `${address.includes(":") ? `[${address}]` : address}:${port === 0 ? "*" : port}`;
}
