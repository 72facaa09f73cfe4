/** The report for people at a terminal: an overview with one row a host, then what is known of each. */
import { createColors } from "picocolors";
import { columns } from "../output/columns";
import { messages } from "./messages";
import type { Denied } from "./parse";
import { DIRECTION_WORDS, type HostUsage, mannerOf, type UsageReport } from "./report";

type Colours = ReturnType<typeof createColors>;

export function toTable(report: UsageReport, coloured: boolean): string {
  const colours = createColors(coloured);
  const head = ["HOST", "ADDRESS", "STATE", "SINCE", ""].map((title) => title && colours.bold(title));
  const rows = report.hosts.map((row) => {
    const colour = row.asked ? colours.green : colours.yellow;
    return [nameOf(report, row), row.address ?? "?", colour(row.state ?? "not asked"), row.since ?? "", row.verdict];
  });
  return [
    ...columns([head, ...rows]),
    "",
    ...report.hosts.filter(({ backend }) => backend !== null).flatMap((row) => [...detail(report, row, colours), ""]),
    `${count(report.hosts.length, "host")}: ${report.asked} asked, ${report.notAsked} not${report.disagree === 0 ? "" : `; ${report.disagree} not as the state says`}. All times are UTC.`,
    "",
  ].join("\n");
}

/** With its firewall where there are several. */
export function nameOf({ hosts }: UsageReport, { host, firewall }: HostUsage): string {
  const several = new Set(hosts.map((one) => one.firewall).filter((one) => one !== null)).size > 1;
  return several && firewall !== null ? `${firewall}/${host}` : host;
}

function detail(report: UsageReport, row: HostUsage, { bold }: Colours): string[] {
  const { denied, totals, sampled, baseline, logins } = row;
  const ended = (one: Denied): string[] => [
    DIRECTION_WORDS[one.direction],
    one.protocol,
    one.peer,
    String(one.port ?? ""),
    String(one.packets),
    known(one.first),
    known(one.last),
  ];
  const seen = [
    ...denied.map(ended),
    ...totals.map((one) => [
      DIRECTION_WORDS[one.direction],
      "all",
      "",
      "",
      String(one.packets),
      known(one.first),
      known(one.last),
    ]),
  ];
  const ends = [
    ...baseline.listening.map((one) => [
      "listened",
      one.protocol,
      end(one.address, one.port),
      "",
      "",
      one.program ?? "",
    ]),
    ...baseline.connected.map((one) => [
      one.direction,
      one.protocol,
      end(one.address, one.port),
      end(one.peer, one.peerPort),
      one.state,
      one.program ?? "",
    ]),
  ];
  return [
    bold(nameOf(report, row)),
    ...row.notes.map((note) => `  ${note}`),
    ...part(
      bold,
      `  ${messages.deniedTitle(mannerOf(row.state, row), row.counted)}`,
      ["WAY", "PROTOCOL", "PEER", "PORT", "PACKETS", "FIRST", "LAST"],
      seen,
    ),
    ...(sampled.length === 0
      ? []
      : part(
          bold,
          `  ${messages.sampledTitle()}`,
          ["WAY", "PROTOCOL", "PEER", "PORT", "PACKETS", "FIRST", "LAST"],
          sampled.map(ended),
        )),
    ...part(
      bold,
      `  When it was first locked${baseline.at === null ? "" : `, ${baseline.at}`}`,
      ["", "PROTOCOL", "HERE", "PEER", "STATE", "PROGRAM"],
      ends,
    ),
    ...part(
      bold,
      "  Logins over SSH",
      ["TIME", "USER", "FROM", "BY"],
      logins.map(({ at, logged, user, from, by }) => [at ?? logged, user, from, by ?? ""]),
    ),
  ];
}

function part(bold: Colours["bold"], title: string, head: readonly string[], rows: readonly string[][]): string[] {
  return [
    bold(rows.length === 0 ? `${title}: nothing` : title),
    ...(rows.length === 0 ? [] : columns([head, ...rows]).map((line) => `    ${line}`)),
  ];
}

/** A time, or that nobody knows it. */
export const known = (time: string | null): string => time ?? messages.unknown;

/** Port 0 stands for any. */
export function end(address: string, port: number): string {
  return `${address.includes(":") ? `[${address}]` : address}:${port === 0 ? "*" : port}`;
}

export const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? "" : "s"}`;
