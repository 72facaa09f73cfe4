/** Whether hosts are in use that a plan closes or gives up, as far as a report of them shows. */
import type { VerdictWord } from "../contract/verdicts";
import { count, plain } from "../output/text";
import type { Finding } from "./dangers";
import type { HostReview } from "./hosts";
import type { Outcome } from "./outcome";
import { known } from "./plan";
import { type Text, text } from "./text";
import type { ReportedHost, KeptReport } from "../input/kept-report";

export interface UsageReview {
  /** When the report was made. */
  readonly at: string | undefined;
  readonly hosts: readonly HostUse[];
}

/** What is known of the use of a host that is closed or given up. */
export interface HostUse {
  readonly host: string;
  readonly verdict: VerdictWord;
  readonly detail: Text;
  /** Whether it is used, or may be. */
  readonly isDanger: boolean;
}

/** A report of the last week, and a day more. What came since an older one is unknown. */
const MOST_DAYS = 8;
const DAY_MS = 86_400_000;

export function usageOf(hosts: readonly HostReview[], file: KeptReport, nowMs: number): UsageReview {
  const doubt = doubtOfAge(file.at, nowMs);
  return { at: file.at, hosts: hosts.flatMap((host) => useOf(host, file, doubt) ?? []) };
}

export const usageFindings = (usage: UsageReview | undefined): readonly Finding[] =>
  (usage?.hosts ?? []).filter(({ isDanger }) => isDanger).map(({ host, detail }) => ({ kind: "in-use", host, detail }));

export const usageJson = (usage: UsageReview | undefined): unknown =>
  usage === undefined
    ? null
    : { at: usage.at ?? null, hosts: usage.hosts.map(({ host, verdict }) => ({ host, verdict })) };

const GIVEN_UP: readonly Outcome[] = ["unlock", "leave", "move", "move-locked"];
/** Those that may be locked already: then nothing is closed that was open. */
const PERHAPS_CLOSED: readonly Outcome[] = ["perhaps", "retry", "again"];

function useOf(host: HostReview, file: KeptReport, doubt: string | undefined): HostUse | undefined {
  const found = reportedOf(host, file);
  const what = changeOf(host, found);
  if (what === undefined) {
    return undefined;
  }
  const [verdict, reason] =
    found === undefined
      ? (["unknown", "the report does not have this host"] as const)
      : doubt !== undefined && found.verdict !== "used"
        ? (["unknown", doubt] as const)
        : ([found.verdict, reasonOf(found)] as const);
  const detail = text`${[what]}; ${[verdict]}: ${reason}`;
  return { host: host.name, verdict, detail, isDanger: verdict === "used" || verdict === "unknown" };
}

/** A host that was never locked is in no report. */
function changeOf({ outcome }: HostReview, found: ReportedHost | undefined): string | undefined {
  if (GIVEN_UP.includes(outcome)) {
    return outcome === "unlock" || outcome === "leave" ? "it is given up" : "it is given up at the old address";
  }
  if (outcome === "enforce") {
    return "it was only observed, and is closed now";
  }
  const mayBeOpen = outcome === "first" || (PERHAPS_CLOSED.includes(outcome) && found?.state !== "locked");
  return mayBeOpen && found !== undefined ? "it is closed now" : undefined;
}

/** By its name in the same firewall, unless that is another machine. */
function reportedOf({ key, firewall, addressBefore, address }: HostReview, file: KeptReport): ReportedHost | undefined {
  const where = known(addressBefore ?? address);
  const named = file.hosts.filter(
    (one) =>
      one.host === plain(key) &&
      (one.address === undefined || where === undefined || one.address === plain(where)) &&
      (one.firewall === undefined || one.firewall === plain(firewall)),
  );
  return named.length === 1 ? named[0] : undefined;
}

function reasonOf({ verdict, reasons, quietSince }: ReportedHost): string {
  const left = reasons.length - 1;
  const more = left > 0 ? `, and ${left} more` : "";
  return verdict === "unused" && quietSince !== undefined
    ? `since ${quietSince}`
    : `${reasons[0] ?? "no reason is given"}${more}`;
}

function doubtOfAge(at: string | undefined, nowMs: number): string | undefined {
  const age = (nowMs - Date.parse(at ?? "")) / DAY_MS;
  if (Number.isNaN(age) || age < -1) {
    return "it is not known when the report was made";
  }
  return age > MOST_DAYS ? `the report is ${count(Math.floor(age), "day")} old; ask again` : undefined;
}
