/** The report for people: one row a host, and a line that counts them. */
import { type Colours, terminalColours } from "../output/colours";
import { columns } from "../output/columns";
import { compare, count, plain, short } from "../output/text";
import { CONDITIONS } from "./conditions";
import { remedyLines } from "./remedy-lines";
import type { HostStatus, StatusReport } from "./status-report";

export function toTable(report: StatusReport, colours: Colours = terminalColours()): string {
  const { live, hosts } = report;
  const firewalls = new Set(hosts.flatMap(({ firewall }) => firewall ?? []));
  const name = (row: HostStatus): string =>
    plain(firewalls.size > 1 && row.firewall !== null ? `${row.firewall}/${row.host}` : row.host);
  const head = live
    ? ["HOST", "ADDRESS", "STATE", "HOST IS", "OUTSIDE", ""]
    : ["HOST", "ADDRESS", "STATE", "RULESET", "OWNER", ""];
  const rows = hosts.map((row) => {
    const { address, state, condition, agrees, outside, inState } = row;
    const colour = colours[condition === null ? (agrees ? "green" : "red") : CONDITIONS[condition].colour];
    const details = plain(row.details.join("; "));
    const first = [name(row), plain(address ?? "?")];
    return live
      ? [...first, state, colour(condition ?? ""), outside ?? "", details]
      : [...first, colour(state), short(inState.ruleset ?? ""), plain(inState.owner ?? ""), details];
  });
  const lines = columns([head.map((title) => (title === "" ? title : colours.bold(title))), ...rows]);
  return [...lines, "", ...summary(report), ...remedyLines(hosts, name), ""].join("\n");
}

function summary({ counts, live, hosts, agrees, fingerprint }: StatusReport): string[] {
  const words = Object.entries(counts)
    .sort(([a], [b]) => compare(a, b))
    .map(([word, number]) => `${number} ${word}`);
  const outcome = live ? `State and hosts ${agrees ? "agree" : "do not agree"}.` : "The hosts were not asked (--live).";
  return [
    `${count(hosts.length, "host")}: ${words.join(", ")}. ${outcome}`,
    ...(fingerprint.state === null ? [] : [`Fingerprint of the state: ${fingerprint.state}`]),
    ...(fingerprint.live === null ? [] : [`Fingerprint of ${whose(hosts)}: ${fingerprint.live}`]),
  ];
}

/** A host that does not answer has none. */
function whose(hosts: readonly HostStatus[]): string {
  const answered = hosts.filter(({ onHost }) => onHost !== null).length;
  return answered === hosts.length ? "the hosts" : `the ${answered} of ${count(hosts.length, "host")} that answered`;
}
