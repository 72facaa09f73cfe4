/** What has changed since an earlier report: for whoever reads only what is new. */
import type { KeptReport, ReportedHost } from "../input/kept-report";
import { duration } from "./time";
import type { Judgement } from "./judgement";

/** The kinds of change, in the order in which they are read. */
const KINDS = ["used", "unknown", "ssh-only", "unused-for-long"] as const;

export type ChangeKind = (typeof KINDS)[number];

/** What of a host in the new report is compared. */
export interface ComparedHost extends Pick<Judgement, "verdict" | "quietSince" | "reasons"> {
  readonly host: string;
  readonly firewall: string | null;
  readonly now: string | null;
}

export interface Change {
  readonly change: ChangeKind;
  readonly host: string;
  readonly firewall: string | null;
  readonly reason: string;
}

export interface Changes {
  /** When the earlier report was made; null where it does not say. */
  readonly since: string | null;
  /** How long a host must have been unused to be listed as that. */
  readonly unusedForSeconds: number;
  readonly hosts: readonly Change[];
}

/** Those that there are, each with its title: "Used now". */
export function groupsOf({ hosts, unusedForSeconds }: Changes): ReadonlyArray<readonly [string, readonly Change[]]> {
  const titles = {
    used: "Used now",
    unknown: "Unknown now",
    "ssh-only": "Only used by others over SSH now",
    "unused-for-long": `Unused for ${duration(unusedForSeconds)} now`,
  };
  return KINDS.map((kind) => [titles[kind], hosts.filter(({ change }) => change === kind)] as const).filter(
    ([, of]) => of.length > 0,
  );
}

/** Unless --unused-for says otherwise. */
export const LONG_SECONDS = 30 * 86_400;

/** @param at when the new report was made */
export function changesSince(
  previous: KeptReport,
  hosts: readonly ComparedHost[],
  at: string | null,
  unusedForSeconds = LONG_SECONDS,
): Changes {
  const earlier = new Map(previous.hosts.map((one) => [keyOf(one), one]));
  const changed = hosts.flatMap((host): readonly Change[] => {
    const before = earlier.get(keyOf(host));
    const change = changeOf(host, before, [at, previous.at ?? null], unusedForSeconds);
    const reason = host.reasons[0] ?? "";
    return change === undefined ? [] : [{ change, host: host.host, firewall: host.firewall, reason }];
  });
  return { since: previous.at ?? null, unusedForSeconds, hosts: changed };
}

function changeOf(
  host: ComparedHost,
  before: ReportedHost | undefined,
  [at, earlierAt]: readonly [string | null, string | null],
  seconds: number,
): ChangeKind | undefined {
  if (host.verdict !== "unused") {
    return host.verdict === before?.verdict ? undefined : host.verdict;
  }
  const was = before?.verdict === "unused" && isLong(before.quietSince ?? null, earlierAt, seconds);
  return isLong(host.quietSince, host.now ?? at, seconds) && !was ? "unused-for-long" : undefined;
}

/** What cannot be said is not long. */
const isLong = (since: string | null, at: string | null, seconds: number): boolean =>
  since !== null && at !== null && Date.parse(at) - Date.parse(since) >= seconds * 1000;

const keyOf = ({ host, firewall }: { readonly host: string; readonly firewall?: string | null | undefined }): string =>
  JSON.stringify([firewall ?? null, host]);
