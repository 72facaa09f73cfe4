/** A review as a comment for a pull request. Values stand in code spans, where nothing in them is markup. */
import { fit, type Section } from "./fit";
import { DANGERS } from "./dangers";
import type { HostReview } from "./hosts";
import { block, capital, GROUP, inGroups, names, rowsOf, table } from "./markdown-parts";
import { ALL_OUTCOMES, OUTCOMES } from "./outcome";
import { known, type Value } from "./plan";
import { count, escapeInvisible } from "../output/text";
import type { DangerGroup, Review, RulesetChange } from "./review";
import { markdown, type Text, text } from "./text";

/** GitHub takes no longer comment. */
export const LONGEST_COMMENT = 65_536;

export interface MarkdownOptions {
  /** What distinguishes several plans for one pull request; letters, digits, dots, dashes and underscores. */
  readonly name?: string | undefined;
  /** The version of the host program that this package has, to distinguish a known program from an unknown one. */
  readonly knownProgram?: string | undefined;
}

/** In a browser nobody sees it; a bot finds the comment by it that it is to replace. */
export function markerOf(name: string | undefined): string {
  return `<!-- ssh-only-firewall:review${name === undefined ? "" : `:${name}`} -->`;
}

export function toMarkdown(review: Review, options: MarkdownOptions = {}): string {
  const title = `### SSH-only firewall${options.name === undefined ? "" : `: ${markdown(text`${options.name}`)}`}`;
  const sections: Section[] = [
    block(markerOf(options.name), title, `**${verdictOf(review)}**`),
    ...review.dangers.map(dangerSection),
    ...usageSection(review),
    ...runSections(review, options),
    ...checksSection(review),
    ...fingerprintSection(review),
    ...othersSection(review),
    ...review.rulesetChanges.map(changeSection),
  ];
  return fit(
    sections,
    LONGEST_COMMENT,
    (left) =>
      `\n${count(left, "ruleset change is", "ruleset changes are")} left out because of the length; they are in \`--json\`.`,
  );
}

/** One line, without values. */
export function verdictOf({ dangers, hosts, errored, changesNothing }: Review): string {
  const counts = ALL_OUTCOMES.map(
    (outcome) => [outcome, hosts.filter((host) => host.outcome === outcome).length] as const,
  )
    .filter(([outcome, count]) => count > 0 && outcome !== "stay")
    .map(([outcome, count]) => `${count} ${OUTCOMES[outcome].short}`);
  const stay = hosts.filter(({ outcome }) => outcome === "stay").length;
  const what = [...counts, ...(stay > 0 ? [`${stay} unchanged`] : [])].join(", ");
  const subject = hosts.length === 0 ? "No host is in this plan" : `Of ${count(hosts.length, "host")}: ${what}`;
  if (errored) {
    return `This plan failed and cannot be applied. ${subject}.`;
  }
  if (dangers.length > 0) {
    return `Dangerous: read what is listed first. ${subject}.`;
  }
  if (changesNothing) {
    return `This plan changes nothing, and does not show whether the hosts are as configured. ${subject}.`;
  }
  return `${counts.length === 0 ? "Nothing to do" : "Nothing dangerous"}. ${subject}.`;
}

function dangerSection({ kind, findings }: DangerGroup): Section {
  const hosts = new Set(findings.flatMap(({ host }) => host ?? [])).size;
  const { title, meaning } = DANGERS[kind];
  const count = hosts === 0 ? "" : `: ${hosts}`;
  return table(`\n#### ${capital(title)}${count}\n\n${meaning}`, ["Host", "What"], rowsOf(findings));
}

/** Which machine it is; of one that is locked there already, its name says it. */
function withAddress({ name, address, outcome }: HostReview): string {
  const shown = known(address);
  return markdown(
    shown === undefined || outcome === "relock" || outcome === "enforce" ? text`${name}` : text`${name} (${shown})`,
  );
}

/** Hosts that are closed or given up, and of which the report knows no reason against it; the others are a danger. */
function usageSection({ usage }: Review): readonly Section[] {
  if (usage === undefined) {
    return [];
  }
  const title = "\n#### Use of the hosts that are closed or given up";
  const what = markdown(text`By the report of ${usage.at ?? "an unknown time"}`);
  const rows = rowsOf(usage.hosts.filter(({ isDanger }) => !isDanger));
  return rows.length > 0
    ? [table(`${title}\n\n${what}:`, ["Host", "Verdict"], rows)]
    : [
        block(
          `${title}\n\n${what}, ${usage.hosts.length === 0 ? "no such host is in this plan" : "none is unused or ssh-only"}.`,
        ),
      ];
}

function runSections({ hosts }: Review, { knownProgram }: MarkdownOptions): readonly Section[] {
  const locked = hosts.filter(({ locks }) => locks);
  const unlocked = hosts.filter(({ unlocks }) => unlocks);
  const acted = hosts.filter(({ outcome }) => outcome !== "stay");
  if (acted.length === 0) {
    return [];
  }
  const lines = [
    ...(unlocked.length === 0
      ? []
      : [
          "- `unlock`, over SSH, where a hold is destroyed: removes the firewall's own rules and what it recorded of the host's use, and nothing else. Unless that is confirmed over a new connection, the host locks itself again.",
        ]),
    ...(locked.length === 0 ? [] : lockLines(locked)),
    ...programLines(locked, knownProgram),
  ];
  const rows = ALL_OUTCOMES.filter((outcome) => outcome !== "stay").flatMap((outcome) =>
    groupsOf(hosts.filter((host) => host.outcome === outcome)),
  );
  const head =
    lines.length === 0
      ? "\n#### What becomes of the hosts"
      : ["\n#### What will run on the hosts", "", ...lines].join("\n");
  return [table(head, ["Hosts", "What becomes of them"], rows)];
}

function groupsOf(hosts: readonly HostReview[]): ReadonlyArray<readonly [string, string]> {
  const byWhat = new Map<string, HostReview[]>();
  for (const host of hosts) {
    const why = host.why.length === 0 ? "" : ` (${host.why.join(", ")})`;
    const hidden = host.address !== undefined && "hidden" in host.address ? `; address ${host.address.hidden}` : "";
    const what = `${OUTCOMES[host.outcome].long}${why}${hidden}`;
    byWhat.set(what, [...(byWhat.get(what) ?? []), host]);
  }
  return [...byWhat].flatMap(([what, of]) =>
    inGroups(of).map((group) => [group.map(withAddress).join(", "), capital(what)] as const),
  );
}

function lockLines(locked: readonly HostReview[]): readonly string[] {
  const valuesOf = (pick: (host: HostReview) => string | undefined, unit = ""): string => {
    const values = [...new Set(locked.map((host) => pick(host)))]
      .map((value) => (value === undefined ? "(not shown by this plan)" : `${markdown(text`${value}`)}${unit}`))
      .sort();
    return someOf(values, (left) => count(left, "other value")).join(" or ");
  };
  return [
    `- \`lock\`, over SSH, as root, on ${count(locked.length, "host")}: checks, arms a watchdog on the host, then loads the ruleset (backend ${valuesOf((host) => host.settings.backend)}).`,
    ...probationLines(locked),
    `- \`confirm\`, over a new connection through the new rules. Without it, the host rolls back automatically, ${valuesOf((host) => host.settings.confirmWithinSeconds, " s")} after its rules were loaded.`,
    `- Locked across restarts: ${valuesOf((host) => (host.settings.persist === undefined ? undefined : host.settings.persist === "true" ? "yes" : "no, a restart opens the host"))}.`,
  ];
}

function probationLines(locked: readonly HostReview[]): readonly string[] {
  const hosts = locked.filter(({ onProbation }) => onProbation);
  return hosts.length === 0
    ? []
    : [
        `- \`probation\`, over a new connection, on ${count(hosts.length, "host")}: pending for \`probationSeconds\` before the confirm, so that what a host loses in that time is rolled back.`,
      ];
}

function programLines(locked: readonly HostReview[], knownProgram: string | undefined): readonly string[] {
  const lines = new Map<string, number>();
  for (const { program } of locked) {
    const line = markdown(changeText(program.before, program.after));
    const after = known(program.after);
    const ours =
      knownProgram === undefined || after === undefined
        ? ""
        : after === knownProgram
          ? ", the one of this version of ssh-only-firewall"
          : ", **not** the one of this version of ssh-only-firewall";
    lines.set(`${line}${ours}`, (lines.get(`${line}${ours}`) ?? 0) + 1);
  }
  return someOf(
    [...lines].map(([line, hosts]) => `- Host program on ${count(hosts, "host")}: ${line}.`),
    (left) => `- And ${count(left, "other change")} of the host program.`,
  );
}

/** What stands in a head is never cut, so that it must be short by itself. */
const MOST_VALUES = 8;

function someOf(values: readonly string[], others: (count: number) => string): readonly string[] {
  const left = values.length - MOST_VALUES;
  return left <= 0 ? values : [...values.slice(0, MOST_VALUES), others(left)];
}

function changeText(before: Value | undefined, after: Value | undefined): Text {
  const now = after ?? { hidden: "known after apply" as const };
  const changes = before !== undefined && known(before) !== known(now);
  return changes ? text`${before} becomes ${now}` : text`${now}`;
}

function fingerprintSection({ fingerprint, fingerprintNote, lockedAfter, hosts }: Review): readonly Section[] {
  if (hosts.length === 0) {
    return [];
  }
  const left = hosts.filter(({ outcome }) => outcome === "leave" || outcome === "move-locked").length;
  const others =
    left === 0
      ? ""
      : `, and ${count(left, "host that leaves the state stays", "hosts that leave the state stay")} locked`;
  const locked = `${count(lockedAfter, "host is", "hosts are")} then locked${left === 0 ? "" : " according to the state"}${others}`;
  return [
    block(
      fingerprint === undefined
        ? `\nFingerprint after the deploy: not known yet, because ${fingerprintNote}; ${locked}.`
        : `\nFingerprint after the deploy: \`${fingerprint}\`; ${locked}.`,
    ),
  ];
}

function checksSection({ checks }: Review): readonly Section[] {
  const rows = checks.flatMap(({ address, problem }) =>
    problem
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "")
      .map((line) => [markdown(text`${address}`), markdown(text`${line}`)] as const),
  );
  return rows.length === 0 ? [] : [table("\n#### Findings of the checks in this plan", ["Check", "Finding"], rows)];
}

function othersSection({ others }: Review): readonly Section[] {
  const total = [...others.values()].reduce((sum, count) => sum + count, 0);
  const each = [...others].map(([action, count]) => `${count} ${markdown(text`${action}`)}`);
  const counts = someOf(each, (left) => count(left, "other action")).join(", ");
  return total === 0
    ? []
    : [
        block(
          `\n${count(total, "other resource is", "other resources are")} changed by this plan and not described here: ${counts}.`,
        ),
      ];
}

function changeSection({ lines, hosts, whole }: RulesetChange): Section {
  const of = hosts.length === 0 ? "no host that this plan locks" : count(hosts.length, "host");
  const added = lines.filter((line) => /^\+(?!\+\+ )/.test(line)).length;
  const removed = lines.filter((line) => /^-(?!-- )/.test(line)).length;
  const summary = whole
    ? `The whole ruleset of ${of}`
    : `Ruleset change of ${of}: ${added} lines added, ${removed} removed`;
  const shown = lines.map((line) => escapeInvisible(line, /[^\P{C}\t]|[\p{Zl}\p{Zp}]/gu));
  // One backtick more than any line has.
  const fence = "`".repeat(Math.max(3, ...shown.map((line) => 1 + longestRun(line))));
  const list = inGroups(hosts).map((group) => `- ${names(group)}`);
  const head = [
    "",
    "<details>",
    `<summary>${summary}</summary>`,
    "",
    ...list.slice(0, MOST_GROUPS),
    ...moreHosts(hosts),
    "",
    `${fence}diff`,
  ];
  return {
    head: head.join("\n"),
    rows: shown,
    tail: `${fence}\n\n</details>`,
    leftOut: (left) => `… and ${count(left, "line")} more, left out because of the length`,
    optional: true,
  };
}

const MOST_GROUPS = 15;

function moreHosts(hosts: readonly string[]): readonly string[] {
  const left = hosts.length - MOST_GROUPS * GROUP;
  return left <= 0 ? [] : [`- and ${left} more hosts`];
}

function longestRun(line: string): number {
  return Math.max(0, ...[...line.matchAll(/`+/g)].map(([run]) => run.length));
}
