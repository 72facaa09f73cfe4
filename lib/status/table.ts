/** The report for people: one row a host, and a line that counts them. */
import { createColors } from "picocolors";
import { columns } from "../output/columns";
import type { HostReport, Report } from "./report";
import { plain, short } from "../output/plain";

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
  const lines = columns([head.map((title) => (title === "" ? title : colours.bold(title))), ...rows]);
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
