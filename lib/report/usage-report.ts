/** What was found, as one value that every form of output is made from. Its texts are safe to print. */
import { REPORT_VERSION } from "../contract/verdicts";
import { compare, plain } from "../output/text";
import type { Host } from "../state/hosts";
import type { Remedy } from "../state/remedies";
import type { Condition } from "../status/conditions";
import { judge } from "../status/judge";
import type { Changes } from "./changes";
import {
  type Denied,
  DIRECTIONS,
  type Evidence,
  type Gap,
  type LoginSource,
  type Observation,
  type Total,
} from "./evidence";
import type { EvidenceReply } from "./evidence-reply";
import type { Login } from "./logins";
import { notesOf } from "./notes";
import { type Handling, verdicts } from "./sentences";
import type { Sockets } from "./sockets";
import { type Judgement, judgementOf } from "./judgement";
import { utc, utcOfIso, utcOfSeconds } from "./time";
import { summaryOf } from "./summary";
import { DEFAULT_SETTINGS, type Verdict, VERDICTS, type VerdictSettings } from "./verdict-rules";

export interface UsageReport {
  /** Of this form; a change that breaks its readers makes it 2. */
  readonly version: typeof REPORT_VERSION;
  readonly at: string | null;
  readonly asked: number;
  readonly notAsked: number;
  /** How many were asked, and do not match the state. */
  readonly disagree: number;
  /** With --unused-for: what is older decides nothing. */
  readonly unusedForSeconds?: number;
  /** How many hosts have each verdict. */
  readonly verdicts: Readonly<Record<Verdict, number>>;
  readonly hosts: readonly HostUsage[];
  /** Since an earlier report, where one was given. */
  readonly changes?: Changes;
}

export interface HostUsage extends Judgement {
  readonly host: string;
  readonly firewall: string | null;
  readonly address: string | null;
  /** Whether it could be asked; `summary` says why not. */
  readonly asked: boolean;
  readonly state: "open" | "pending" | "locked" | "observed" | "unlocking" | null;
  /** What it is, in the words of `status --live`; null when it was not asked. */
  readonly condition: Condition | null;
  /** Whether that matches the state. */
  readonly agrees: boolean;
  /**
   * Since when it has been locked or observed, without a time between in which its rules are known to have been gone: the end
   * of the last of `gaps`, otherwise the first lock. A host that opened automatically begins anew with the next lock.
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
  /** What was seen, in a sentence. */
  readonly summary: string;
  /** What to do where the state does not call it locked; the summary says why. */
  readonly remedy: Remedy | null;
  readonly notes: readonly string[];
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

const NOTHING: Evidence = {
  host: {},
  gaps: [],
  gapCount: 0,
  observations: [],
  sessions: [],
  probes: [],
  sources: [],
  denied: [],
  totals: [],
  sampled: [],
  sockets: { listening: [], connected: [], other: [] },
  logins: [],
  otherLogins: [],
  unread: [],
};

export function usageReport(
  hosts: readonly Host[],
  replies: readonly EvidenceReply[],
  nowMs: number,
  settings = DEFAULT_SETTINGS,
): UsageReport {
  const rows = hosts.flatMap((host, index) => {
    const reply = replies[index];
    return reply === undefined ? [] : [usageOf(host, reply, nowMs, settings)];
  });
  const asked = rows.filter((row) => row.asked).length;
  const disagree = rows.filter((row) => row.asked && !row.agrees).length;
  const verdicts = Object.fromEntries(
    Object.keys(VERDICTS).map((word) => [word, rows.filter(({ verdict }) => verdict === word).length]),
  ) as Record<Verdict, number>;
  return {
    version: REPORT_VERSION,
    at: utc(nowMs),
    asked,
    notAsked: rows.length - asked,
    disagree,
    ...(settings.unusedForSeconds === undefined ? {} : { unusedForSeconds: settings.unusedForSeconds }),
    verdicts,
    hosts: rows,
  };
}

function usageOf(host: Host, reply: EvidenceReply, nowMs: number, settings: VerdictSettings): HostUsage {
  const evidence = (reply.kind === "answered" ? reply.evidence : undefined) ?? NOTHING;
  const state = reply.kind === "answered" ? reply.status.state : null;
  const times = timesOf(state, evidence);
  const { condition, agrees, disagreement } = judged(host, reply);
  const judgement = judgementOf(host, {
    ...{ reply, evidence, agrees, nowMs, settings },
    disagreement: disagreement.join(" "),
    counted: times.counted,
  });
  return {
    ...judgement,
    host: plain(host.key),
    firewall: host.firewall === "" ? null : plain(host.firewall),
    address: host.address === undefined ? null : plain(host.address),
    asked: reply.kind === "answered",
    state,
    condition,
    agrees,
    since: times.since,
    counted: times.counted,
    lockedAt: times.lockedAt,
    summary: [...disagreement, summaryOf(reply, evidence, times.since, handlingOf(state, evidence))].join(" "),
    remedy: host.remedy ?? null,
    ...shownOf(evidence),
    notes:
      reply.kind === "answered" && reply.evidence !== undefined
        ? notesOf(reply.status, evidence, times.since, nowMs)
        : [],
    denied: [...judgement.denied].sort(latestFirst),
    baseline: { at: times.baseline, ...evidence.sockets },
  };
}

/** What stands in the report as the host has it. */
function shownOf(
  evidence: Evidence,
): Pick<
  HostUsage,
  | "backend"
  | "sshPort"
  | "now"
  | "sampled"
  | "totals"
  | "logins"
  | "loginSources"
  | "otherLogins"
  | "unread"
  | "gaps"
  | "gapCount"
  | "observations"
> {
  const { gaps, gapCount, observations, otherLogins, unread, host } = evidence;
  const port = Number(host.port);
  return {
    gaps,
    gapCount,
    observations,
    backend: host.backend || null,
    sshPort: Number.isInteger(port) && port > 0 && port < 65536 ? port : null,
    now: utcOfSeconds(host.now ?? ""),
    sampled: [...evidence.sampled].sort(latestFirst),
    totals: [...evidence.totals].sort(byDirection),
    logins: [...evidence.logins].sort((a, b) => compare(b.at ?? "", a.at ?? "")),
    loginSources: evidence.sources,
    otherLogins,
    unread,
  };
}

function timesOf(
  state: HostUsage["state"],
  { host, gaps }: Evidence,
): Pick<HostUsage, "since" | "counted" | "lockedAt"> & { readonly baseline: string | null } {
  const baseline = utcOfIso(host.baseline_at ?? "");
  const lockedAt = utcOfIso(host.locked_at ?? "");
  const counted = state === "open" ? null : (baseline ?? lockedAt);
  const since = state === "open" ? null : (gaps.at(-1)?.until ?? counted);
  return { baseline, lockedAt, counted, since };
}

/** What status would say of it, and the sentence for that unless the rest of the report says it already. */
function judged(
  host: Host,
  reply: EvidenceReply,
): Pick<HostUsage, "condition" | "agrees"> & { readonly disagreement: readonly string[] } {
  const unfinished = host.remedy === undefined || host.why === undefined ? [] : [verdicts.unfinished(plain(host.why))];
  if (reply.kind !== "answered") {
    return { condition: null, agrees: false, disagreement: unfinished };
  }
  const { state, rules, owner } = reply.status;
  const { condition, agrees, details } = judge(host, reply.status, { kind: "skipped", why: "" });
  const isEvident =
    state === "open" || (owner === host.owner && state !== "unlocking" && (state === "pending" || rules !== "matches"));
  const disagreement =
    agrees || isEvident ? unfinished : [verdicts.disagrees(condition, details.map(plain).join("; "))];
  return { condition, agrees, disagreement };
}

const byDirection = (a: Total, b: Total): number => DIRECTIONS.indexOf(a.direction) - DIRECTIONS.indexOf(b.direction);

const latestFirst = (a: Denied, b: Denied): number => byDirection(a, b) || compare(b.last ?? "", a.last ?? "");

/** How traffic was handled in the time that is counted. */
export function handlingOf(state: HostUsage["state"], { observations }: Pick<Evidence, "observations">): Handling {
  return state === "observed" ? "observed" : observations.length > 0 ? "both" : "denied";
}
