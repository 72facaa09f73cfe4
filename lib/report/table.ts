/** The report for people at a terminal: an overview with one row a host, then what is known of each. */
import { type Colours, terminalColours } from "../output/colours";
import { columns } from "../output/columns";
import { count } from "../output/text";
import { remedyLines } from "../status/remedy-lines";
import { connectedRow, deniedRow, HEADS, listenerRow, loginRow, nameOf, type Row, totalRow } from "./rows";
import { titles } from "./sentences";
import { handlingOf, type HostUsage, type UsageReport } from "./usage-report";

export function toTable(report: UsageReport, colours: Colours = terminalColours()): string {
  const { hosts, asked, notAsked, disagree } = report;
  const head = ["HOST", "ADDRESS", "STATE", "SINCE", ""].map((title) => title && colours.bold(title));
  const rows = hosts.map((row) => {
    const colour = row.asked ? colours.green : colours.yellow;
    return [nameOf(report, row), row.address ?? "?", colour(row.state ?? "not asked"), row.since ?? "", row.verdict];
  });
  return [
    ...columns([head, ...rows]),
    "",
    ...hosts.filter(({ backend }) => backend !== null).flatMap((row) => [...detail(report, row, colours), ""]),
    `${count(hosts.length, "host")}: ${asked} asked, ${notAsked} not asked${disagree === 0 ? "" : `; ${disagree} not as the state says`}. All times are UTC.`,
    ...remedyLines(hosts, (row) => nameOf(report, row)),
    "",
  ].join("\n");
}

function detail(report: UsageReport, row: HostUsage, { bold }: Colours): string[] {
  const { denied, totals, sampled, baseline, logins } = row;
  const part = (title: string, head: Row, rows: readonly Row[]): string[] => [
    bold(`  ${title}${rows.length === 0 ? ": nothing" : ""}`),
    ...(rows.length === 0 ? [] : columns([head, ...rows]).map((line) => `    ${line}`)),
  ];
  const deniedHead = HEADS.denied.map((title) => title.toUpperCase());
  const sockets = [
    ...baseline.listening.map(listenerRow).map(([protocol = "", here = "", program = ""]) => {
      return ["listened", protocol, here, "", "", program];
    }),
    ...baseline.connected.map(connectedRow),
  ];
  return [
    bold(nameOf(report, row)),
    ...row.notes.map((note) => `  ${note}`),
    ...part(titles.denied(handlingOf(row.state, row), row.counted), deniedHead, [
      ...denied.map(deniedRow),
      ...totals.map(totalRow),
    ]),
    ...(sampled.length === 0 ? [] : part(titles.sampled, deniedHead, sampled.map(deniedRow))),
    ...part(
      `When it was first locked${baseline.at === null ? "" : `, ${baseline.at}`}`,
      ["", "PROTOCOL", "HERE", "PEER", "STATE", "PROGRAM"],
      sockets,
    ),
    ...part(
      "Logins over SSH",
      HEADS.logins.map((title) => title.toUpperCase()),
      logins.map(loginRow),
    ),
  ];
}
