/** In one line, what was seen of a host. */
import { connectionsBefore } from "./doubts";
import { DIRECTIONS, type Direction, type Evidence } from "./evidence";
import type { EvidenceReply } from "./evidence-reply";
import { type Handling, verdicts } from "./sentences";

export function summaryOf(reply: EvidenceReply, evidence: Evidence, since: string | null, handling: Handling): string {
  if (reply.kind === "not asked") {
    return verdicts.notAsked(reply.why);
  }
  if (reply.evidence === undefined || reply.status.state === "open") {
    return verdicts.open;
  }
  const seen = DIRECTIONS.flatMap((direction) => usesIn(direction, evidence, handling));
  const before = handling === "denied" ? 0 : connectionsBefore(evidence);
  return [
    ...(seen.length > 0 ? seen : [verdicts.nobody(since, reply.status.rules === "matches")]),
    ...(before === 0 ? [] : [verdicts.openBefore(before)]),
  ].join(" ");
}

/** By the peers where they are known, else by the sums. */
function usesIn(direction: Direction, { denied, totals }: Evidence, handling: Handling): readonly string[] {
  const known = denied.filter((one) => one.direction === direction);
  if (known.length > 0 && direction !== "forward") {
    const peers = new Set(known.map(({ peer }) => peer)).size;
    return [verdicts[direction === "in" ? "peers" : "addresses"](peers, handling, lastOf(known))];
  }
  const sums = totals.filter((one) => one.direction === direction);
  const packets = sums.reduce((sum, one) => sum + one.packets, 0);
  return sums.length === 0 ? [] : [verdicts.sum(direction, packets, handling, lastOf(sums))];
}

function lastOf(some: ReadonlyArray<{ readonly last: string | null }>): string {
  const times = some.flatMap(({ last }) => last ?? []).sort();
  return times.at(-1) ?? "an unknown day";
}
