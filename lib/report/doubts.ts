/** What keeps a host from being called unused, whatever was seen of it. */
import { count } from "../output/text";
import type { Answered } from "../ssh/answer";
import type { Evidence, Total } from "./evidence";
import type { EvidenceReply } from "./evidence-reply";
import { finding, type Finding, type VerdictSettings } from "./verdict-rules";

export interface Asked {
  readonly reply: EvidenceReply;
  readonly evidence: Evidence;
  /** Whether the host matches the state, and the sentence where it does not. */
  readonly agrees: boolean;
  readonly disagreement: string;
  /** Since when it counts: the first lock. */
  readonly counted: string | null;
  readonly nowMs: number;
  readonly settings: VerdictSettings;
}

export function doubtsOf(asked: Asked): readonly Finding[] {
  const { reply, evidence, counted } = asked;
  if (reply.kind === "not asked") {
    return [finding("not-asked", reply.why)];
  }
  const { status } = reply;
  if (reply.evidence === undefined || !["locked", "observed"].includes(status.state)) {
    return [finding("not-locked", `it is ${status.state}`), ...disagreements(asked)];
  }
  return [
    ...disagreements(asked),
    ...(status.rules === "matches" ? [] : [finding("live-rules", `its rules: ${status.rules}`)]),
    ...(counted === null ? [finding("unread", "it is not known since when it is locked")] : []),
    ...gapDoubts(asked),
    ...clockDoubts(asked),
    ...unreadDoubts(evidence),
    ...sumDoubts(evidence),
    ...openBefore(status, evidence),
  ];
}

const disagreements = ({ agrees, disagreement }: Asked): readonly Finding[] =>
  agrees ? [] : [finding("other-state", disagreement === "" ? "it does not match the state" : disagreement)];

function gapDoubts({ evidence, nowMs, settings }: Asked): readonly Finding[] {
  const last = evidence.gaps.at(-1);
  if (last === undefined) {
    return [];
  }
  const until = last.until === null ? Infinity : Date.parse(last.until);
  const isRecent = nowMs - until < settings.thresholds["gap-days"] * 86_400_000;
  const isAsked = settings.unusedForSeconds !== undefined && last.until !== null;
  const text = `${count(evidence.gapCount, "gap")}, the last one until ${last.until ?? "an unknown time"}`;
  return isRecent && !isAsked ? [finding("gap", text, { last: last.until })] : [];
}

function clockDoubts({ evidence, counted, nowMs, settings }: Asked): readonly Finding[] {
  const limit = settings.thresholds["clock-seconds"] * 1000;
  const now = Number(evidence.host.now) * 1000;
  const seen = [...evidence.denied, ...evidence.totals].flatMap(({ first, last }) => [first, last]);
  const times = [...seen, counted, ...evidence.observations.flatMap(({ from, until }) => [from, until])]
    .flatMap((time) => (time === null ? [] : [Date.parse(time)]))
    .concat(evidence.gaps.flatMap(({ until }) => (until === null ? [] : [Date.parse(until)])));
  const skew = Math.round(Math.abs(now - nowMs) / 1000);
  const earliest = counted === null ? -Infinity : Date.parse(counted);
  return [
    ...(!(Math.abs(now - nowMs) <= limit)
      ? [
          finding(
            "clock",
            Number.isNaN(skew) ? "its time is not known" : `its clock differs by ${count(skew, "second")}`,
          ),
        ]
      : []),
    ...(times.some((time) => time > now + limit) ? [finding("clock", "it has times in the future")] : []),
    ...(seen.some((time) => time !== null && Date.parse(time) < earliest - limit)
      ? [finding("clock", "it has times before its first lock")]
      : []),
  ];
}

function unreadDoubts({ unread, sockets, host, denied }: Evidence): readonly Finding[] {
  const triedPorts = denied.some(({ direction, port }) => direction === "in" && port !== null);
  const isBaselineKnown = sockets.other.length === 0 && sockets.listening.length > 0;
  return [
    ...(unread.length > 0 ? [finding("unread", `${count(unread.length, "line")} could not be read`)] : []),
    ...(host.backend === undefined || host.backend === "" ? [finding("unread", "its firewall is not known")] : []),
    ...(triedPorts && !isBaselineKnown
      ? [finding("baseline", "it is not known, or only in part, what listened at the first lock")]
      : []),
  ];
}

/** With nftables the sum counts what peers sent for which no memory was left; with iptables it is all there is. */
function sumDoubts({ denied, totals }: Evidence): readonly Finding[] {
  return totals.flatMap((total) => {
    const recorded = denied
      .filter(({ direction }) => direction === total.direction)
      .reduce((sum, { packets }) => sum + packets, 0);
    const packets = total.packets - recorded;
    return packets > 0 ? [finding("sums", sumText(total, packets), { ...total, packets })] : [];
  });
}

const sumText = ({ direction }: Total, packets: number): string =>
  direction === "forward"
    ? `${count(packets, "packet")} went through the host between peers that were not recorded`
    : `${count(packets, "packet")} ${direction === "in" ? "came from peers that were not recorded" : "went to peers that were not recorded"}`;

/** While it observes, only what opens a connection is counted. */
function openBefore({ state }: Answered, evidence: Evidence): readonly Finding[] {
  const isObserved = state === "observed";
  const open = isObserved ? connectionsBefore(evidence) : 0;
  return open === 0
    ? []
    : [
        finding(
          "open-before",
          `${count(open, "connection")} other than SSH ${open === 1 ? "was" : "were"} open already`,
        ),
      ];
}

/** TCP that was open before the first lock, but for SSH and within the host. */
export function connectionsBefore({ sockets, host }: Evidence): number {
  return sockets.connected.filter(
    ({ protocol, state, address, peer, port, direction }) =>
      protocol === "tcp" &&
      state === "established" &&
      peer !== address &&
      !/^(::ffff:)?127\.|^::1$/.test(peer) &&
      !(direction === "in" && String(port) === host.port),
  ).length;
}
