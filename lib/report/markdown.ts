/** The report for an issue or a comment: with --since what has changed, then one row a host, the worst first. */
import { codeSpan } from "../output/markdown";
import { count } from "../output/text";
import { type Changes, groupsOf } from "./changes";
import { briefly, countsOf, worstFirst } from "./order";
import { nameOf } from "./rows";
import { judgedOf } from "./sentences";
import type { UsageReport } from "./usage-report";

/** Of one table: GitHub takes no longer comment than 65,536 characters, and there are five tables at most. */
const MOST_CHARACTERS = 12_000;

export function toMarkdown(report: UsageReport): string {
  const { asked, notAsked, at, changes } = report;
  const hosts = worstFirst(report.hosts);
  const rows = hosts.map((row) => [codeSpan(nameOf(report, row)), row.verdict, codeSpan(briefly(row))] as const);
  return [
    "### Use of the hosts",
    `${count(asked + notAsked, "host")} on ${at ?? "an unknown day"}: ${countsOf(report)}; ${asked} asked, ${notAsked} not asked.${judgedOf(report)}`,
    ...(changes === undefined ? [] : changed(report, changes)),
    ...(changes === undefined ? [] : ["#### All hosts"]),
    table(["Host", "Verdict", "Reason"], rows),
    "",
  ].join("\n\n");
}

function changed(report: UsageReport, changes: Changes): readonly string[] {
  const groups = groupsOf(changes).flatMap(([title, of]) => {
    const rows = of.map((row) => [codeSpan(nameOf(report, row)), codeSpan(row.reason)] as const);
    return [`**${title}: ${of.length}**`, table(["Host", "Reason"], rows)];
  });
  return [`#### Changes since ${changes.since ?? "the beginning"}`, ...(groups.length === 0 ? ["None."] : groups)];
}

type Cells = readonly string[];

function table(head: Cells, rows: readonly Cells[]): string {
  const line = (cells: Cells): string => `| ${cells.join(" | ")} |`;
  const lines: string[] = [];
  for (let length = 0; length < MOST_CHARACTERS && lines.length < rows.length;) {
    const next = line(rows[lines.length] ?? []);
    length += next.length;
    lines.push(next);
  }
  const left = rows.length - lines.length;
  return [
    ...[line(head), line(head.map(() => "---")), ...lines],
    ...(left > 0 ? ["", `And ${count(left, "host")} more, in the JSON.`] : []),
  ].join("\n");
}
