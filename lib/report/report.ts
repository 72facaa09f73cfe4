/** What was found, as one value that every form of output is made from. Its texts are safe to print. */
import type { Host } from "../status/hosts";
import { plain } from "../status/text";
import type { Reply } from "./ask";
import type { Login } from "./logins";
import { messages } from "./messages";
import { type Denied, DIRECTIONS, type Direction, type Told, type Total } from "./parse";
import type { Sockets } from "./sockets";
import { utc, utcOfIso, utcOfSeconds } from "./time";

export interface UsageReport {
  /** Of this form; a change that breaks its readers makes it 2. */
  readonly version: 1;
  readonly at: string | null;
  readonly asked: number;
  readonly notAsked: number;
  readonly hosts: readonly HostUsage[];
}

export interface HostUsage {
  readonly host: string;
  readonly firewall: string | null;
  readonly address: string | null;
  /** Whether it could be asked; `verdict` says why not. */
  readonly asked: boolean;
  readonly state: "open" | "pending" | "locked" | "observed" | null;
  /** Since when it has been locked or observed, without a time between in which it was open. */
  readonly since: string | null;
  /** When the ruleset came that it has now. */
  readonly lockedAt: string | null;
  readonly backend: string | null;
  readonly sshPort: number | null;
  /** The host's own clock; its times go by that. */
  readonly now: string | null;
  readonly verdict: string;
  readonly notes: readonly string[];
  readonly denied: readonly Denied[];
  readonly totals: readonly Total[];
  readonly baseline: { readonly at: string | null } & Sockets;
  readonly logins: readonly Login[];
  readonly otherLogins: readonly string[];
  readonly unread: readonly string[];
}

const NOTHING: Told = {
  host: {},
  denied: [],
  totals: [],
  sockets: { listening: [], connected: [], other: [] },
  logins: [],
  otherLogins: [],
  unread: [],
};
/** A clock that is as far off is worth a word. */
const ODD_SECONDS = 120;

export function reportOf(hosts: readonly Host[], replies: readonly Reply[], nowMs: number): UsageReport {
  const rows = hosts.map((host, index) => usageOf(host, replies[index], nowMs));
  const asked = rows.filter((row) => row.asked).length;
  return { version: 1, at: utc(nowMs), asked, notAsked: rows.length - asked, hosts: rows };
}

function usageOf(host: Host, reply: Reply, nowMs: number): HostUsage {
  const told = (reply.kind === "told" ? reply.told : undefined) ?? NOTHING;
  const { denied, totals, sockets, logins, otherLogins, unread } = told;
  const state = reply.kind === "told" ? reply.state.state : null;
  const port = Number(told.host.port);
  const at = utcOfIso(told.host.baseline_at ?? "");
  const lockedAt = utcOfIso(told.host.locked_at ?? "");
  const since = state === "open" ? null : (at ?? lockedAt);
  return {
    host: plain(host.key),
    firewall: host.firewall === "" ? null : plain(host.firewall),
    address: host.address === undefined ? null : plain(host.address),
    asked: reply.kind === "told",
    state,
    since,
    lockedAt,
    backend: told.host.backend || null,
    sshPort: Number.isInteger(port) && port > 0 && port < 65536 ? port : null,
    now: utcOfSeconds(told.host.now ?? ""),
    verdict: verdictOf(reply, told, since),
    notes: reply.kind === "told" && reply.told !== undefined ? notesOf(reply.state, told, nowMs) : [],
    denied: [...denied].sort(
      (a, b) =>
        DIRECTIONS.indexOf(a.direction) - DIRECTIONS.indexOf(b.direction) || compare(b.last ?? "", a.last ?? ""),
    ),
    totals: [...totals].sort((a, b) => DIRECTIONS.indexOf(a.direction) - DIRECTIONS.indexOf(b.direction)),
    baseline: { at, ...sockets },
    logins: [...logins].sort((a, b) => compare(b.at ?? "", a.at ?? "")),
    otherLogins,
    unread,
  };
}

function verdictOf(reply: Reply, told: Told, since: string | null): string {
  if (reply.kind === "not asked") {
    return messages.notAsked(reply.why);
  }
  if (reply.told === undefined || reply.state.state === "open") {
    return messages.open();
  }
  const observed = reply.state.state === "observed";
  const said = DIRECTIONS.flatMap((direction) => {
    const ends = told.denied.filter((one) => one.direction === direction);
    if (ends.length > 0 && direction !== "forward") {
      const peers = new Set(ends.map(({ peer }) => peer)).size;
      return [messages[direction === "in" ? "peers" : "addresses"](peers, observed, lastOf(ends))];
    }
    const sum = told.totals.filter((one) => one.direction === direction);
    return sum.length === 0 ? [] : [messages.sum(direction, packetsOf(sum), observed, lastOf(sum))];
  });
  if (said.length > 0) {
    return said.join(" ");
  }
  return messages.nobody(since, reply.state.rules === "matches");
}

function notesOf(state: Extract<Reply, { kind: "told" }>["state"], told: Told, nowMs: number): string[] {
  const onlySums = told.host.backend === "iptables";
  const skew = Number(told.host.now) - Math.round(nowMs / 1000);
  const more = onlySums ? [] : told.totals.map((total) => [total.direction, unremembered(told, total)] as const);
  return [
    ...(state.state === "observed" ? [messages.observed()] : []),
    ...(state.state === "pending" ? [messages.pending()] : []),
    ...(state.rules === "drifted" || state.rules === "unrecorded" ? [messages.drifted()] : []),
    ...(onlySums ? [messages.onlySums()] : []),
    ...more
      .filter(([, packets]) => packets > 0)
      .map(([direction, packets]) => messages.unremembered(direction, packets)),
    ...(told.denied.some(({ direction }) => direction === "in") ? [messages.multicast()] : []),
    ...(Math.abs(skew) > ODD_SECONDS ? [messages.otherTime(skew)] : []),
    ...(told.logins.length === 0 ? [messages.noLogins()] : []),
    ...(told.logins.some(({ at }) => at === null) ? [messages.noYear()] : []),
    ...(told.unread.length > 0 ? [messages.unread(told.unread.length)] : []),
  ];
}

/** What passes through has no peers in any case. */
function unremembered(told: Told, { direction, packets }: Total): number {
  const ends = told.denied.filter((one) => one.direction === direction);
  return direction === "forward" ? 0 : packets - packetsOf(ends);
}

const packetsOf = (some: ReadonlyArray<{ readonly packets: number }>): number =>
  some.reduce((sum, { packets }) => sum + packets, 0);

function lastOf(some: ReadonlyArray<{ readonly last: string | null }>): string {
  const times = some.flatMap(({ last }) => (last === null ? [] : [last])).sort();
  return times.at(-1) ?? "a day unknown";
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

/** What people call each direction. */
export const DIRECTION_WORDS: Readonly<Record<Direction, string>> = { in: "in", out: "out", forward: "through" };
