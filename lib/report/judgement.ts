/** One word for each host, and what led to it. */
import { count } from "../output/text";
import type { RulesetTexts } from "../contract/backends";
import { readRuleset, type RulesetSummary } from "../ruleset/reader";
import type { Host } from "../state/hosts";
import { type Asked, doubtsOf } from "./doubts";
import type { Evidence } from "./evidence";
import type { Login } from "./logins";
import { duration, utc, utcOfIso } from "./time";
import { type Judged, judgedTraffic, trafficFindings } from "./traffic";
import { MOST_LOGINS } from "./sentences";
import { finding, type Finding, type Kind, type Verdict } from "./verdict-rules";

export interface Judgement {
  readonly verdict: Verdict;
  /** Since when nothing but noise, housekeeping and our own traffic was seen, without a gap; null where it cannot be said. */
  readonly quietSince: string | null;
  /** When it was used last, or somebody else logged in; null where it was not, or at an unknown time. */
  readonly lastUse: string | null;
  /** What decided, the latest first. */
  readonly reasons: readonly string[];
  /** All of the evidence, by what it was taken for. */
  readonly findings: readonly Finding[];
  readonly denied: readonly Judged[];
}

/** More are in `findings`. */
const MOST_REASONS = 10;

export function judgementOf(host: Host, asked: Asked): Judgement {
  const { settings, evidence } = asked;
  const denied = judgedTraffic({ settings, evidence, dropsSince: dropsSince(host, asked) });
  const findings = [...trafficFindings(denied, evidence), ...doubtsOf(asked), ...loginFindings(asked)].sort(
    (a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || latestFirst(a, b),
  );
  const begin = beginning(asked);
  const isInTime = ({ last }: Finding): boolean => begin === undefined || last === null || Date.parse(last) >= begin;
  const of = (kind: Kind): readonly Finding[] => findings.filter((one) => one.kind === kind);
  const [uses, logins, doubts] = [of("use").filter(isInTime), of("login").filter(isInTime), of("doubt")];
  const lastUse = latest([...of("use"), ...of("login")].map(({ last }) => last));
  const quiet = quietSince(asked, [...of("use"), ...of("login")]);
  const late = tooShort(quiet, begin, asked);
  const [verdict, reasons]: readonly [Verdict, readonly Finding[]] =
    uses.length > 0
      ? ["used", uses]
      : doubts.length > 0
        ? ["unknown", doubts]
        : logins.length > 0
          ? ["ssh-only", logins]
          : late.length > 0
            ? ["unknown", late]
            : ["unused", findings];
  return {
    verdict,
    quietSince: verdict === "unknown" && late.length === 0 ? null : quiet,
    lastUse,
    reasons: reasonsOf(verdict, reasons, quiet),
    findings: [...findings, ...(verdict === "unknown" ? late : [])],
    denied,
  };
}

const ORDER: readonly Kind[] = ["use", "doubt", "login", "own", "ignored", "housekeeping", "noise"];

/** What has no time may have come just now. */
const latestFirst = (a: Finding, b: Finding): number =>
  (b.last === null ? Infinity : Date.parse(b.last)) - (a.last === null ? Infinity : Date.parse(a.last)) || 0;

function reasonsOf(verdict: Verdict, findings: readonly Finding[], quiet: string | null): readonly string[] {
  if (verdict === "unused") {
    return [`nothing but noise, housekeeping and our own traffic since ${quiet ?? "the lock"}`];
  }
  const texts = findings.slice(0, MOST_REASONS).map(({ rule, text, first, last }) => {
    const when = last === null ? "" : first === null || first === last ? `, on ${last}` : `, ${first} to ${last}`;
    return `${text}${when} [${rule}]`;
  });
  const left = findings.length - texts.length;
  return left > 0 ? [...texts, `and ${left} more`] : texts;
}

/** In ms of the host's clock: what was before it decides nothing. */
function beginning({ evidence, nowMs, settings }: Asked): number | undefined {
  const now = Number(evidence.host.now) * 1000;
  return settings.unusedForSeconds === undefined
    ? undefined
    : (Number.isNaN(now) ? nowMs : now) - settings.unusedForSeconds * 1000;
}

function tooShort(quiet: string | null, begin: number | undefined, { settings }: Asked): readonly Finding[] {
  if (begin === undefined || (quiet !== null && Date.parse(quiet) <= begin)) {
    return [];
  }
  return [
    finding(
      "too-short",
      `it has been quiet and watched since ${quiet ?? "an unknown time"}, not for ${duration(settings.unusedForSeconds ?? 0)}`,
    ),
  ];
}

const latest = (times: ReadonlyArray<string | null>): string | null =>
  times
    .flatMap((time) => time ?? [])
    .sort()
    .at(-1) ?? null;

/** The latest of: the first lock, the end of the last gap, the last use or login, and since when logins are known. */
function quietSince(asked: Asked, seen: readonly Finding[]): string | null {
  const { evidence, counted } = asked;
  const gap = evidence.gaps.at(-1);
  if (counted === null || (gap !== undefined && gap.until === null) || seen.some(({ last }) => last === null)) {
    return null;
  }
  return latest([counted, gap?.until ?? null, loginsKnownSince(evidence), ...seen.map(({ last }) => last)]);
}

/** Of the logs that have all logins, the one that reaches back farthest; null where no log shows it. */
function loginsKnownSince({ sources, logins }: Evidence): string | null {
  const times = logins.flatMap(({ at }) => at ?? []).sort();
  const starts = whole(sources).flatMap(({ begins, all }) =>
    begins === null || !/^\d/.test(begins)
      ? []
      : (latest([begins, all > MOST_LOGINS ? (times.at(-MOST_LOGINS) ?? null) : null]) ?? []),
  );
  return starts.sort()[0] ?? null;
}

/** `last` lists only logins with a terminal. */
const whole = (sources: Evidence["sources"]): Evidence["sources"] => sources.filter(({ name }) => name !== "last");

function loginFindings(asked: Asked): readonly Finding[] {
  const { reply, evidence, counted } = asked;
  if (reply.kind === "not asked" || reply.evidence === undefined) {
    return [];
  }
  const since = evidence.logins.filter(({ at }) => at === null || counted === null || at >= counted);
  const own = since.filter((login) => isOwn(login, evidence));
  const others = since.filter((login) => !isOwn(login, evidence));
  const groups = new Map<string, Login[]>();
  for (const one of others) {
    const key = loginText(one);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  const found = [...groups].map(([who, own]) => {
    const times = own.map(({ at }) => at);
    const [first, last] = times.includes(null) ? [null, null] : [times.sort()[0] ?? null, times.at(-1) ?? null];
    return finding("login", `${who}: ${count(own.length, "login")}`, { first, last });
  });
  const isKnown = loginsKnownSince(evidence) !== null;
  const ownTimes = own.flatMap(({ at }) => at ?? []).sort();
  const ours =
    own.length === 0
      ? []
      : [finding("session", count(own.length, "login"), { first: ownTimes[0] ?? null, last: ownTimes.at(-1) ?? null })];
  return [
    ...found,
    ...ours,
    ...(isKnown ? [] : [finding("no-logins", "none of its logs is known to list all logins over SSH")]),
  ];
}

/** The program notes the client of a session soon after the login. */
function isOwn({ at, from, fromPort }: Login, { sessions }: Evidence): boolean {
  return sessions.some((session) => {
    const after = (Date.parse(session.at ?? "") - Date.parse(at ?? "")) / 1000;
    return session.from === from && session.fromPort === fromPort && after >= -5 && after <= OWN_SECONDS;
  });
}

/** A lock waits for others for some minutes at most. */
const OWN_SECONDS = 900;

function loginText({ user, from, key, by }: Login): string {
  return `${user} from ${from}${key === null ? (by === null ? "" : ` by ${by}`) : ` with key ${key}`}`;
}

/** Hosts with the same ruleset have the same texts. */
function rulesetOf(texts: RulesetTexts): RulesetSummary | undefined {
  const known = read.get(texts) ?? { summary: readRuleset(texts) };
  read.set(texts, known);
  return known.summary;
}

const read = new WeakMap<RulesetTexts, { readonly summary: RulesetSummary | undefined }>();

/** Undefined rules may reject or pass: then one packet may have been a whole connection. */
function dropsSince(host: Host, { evidence, reply }: Asked): string | null {
  const ruleset = rulesetOf(host.texts);
  const isOfState = reply.kind === "answered" && reply.status.ruleset === host.ruleset;
  const isObserved = reply.kind === "answered" && reply.status.state === "observed";
  if (isObserved || ruleset === undefined || ruleset.rejectsInbound || ruleset.passesAll || !isOfState) {
    return null;
  }
  const observed = evidence.observations.at(-1);
  return latest([utcOfIso(evidence.host.locked_at ?? ""), observed?.until ?? null]) ?? utc(0);
}
