/** A plan, reviewed: what a reviewer has to know of it, in the order of how much it matters. Pure. */
import { fingerprint } from "../contract/fingerprint";
import { TRIGGERS } from "../contract/triggers";
import { compare } from "../output/text";
import { changesNothing, coverageFindings } from "./coverage";
import { DANGERS, type DangerKind, type Finding } from "./dangers";
import { findFirewalls, type Firewalls, type TrackedHost } from "./firewalls";
import { type HostReview, reviewHost } from "./hosts";
import { jumpHosts } from "./jump-hosts";
import { releaseOf } from "./outcome";
import { type Change, known, type Plan } from "./plan";
import { trigger } from "./resources";
import { diffLines, Rulesets } from "./rulesets";
import { plain, type Text, text } from "./text";
import type { Uploads } from "./unclear";
import { type UsageReview, usageFindings, usageJson, usageOf } from "./usage";
import type { KeptReport } from "../input/kept-report";

export interface Review {
  /** Every kind that was found, in the order of DANGERS. */
  readonly dangers: readonly DangerGroup[];
  /** By firewall and name. */
  readonly hosts: readonly HostReview[];
  readonly rulesetChanges: readonly RulesetChange[];
  /** What checks of the configuration found; those of detectDrift name hosts that are not locked again. */
  readonly checks: Plan["checks"];
  /** Undefined when it is not known before the apply; `fingerprintNote` has the reason. */
  readonly fingerprint: string | undefined;
  readonly fingerprintNote: string | undefined;
  /** How many hosts are locked after the apply. */
  readonly lockedAfter: number;
  /** How many other resources the plan changes, by Terraform's actions. */
  readonly others: ReadonlyMap<string, number>;
  /** Whether planning failed, so that Terraform will not apply it. */
  readonly errored: boolean;
  /** Nothing at all is to be applied: it shows what the state has, and not whether the hosts are as configured. */
  readonly changesNothing: boolean;
  /** Of the hosts that are closed or given up; undefined without a report. */
  readonly usage: UsageReview | undefined;
}

/** What was found of one kind. */
export interface DangerGroup {
  readonly kind: DangerKind;
  readonly findings: readonly Finding[];
}

export interface RulesetChange {
  /** Of a unified diff; of a host that is locked for the first time, the whole ruleset. */
  readonly lines: readonly string[];
  readonly hosts: readonly string[];
  /** Whether it is the whole ruleset, because there is nothing to compare it with. */
  readonly whole: boolean;
}

export interface ReviewOptions {
  /** What this package uploads. @default - what the plan uploads is not compared with it */
  readonly uploads?: Uploads;
  /** What `report --json` said of the hosts. @default - nothing is known of their use */
  readonly usage?: KeptReport;
  /** Now, by which the report is old. */
  readonly nowMs?: number;
}

export function reviewPlan(plan: Plan, { uploads, usage: file, nowMs = Date.now() }: ReviewOptions = {}): Review {
  const firewalls = findFirewalls(plan, uploads);
  const rulesets = new Rulesets(firewalls.rulesets);
  const single = new Set(firewalls.hosts.map(({ firewall }) => firewall)).size < 2;
  const nameOf = ({ firewall, key }: TrackedHost): string => (single ? key : `${firewall}/${key}`);
  const hosts = firewalls.hosts.map((host) => reviewHost(host, nameOf(host), rulesets));
  const usage = file && usageOf(hosts, file, nowMs);
  const findings = [
    ...coverageFindings(plan, firewalls, nameOf),
    ...planFindings(plan, firewalls),
    ...hosts.flatMap((host) => host.findings),
    ...contested(hosts),
    ...jumpHosts(hosts, rulesets),
    ...usageFindings(usage),
  ];
  return {
    dangers: (Object.keys(DANGERS) as DangerKind[])
      .map((kind) => ({ kind, findings: findings.filter((one) => one.kind === kind) }))
      .filter((danger) => danger.findings.length > 0),
    hosts,
    rulesetChanges: rulesetChanges(hosts, rulesets, firewalls.rulesets),
    checks: plan.checks,
    ...fingerprintAfter(plan, hosts),
    lockedAfter: hosts.filter(({ lockedAfter }) => lockedAfter).length,
    others: countedByAction(firewalls),
    errored: plan.errored,
    changesNothing: changesNothing(plan),
    usage,
  };
}

const UNCONFIGURED = [
  "this plan has no configuration, so it does not show what runs on hosts, nor whether unlock runs where a hold is destroyed",
];

function planFindings(plan: Plan, firewalls: Firewalls): readonly Finding[] {
  const finding = (kind: DangerKind, detail: Text): Finding => ({ kind, host: undefined, detail });
  const deferred = plan.deferred.filter(firewalls.owns);
  return [
    ...deferred.map(({ address }) => finding("incomplete", text`${address} is deferred to a later plan`)),
    ...firewalls.deposedHolds.flatMap((part) => {
      const release = releaseOf(part);
      const address = trigger(part.change, "before", TRIGGERS.address) ?? { known: part.change.address };
      return release === undefined || release === "unlocks"
        ? []
        : [finding("left-locked", text`${address}: ${release}`)];
    }),
    ...(plan.configured || firewalls.hosts.length === 0 ? [] : [finding("unclear", UNCONFIGURED)]),
    ...firewalls.unclear.map((detail) => finding("unclear", detail)),
    ...plan.drift
      .filter(firewalls.owns)
      .map(({ address, actions }) => finding("drift", text`${address}: ${actions.join(", ")}`)),
  ];
}

/**
 * A machine that two hosts claim after the apply, or that is let go under one name and locked under another: nothing makes
 * Terraform do it in that order.
 */
function contested(hosts: readonly HostReview[]): readonly Finding[] {
  const at = (side: "place" | "placeBefore", those: readonly HostReview[]): ReadonlyMap<string, HostReview[]> => {
    const found = new Map<string, HostReview[]>();
    for (const host of those) {
      const place = host[side];
      if (place !== undefined) {
        found.set(place, [...(found.get(place) ?? []), host]);
      }
    }
    return found;
  };
  const claims = at(
    "place",
    hosts.filter(({ outcome }) => outcome !== "unlock" && outcome !== "leave"),
  );
  const before = at("placeBefore", hosts);
  return hosts
    .filter(({ locks }) => locks)
    .flatMap((host): Finding[] => {
      const other = (those: ReadonlyMap<string, HostReview[]>): HostReview | undefined =>
        those.get(host.place ?? "")?.find((one) => one !== host);
      const claim = other(claims);
      // Who stays where it was meets nobody that has gone.
      const earlier = host.place === host.placeBefore ? undefined : other(before);
      const meaning = "its lock may be refused unless takeOver is true";
      const detail =
        claim !== undefined
          ? text`${known(host.address) ?? ""} is also the address of ${claim.name}; ${[meaning]}`
          : earlier !== undefined
            ? text`${known(host.address) ?? ""} is locked as ${earlier.name} until now; ${[meaning]}`
            : undefined;
      return detail === undefined ? [] : [{ kind: "owner", host: host.name, detail }];
    });
}

/** One for each distinct diff, those of the most hosts first; also of a ruleset that no lockdown follows. */
function rulesetChanges(
  hosts: readonly HostReview[],
  rulesets: Rulesets,
  changes: readonly Change[],
): readonly RulesetChange[] {
  const byPair = new Map<string, HostReview[]>();
  for (const host of hosts.filter(({ locks }) => locks)) {
    const [before, after] = [known(host.ruleset.before), known(host.ruleset.after)];
    if (after !== undefined && before !== after) {
      const pair = `${before ?? ""} ${after}`;
      byPair.set(pair, [...(byPair.get(pair) ?? []), host]);
    }
  }
  const byDiff = new Map<string, RulesetChange>();
  for (const [pair, of] of byPair) {
    const [before, after] = pair.split(" ").map((hash) => rulesets.find(hash));
    if (after !== undefined) {
      const lines = diffLines(before, after);
      const diff = lines.join("\n");
      const others = byDiff.get(diff)?.hosts ?? [];
      byDiff.set(diff, {
        lines,
        hosts: [...others, ...of.map(({ name }) => name)].sort(compare),
        whole: before === undefined,
      });
    }
  }
  const shown = new Set(hosts.filter(({ locks }) => locks).map(({ ruleset }) => rulesets.find(known(ruleset.after))));
  for (const change of changes) {
    const [before, after] = [rulesets.of(change, "before"), rulesets.of(change, "after")];
    const lines = before === undefined || after === undefined || shown.has(after) ? [] : diffLines(before, after);
    if (lines.length > 0 && !byDiff.has(lines.join("\n"))) {
      byDiff.set(lines.join("\n"), { lines, hosts: [], whole: false });
    }
  }
  return [...byDiff.values()].sort(
    (a, b) => b.hosts.length - a.hosts.length || compare(a.hosts[0] ?? "", b.hosts[0] ?? ""),
  );
}

function fingerprintAfter(plan: Plan, hosts: readonly HostReview[]): Pick<Review, "fingerprint" | "fingerprintNote"> {
  const locked = hosts
    .filter(({ lockedAfter }) => lockedAfter)
    .map((host) => ({
      key: host.key,
      address: known(host.address),
      ruleset: known(host.ruleset.after),
      program: known(host.program.after),
    }));
  const isWhole = (host: (typeof locked)[number]): host is { [key in keyof typeof host]: string } =>
    Object.values(host).every((value) => value !== undefined);
  const whole = locked.filter(isWhole);
  if (plan.errored || whole.length < locked.length) {
    const hidden = locked.length - whole.length;
    return {
      fingerprint: undefined,
      fingerprintNote: plan.errored
        ? "the plan failed"
        : `${hidden} of ${locked.length} hosts have values that are known after apply, or sensitive`,
    };
  }
  return { fingerprint: fingerprint(whole), fingerprintNote: undefined };
}

function countedByAction({ others }: Firewalls): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { actions } of others) {
    const action = actions.length === 1 ? String(actions[0]) : "replace";
    counts.set(action, (counts.get(action) ?? 0) + 1);
  }
  return new Map([...counts].sort(([a], [b]) => compare(a, b)));
}

/** A review for machines: names and order are kept, more may come. */
export function reviewJson(review: Review, verdict: string): unknown {
  const shown = (value: HostReview["address"]): unknown =>
    value === undefined ? null : "known" in value ? value.known : { hidden: value.hidden };
  return {
    version: 1,
    verdict,
    dangerous: review.dangers.length > 0,
    dangers: review.dangers.map(({ kind, findings }) => ({
      kind,
      findings: findings.map(({ host, detail }) => ({ host: host ?? null, detail: plain(detail) })),
    })),
    hosts: review.hosts.map((host) => ({
      name: host.name,
      key: host.key,
      outcome: host.outcome,
      locks: host.locks,
      why: host.why,
      address: shown(host.address),
      addressBefore: shown(host.addressBefore),
      ruleset: { before: shown(host.ruleset.before), after: shown(host.ruleset.after) },
      program: { before: shown(host.program.before), after: shown(host.program.after) },
    })),
    rulesetChanges: review.rulesetChanges.map(({ lines, hosts }) => ({ hosts, diff: lines.join("\n") })),
    checks: review.checks,
    fingerprint: review.fingerprint ?? null,
    fingerprintNote: review.fingerprintNote ?? null,
    lockedAfter: review.lockedAfter,
    otherResources: Object.fromEntries(review.others),
    usage: usageJson(review.usage),
  };
}
