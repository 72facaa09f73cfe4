/** The report for people: a line a host, one more for each further reason, and a line that counts. */
import { type Colours, terminalColours } from "../output/colours";
import { columns } from "../output/columns";
import { count, plain } from "../output/text";
import type { CheckReport, HostCheck } from "./check-report";

export function toTable({ hosts, counts, ready }: CheckReport, colours: Colours = terminalColours()): string {
  const head = ["HOST", "ADDRESS", "IS", ""].map((title) => (title === "" ? title : colours.bold(title)));
  const rows = hosts.flatMap((row) => {
    const colour = colours[row.ready ? "green" : row.is === "unreachable" ? "yellow" : "red"];
    const [first = "", ...others] = linesOf(row);
    return [
      [plain(row.host), plain(row.address ?? "?"), colour(row.is), first],
      ...others.map((line) => ["", "", "", line]),
    ];
  });
  const words = Object.entries(counts).map(([word, number]) => `${number} ${word}`);
  return [
    ...columns([head, ...rows]),
    "",
    `${count(hosts.length, "host")}: ${words.join(", ")}. ${ready ? "No host would refuse a lock now." : "Not all could be locked now."} Nothing was changed.`,
    "",
  ].join("\n");
}

const linesOf = ({ reasons, notes }: HostCheck): readonly string[] => [
  ...reasons.map(({ word, text }) => `${word}: ${text}`),
  ...notes.map((note) => `note: ${note}`),
];
