/** The report for people at a terminal: an overview with one row a host, then what is known of each. */
import { type Colours, terminalColours } from "../output/colours";
import { columns } from "../output/columns";
import { count } from "../output/text";
import { remedyLines } from "../status/remedy-lines";
import { groupsOf } from "./changes";
import { briefly, countsOf, worstFirst } from "./order";
import {
  connectedRows,
  deniedRow,
  findingRow,
  firstOf,
  folded,
  HEADS,
  listenerRow,
  loginRow,
  nameOf,
  type Row,
  totalRow,
} from "./rows";
import { judgedOf, titles } from "./sentences";
import { handlingOf, type HostUsage, type UsageReport } from "./usage-report";
import { RULES } from "./verdict-rules";

const COLOURS = { used: "red", unknown: "yellow", "ssh-only": "yellow", unused: "green" } as const;

export function toTable(report: UsageReport, colours: Colours = terminalColours(), explain = false): string {
  const { asked, notAsked, disagree } = report;
  const hosts = worstFirst(report.hosts);
  const head = ["VERDICT", "HOST", "ADDRESS", "STATE", "QUIET SINCE", ""].map((title) => title && colours.bold(title));
  const rows = hosts.map((row) => [
    colours[COLOURS[row.verdict]](row.verdict),
    nameOf(report, row),
    row.address ?? "?",
    row.state ?? "not asked",
    row.quietSince ?? "",
    briefly(row),
  ]);
  return [
    ...columns([head, ...rows]),
    "",
    ...hosts
      .filter(({ backend }) => backend !== null)
      .flatMap((row) => [
        colours.bold(nameOf(report, row)),
        ...(explain ? explanation(row, colours) : []),
        ...detail(row, colours, explain),
        "",
      ]),
    `${count(asked + notAsked, "host")}: ${countsOf(report)}; ${asked} asked, ${notAsked} not asked${disagree === 0 ? "" : `; ${disagree} not matching the state`}. All times are UTC.${judgedOf(report)}`,
    ...changeLines(report),
    ...remedyLines(hosts, (row) => nameOf(report, row)),
    "",
  ].join("\n");
}

function changeLines(report: UsageReport): readonly string[] {
  const { changes } = report;
  if (changes === undefined) {
    return [];
  }
  const lines = groupsOf(changes).map(
    ([title, of]) => `  ${title}: ${of.map((row) => nameOf(report, row)).join(", ")}`,
  );
  const since = changes.since ?? "the beginning";
  return lines.length === 0 ? [`No changes since ${since}.`] : [`Changes since ${since}:`, ...lines];
}

/** Each part of the evidence with its rule, and what the rules mean that are named. */
function explanation({ findings }: HostUsage, { bold }: Colours): string[] {
  const named = [...new Set(findings.map(({ rule }) => rule))];
  return [
    bold("  What led to the verdict"),
    ...columns(findings.map(findingRow)).map((line) => `    ${line}`),
    ...named.map((rule) => `    ${rule}: ${RULES[rule].meaning}`),
  ];
}

/** Without those that decide nothing, unless they are explained. */
function deniedRows(row: HostUsage, explain: boolean): { readonly rows: readonly Row[]; readonly left: string[] } {
  const { shown, others } = folded(row);
  const rows = (explain ? row.denied : shown).map(deniedRow);
  const isFolded = !explain && others.length > 0;
  const left = isFolded
    ? [`    and ${count(others.length, "row")} of noise, housekeeping and the like: --explain`]
    : [];
  return { rows: [...rows, ...row.totals.map(totalRow)], left };
}

function detail(row: HostUsage, { bold }: Colours, explain: boolean): string[] {
  const { sampled, baseline, logins } = row;
  const part = (title: string, head: Row, rows: readonly Row[]): string[] => [
    bold(`  ${title}${rows.length === 0 ? ": nothing" : ""}`),
    ...(rows.length === 0 ? [] : columns([head, ...rows]).map((line) => `    ${line}`)),
  ];
  const { rows, left } = deniedRows(row, explain);
  const deniedHead = HEADS.denied.map((title) => title.toUpperCase());
  const sockets = [
    ...baseline.listening.map(listenerRow).map(([protocol = "", here = "", program = ""]) => {
      return ["listened", protocol, here, "", "", program];
    }),
    ...connectedRows(baseline.connected),
  ];
  return [
    `  ${row.summary}`,
    ...row.notes.map((note) => `  ${note}`),
    ...part(titles.denied(handlingOf(row.state, row), row.counted), deniedHead, rows),
    ...left,
    ...(sampled.length === 0 ? [] : part(titles.sampled, deniedHead, sampled.map(deniedRow))),
    ...part(`When it was ${firstOf(row)}`, ["", "PROTOCOL", "HERE", "PEER", "STATE", "PROGRAM"], sockets),
    ...part(
      "Logins over SSH",
      HEADS.logins.map((title) => title.toUpperCase()),
      logins.map(loginRow),
    ),
  ];
}
