/** What was found, as one value that every form of output is made from. Its texts are safe to print. */
import type { Host } from "../state/hosts";
import { type Condition, judge } from "../status/judge";
import { plain } from "../output/plain";
import type { Reply } from "./ask";
import type { Login } from "./logins";
import { type Manner, messages } from "./messages";
import {
  type Denied,
  DIRECTIONS,
  type Direction,
  type Gap,
  type LoginSource,
  type Observation,
  type Told,
  type Total,
} from "./parse";
import type { Sockets } from "./sockets";
import { utc, utcOfIso, utcOfSeconds } from "./time";

export interface UsageReport {
  /** Of this form; a change that breaks its readers makes it 2. */
  readonly version: 1;
  readonly at: string | null;
  readonly asked: number;
  readonly notAsked: number;
  /** How many were asked, and are not what the state says. */
  readonly disagree: number;
  readonly hosts: readonly HostUsage[];
}

export interface HostUsage {
  readonly host: string;
  readonly firewall: string | null;
  readonly address: string | null;
  /** Whether it could be asked; `verdict` says why not. */
  readonly asked: boolean;
  readonly state: "open" | "pending" | "locked" | "observed" | null;
  /** What it is, in the words of `status --live`; null when it was not asked. */
  readonly condition: Condition | null;
  /** Whether that is what the state says. */
  readonly agrees: boolean;
  /**
   * Since when it has been locked or observed, without a time between in which its rules are known to have been gone: the end
   * of the last of `gaps`, else the first lock. A host that goes back to open by itself begins anew with the next lock.
   */
  readonly since: string | null;
  /** Since when it counts: the first lock. */
  readonly counted: string | null;
  /** The last times in which its rules were gone, of `gapCount`: what came then was not counted. */
  readonly gaps: readonly Gap[];
  readonly gapCount: number;
  /** The times in which it only observed: what came then was let pass. */
  readonly observations: readonly Observation[];
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
  /** With iptables, whom the kernel's log names: so many a minute, and as far back as the log reaches. Part of `totals`. */
  readonly sampled: readonly Denied[];
  readonly baseline: { readonly at: string | null } & Sockets;
  readonly logins: readonly Login[];
  /** What they come from, and how many each has, of which the last are listed. */
  readonly loginSources: readonly LoginSource[];
  readonly otherLogins: readonly string[];
  readonly unread: readonly string[];
}

const NOTHING: Told = {
  host: {},
  gaps: [],
  gapCount: 0,
  observations: [],
  sources: [],
  denied: [],
  totals: [],
  sampled: [],
  sockets: { listening: [], connected: [], other: [] },
  logins: [],
  otherLogins: [],
  unread: [],
};
const NOT_KNOCKED = { kind: "skipped", why: "" } as const;
const UNKNOWN = { condition: null, agrees: false, details: [] } as const;
/** A clock that is as far off is worth a word. */
const ODD_SECONDS = 120;

export function reportOf(hosts: readonly Host[], replies: readonly Reply[], nowMs: number): UsageReport {
  const rows = hosts.map((host, index) => usageOf(host, replies[index], nowMs));
  const asked = rows.filter((row) => row.asked).length;
  const disagree = rows.filter((row) => row.asked && !row.agrees).length;
  return { version: 1, at: utc(nowMs), asked, notAsked: rows.length - asked, disagree, hosts: rows };
}

function usageOf(host: Host, reply: Reply, nowMs: number): HostUsage {
  const told = (reply.kind === "told" ? reply.told : undefined) ?? NOTHING;
  const { denied, totals, sampled, sockets, logins, otherLogins, unread } = told;
  const state = reply.kind === "told" ? reply.state.state : null;
  const port = Number(told.host.port);
  const at = utcOfIso(told.host.baseline_at ?? "");
  const lockedAt = utcOfIso(told.host.locked_at ?? "");
  const counted = state === "open" ? null : (at ?? lockedAt);
  const since = state === "open" ? null : (told.gaps.at(-1)?.until ?? counted);
  const { condition, agrees, details } = reply.kind === "told" ? judge(host, reply.state, NOT_KNOCKED) : UNKNOWN;
  const manner = mannerOf(state, told);
  return {
    host: plain(host.key),
    firewall: host.firewall === "" ? null : plain(host.firewall),
    address: host.address === undefined ? null : plain(host.address),
    asked: reply.kind === "told",
    state,
    condition,
    agrees,
    since,
    counted,
    gaps: told.gaps,
    gapCount: told.gapCount,
    observations: told.observations,
    lockedAt,
    backend: told.host.backend || null,
    sshPort: Number.isInteger(port) && port > 0 && port < 65536 ? port : null,
    now: utcOfSeconds(told.host.now ?? ""),
    verdict: [
      ...(condition === null || agrees || saysItself(host, reply)
        ? []
        : [messages.disagrees(condition, details.map(plain).join("; "))]),
      verdictOf(reply, told, since, manner),
    ].join(" "),
    notes: reply.kind === "told" && reply.told !== undefined ? notesOf(reply.state, told, since, nowMs) : [],
    denied: [...denied].sort(latestFirst),
    sampled: [...sampled].sort(latestFirst),
    totals: [...totals].sort((a, b) => DIRECTIONS.indexOf(a.direction) - DIRECTIONS.indexOf(b.direction)),
    baseline: { at, ...sockets },
    logins: [...logins].sort((a, b) => compare(b.at ?? "", a.at ?? "")),
    loginSources: told.sources,
    otherLogins,
    unread,
  };
}

/** Whether the rest of the report tells already what differs from the state: that it is open, that its own lock is pending, or that
 * its live rules are others. */
function saysItself(host: Host, reply: Reply): boolean {
  if (reply.kind !== "told") {
    return true;
  }
  const { state, rules, owner } = reply.state;
  return state === "open" || (owner === host.owner && (state === "pending" || rules !== "matches"));
}

/** How what came was met in the time that is counted. */
export function mannerOf(state: HostUsage["state"], { observations }: Pick<Told, "observations">): Manner {
  return state === "observed" ? "observed" : observations.length > 0 ? "both" : "denied";
}

function verdictOf(reply: Reply, told: Told, since: string | null, manner: Manner): string {
  if (reply.kind === "not asked") {
    return messages.notAsked(reply.why);
  }
  if (reply.told === undefined || reply.state.state === "open") {
    return messages.open();
  }
  const said = DIRECTIONS.flatMap((direction) => {
    const ends = told.denied.filter((one) => one.direction === direction);
    if (ends.length > 0 && direction !== "forward") {
      const peers = new Set(ends.map(({ peer }) => peer)).size;
      return [messages[direction === "in" ? "peers" : "addresses"](peers, manner, lastOf(ends))];
    }
    const sum = told.totals.filter((one) => one.direction === direction);
    return sum.length === 0 ? [] : [messages.sum(direction, packetsOf(sum), manner, lastOf(sum))];
  });
  const before = manner === "denied" ? 0 : openBefore(told);
  return [
    ...(said.length > 0 ? said : [messages.nobody(since, reply.state.rules === "matches")]),
    ...(before === 0 ? [] : [messages.openBefore(before)]),
  ].join(" ");
}

/** TCP that was open before the first lock, but for SSH and within the host. Where all passes, only openings are counted. */
function openBefore({ sockets, host }: Told): number {
  return sockets.connected.filter(
    ({ protocol, state, address, peer, port, direction }) =>
      protocol === "tcp" &&
      state === "established" &&
      peer !== address &&
      !/^(::ffff:)?127\.|^::1$/.test(peer) &&
      !(direction === "in" && String(port) === host.port),
  ).length;
}

type State = Extract<Reply, { kind: "told" }>["state"];

function notesOf(state: State, told: Told, since: string | null, nowMs: number): string[] {
  const onlySums = told.host.backend === "iptables";
  const skew = Number(told.host.now) - Math.round(nowMs / 1000);
  const more = onlySums ? [] : told.totals.map((total) => [total.direction, unremembered(told, total)] as const);
  return [
    ...(state.state === "observed" ? [messages.observed(onlySums)] : []),
    ...told.observations
      .filter(({ until }) => until !== null)
      .map(({ from, until }) => messages.wasObserved(from, until as string)),
    ...(told.gaps.length === 0 ? [] : [messages.gaps(told.gapCount, told.gaps)]),
    ...(state.state === "pending" ? [messages.pending()] : []),
    ...(state.rules === "drifted" || state.rules === "unrecorded" ? [messages.drifted()] : []),
    ...(onlySums ? [messages.onlySums(), messages.sample(told.host.logged || null)] : []),
    ...more
      .filter(([, packets]) => packets > 0)
      .map(([direction, packets]) => messages.unremembered(direction, packets)),
    ...(told.denied.some(({ direction }) => direction === "in") ? [messages.multicast()] : []),
    ...(Math.abs(skew) > ODD_SECONDS ? [messages.otherTime(skew)] : []),
    ...(told.denied.some(({ first }) => first === null) || told.totals.some(({ first }) => first === null)
      ? [messages.noFirst()]
      : []),
    ...(told.sockets.other.length > 0 ? [messages.otherSockets(told.sockets.other.length)] : []),
    ...(told.logins.length === 0 ? [messages.noLogins()] : []),
    ...told.sources.map((source) => messages.loginSource(source, since)),
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

const latestFirst = (a: Denied, b: Denied): number =>
  DIRECTIONS.indexOf(a.direction) - DIRECTIONS.indexOf(b.direction) || compare(b.last ?? "", a.last ?? "");

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

/** What people call each direction. */
export const DIRECTION_WORDS: Readonly<Record<Direction, string>> = { in: "in", out: "out", forward: "through" };
