/** The report for people: one row a host, and a line that counts them. */
import Table from "cli-table3";
import { createColors } from "picocolors";
import type { HostReport, Report } from "./report";
import { plain, short } from "./text";

/** Columns with two blanks between, and no lines: it reads the same in a mail and is easily cut. */
const NO_LINES = Object.fromEntries(
  [
    ...["top", "top-mid", "top-left", "top-right", "bottom", "bottom-mid", "bottom-left", "bottom-right"],
    ...["left", "left-mid", "mid", "mid-mid", "right", "right-mid"],
  ].map((place) => [place, ""]),
);

export function toTable(report: Report, coloured: boolean): string {
  const colours = createColors(coloured);
  const { live, hosts } = report;
  const firewalls = new Set(hosts.map(({ firewall }) => firewall).filter((one) => one !== null));
  const name = (row: HostReport): string =>
    plain(firewalls.size > 1 && row.firewall !== null ? `${row.firewall}/${row.host}` : row.host);
  const head = live
    ? ["HOST", "ADDRESS", "STATE", "HOST IS", "OUTSIDE", ""]
    : ["HOST", "ADDRESS", "STATE", "RULESET", "OWNER", ""];
  const rows = hosts.map((row) => {
    const colour = row.agrees ? colours.green : row.condition === "unreachable" ? colours.yellow : colours.red;
    const details = plain(row.details.join("; "));
    const first = [name(row), plain(row.address ?? "?")];
    return live
      ? [...first, row.state, colour(row.condition ?? ""), row.outside ?? "", details]
      : [...first, colour(row.state), short(row.inState.ruleset ?? ""), plain(row.inState.owner ?? ""), details];
  });
  const table = new Table({
    chars: { ...NO_LINES, middle: "  " },
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
  });
  table.push(
    head.map((title) => (title === "" ? title : colours.bold(title))),
    ...rows,
  );
  const lines = table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd());
  return [...lines, "", ...summary(report), ""].join("\n");
}

function summary({ counts, live, hosts, agrees, fingerprint }: Report): string[] {
  const total = `${hosts.length} ${hosts.length === 1 ? "host" : "hosts"}`;
  const words = Object.entries(counts)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([word, count]) => `${count} ${word}`);
  const said = live
    ? agrees
      ? "State and hosts agree."
      : "State and hosts do not agree."
    : "The hosts were not asked (--live).";
  return [
    `${total}: ${words.join(", ")}. ${said}`,
    ...(fingerprint.state === null ? [] : [`Fingerprint of the state: ${fingerprint.state}`]),
    ...(fingerprint.live === null ? [] : [`Fingerprint of the hosts: ${fingerprint.live}`]),
  ];
}
