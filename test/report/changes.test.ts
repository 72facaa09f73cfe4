import { defined } from "../support/required";
import { readKeptReport } from "../../lib/input/kept-report";
import { type Changes, changesSince } from "../../lib/report/changes";
import { REPORT_FORMATS, WITH_CHANGES } from "../../lib/report/formats";
import { toMarkdown } from "../../lib/report/markdown";
import { toTable } from "../../lib/report/table";
import type { HostUsage, UsageReport } from "../../lib/report/usage-report";
import type { Verdict } from "../../lib/report/verdict-rules";
import { fleet } from "./support/reports";

const DAY_MS = 86_400_000;
const NOW = Date.parse("2026-11-20T12:00:00Z");
const daysAgo = (days: number): string => new Date(NOW - days * DAY_MS).toISOString();

type Said = readonly [Verdict, string | null];

/** A report in which the host `a` has this verdict, and is quiet since then. */
const reportOf = (at: string | null, said: Said | undefined): UsageReport => {
  const base = fleet();
  const host = defined(base.hosts[0]);
  const [verdict, quietSince] = said ?? ["unused", null];
  const row: HostUsage = { ...host, host: "a", now: at, verdict, quietSince, reasons: [`why ${verdict}`] };
  return { ...base, at, hosts: said === undefined ? [] : [row] };
};

function changes(before: Said | undefined, now: Said, unusedForSeconds?: number): Changes {
  const kept = readKeptReport(Buffer.from(JSON.stringify(reportOf(daysAgo(7), before))));
  const report = reportOf(daysAgo(0), now);
  return changesSince(kept, report.hosts, report.at, unusedForSeconds);
}

describe("since an earlier report", () => {
  test.each<[Said | undefined, Said, string | undefined]>([
    [["unused", daysAgo(90)], ["used", daysAgo(1)], "used"],
    [["unknown", null], ["used", daysAgo(1)], "used"],
    [undefined, ["used", daysAgo(1)], "used"],
    [["used", daysAgo(9)], ["used", daysAgo(1)], undefined],
    [["unused", daysAgo(90)], ["unknown", null], "unknown"],
    [["unused", daysAgo(90)], ["ssh-only", daysAgo(1)], "ssh-only"],
    [["unused", daysAgo(29)], ["unused", daysAgo(29)], undefined],
    [["unused", daysAgo(36)], ["unused", daysAgo(36)], "unused-for-long"],
    [["unused", daysAgo(37)], ["unused", daysAgo(37)], undefined],
    [["unknown", null], ["unused", daysAgo(40)], "unused-for-long"],
    [["used", daysAgo(40)], ["unused", daysAgo(40)], "unused-for-long"],
    [undefined, ["unused", daysAgo(40)], "unused-for-long"],
    [["unused", null], ["unused", null], undefined],
  ])("of a host that was %p and is %p, %s is news", (before, now, expected) => {
    expect(changes(before, now).hosts.map(({ change }) => change)).toEqual(expected === undefined ? [] : [expected]);
  });

  test("--unused-for says after which time a host is news as unused", () => {
    const said: Said = ["unused", daysAgo(12)];
    expect(changes(said, said, 10 * 86_400).hosts.map(({ change }) => change)).toEqual(["unused-for-long"]);
  });

  test("hosts of one name in two firewalls are two hosts", () => {
    const [host, kept] = [defined(reportOf(daysAgo(0), ["used", null]).hosts[0]), reportOf(daysAgo(7), ["used", null])];
    const other = { ...host, firewall: "module.x.fleet" };
    const earlier = readKeptReport(Buffer.from(JSON.stringify(kept)));
    expect(changesSince(earlier, [host, other], daysAgo(0)).hosts).toEqual([
      { change: "used", host: "a", firewall: "module.x.fleet", reason: "why used" },
    ]);
  });
});

describe("what has changed is shown", () => {
  const report = { ...reportOf(daysAgo(0), ["used", null]), changes: changes(undefined, ["used", null]) };
  const same = { ...report, changes: changes(["used", null], ["used", null]) };

  test("in Markdown, with the reason, before all hosts", () => {
    expect(toMarkdown(report)).toContain(
      `#### Changes since ${daysAgo(7)}\n\n**Used now: 1**\n\n| Host | Reason |\n| --- | --- |\n| \`a\` | \`why used\` |\n\n#### All hosts\n`,
    );
    expect(toMarkdown(same)).toContain(`#### Changes since ${daysAgo(7)}\n\nNone.\n\n#### All hosts\n`);
  });

  test("at a terminal, below the hosts", () => {
    expect(toTable(report)).toContain(`\nChanges since ${daysAgo(7)}:\n  Used now: a\n`);
    expect(toTable(same)).toContain(`\nNo changes since ${daysAgo(7)}.\n`);
  });

  test("by each format that is said to show it, and by no other", () => {
    const without = reportOf(daysAgo(0), ["used", null]);
    const showing = Object.entries(REPORT_FORMATS).filter(([, { print }]) => print(report) !== print(without));
    expect(showing.map(([name]) => name)).toEqual(WITH_CHANGES);
  });
});

test("Markdown has no markup but its own, and stays shorter than a comment may be", () => {
  const host = defined(fleet().hosts[0]);
  const nasty = { ...host, host: "a|b`c\n# x", reasons: [`</details> @someone ${"|`".repeat(300)}`] };
  const hosts = Array.from({ length: 5000 }, (_, index) => ({ ...nasty, host: `${nasty.host}${index}` }));
  const kept = { at: undefined, hosts: [] };
  const changed = (["used", "unknown", "ssh-only", "unused"] as const).flatMap((verdict) =>
    hosts.map((one) => ({ ...one, verdict, quietSince: daysAgo(90) })),
  );
  const shown = toMarkdown({ ...fleet(), hosts, changes: changesSince(kept, changed, daysAgo(0)) });
  expect(shown.length).toBeLessThan(65_536);
  expect(shown.match(/^And \d+ hosts more, in the JSON\.$/gm)).toHaveLength(5);
  for (const line of shown.split("\n").filter((one) => one.startsWith("| `"))) {
    expect(line).toMatch(/^\|( (`[^`|]*`|used) \|)+$/);
  }
});
