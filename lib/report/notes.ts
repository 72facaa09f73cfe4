/** What must be known to read the report on a host. */
import type { Answered } from "../ssh/answer";
import type { Evidence, Total } from "./evidence";
import { notes } from "./sentences";

/** A clock that is off by more than this is mentioned. */
const ODD_SECONDS = 120;

export function notesOf(status: Answered, evidence: Evidence, since: string | null, nowMs: number): string[] {
  const { denied, totals, sockets, gaps, gapCount, host, unread } = evidence;
  const onlySums = host.backend === "iptables";
  const skew = Number(host.now) - Math.round(nowMs / 1000);
  const isFirstUnknown = [...denied, ...totals].some(({ first }) => first === null);
  return [
    ...observationNotes(status, evidence),
    ...(gaps.length === 0 ? [] : [notes.gaps(gapCount, gaps)]),
    ...(status.state === "pending" ? [notes.pending] : []),
    ...(status.rules === "drifted" || status.rules === "unrecorded" ? [notes.drifted] : []),
    ...(onlySums ? [notes.onlySums, notes.sample(host.logged || null)] : unrecordedNotes(evidence)),
    ...(denied.some(({ direction }) => direction === "in") ? [notes.multicast] : []),
    ...(Math.abs(skew) > ODD_SECONDS ? [notes.otherTime(skew)] : []),
    ...(isFirstUnknown ? [notes.noFirst] : []),
    ...(sockets.other.length > 0 ? [notes.otherSockets(sockets.other.length)] : []),
    ...loginNotes(evidence, since),
    ...(unread.length > 0 ? [notes.unread(unread.length)] : []),
  ];
}

function observationNotes({ state }: Answered, { host, observations }: Evidence): string[] {
  return [
    ...(state === "observed" ? [notes.observed(host.backend === "iptables")] : []),
    ...observations.flatMap(({ from, until }) => (until === null ? [] : [notes.wasObserved(from, until)])),
  ];
}

/** Forwarded packets have no peers in any case. */
function unrecordedNotes({ denied, totals }: Evidence): string[] {
  const recorded = (direction: Total["direction"]): number =>
    denied.filter((one) => one.direction === direction).reduce((sum, { packets }) => sum + packets, 0);
  return totals
    .filter(({ direction }) => direction !== "forward")
    .map(({ direction, packets }) => ({ direction, packets: packets - recorded(direction) }))
    .filter(({ packets }) => packets > 0)
    .map(({ direction, packets }) => notes.unrecorded(direction, packets));
}

function loginNotes({ logins, sources }: Evidence, since: string | null): string[] {
  return [
    ...(logins.length === 0 ? [notes.noLogins] : []),
    ...sources.map((source) => notes.loginSource(source, since)),
    ...(logins.some(({ at }) => at === null) ? [notes.noYear] : []),
  ];
}
