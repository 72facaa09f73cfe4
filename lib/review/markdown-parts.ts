/** The parts that a review in Markdown is made of. */
import { count } from "../output/text";
import type { Finding } from "./dangers";
import type { Section } from "./fit";
import { markdown, text } from "./text";

/** Hosts with the same detail share a row; so many of them as a reader can take in. */
export function rowsOf(
  findings: ReadonlyArray<Pick<Finding, "host" | "detail">>,
): ReadonlyArray<readonly [string, string]> {
  const byDetail = new Map<string, string[]>();
  for (const { host, detail } of findings) {
    const key = markdown(detail);
    byDetail.set(key, [...(byDetail.get(key) ?? []), ...(host === undefined ? [] : [host])]);
  }
  return [...byDetail].flatMap(([detail, hosts]) => {
    const rows = inGroups(hosts).map((group) => [names(group), capital(detail)] as const);
    return rows.length === 0 ? [["", capital(detail)] as const] : rows;
  });
}

export const GROUP = 40;

export function inGroups<T>(hosts: readonly T[]): ReadonlyArray<readonly T[]> {
  const count = Math.ceil(hosts.length / GROUP);
  return Array.from({ length: count }, (_, index) => hosts.slice(index * GROUP, (index + 1) * GROUP));
}

export const names = (hosts: readonly string[]): string => hosts.map((host) => markdown(text`${host}`)).join(", ");

export const block = (...lines: readonly string[]): Section => ({ head: lines.join("\n\n"), rows: [], tail: "" });

export function table(
  head: string,
  columns: readonly [string, string],
  rows: ReadonlyArray<readonly [string, string]>,
): Section {
  return {
    head: `${head}\n\n| ${columns.join(" | ")} |\n| --- | --- |`,
    rows: rows.map(([first, second]) => `| ${first} | ${second} |`),
    tail: "",
    leftOut: (left) => `| … | and ${count(left, "row")} more, left out because of the length |`,
  };
}

export const capital = (line: string): string => line.replace(/^[a-z]/, (letter) => letter.toUpperCase());
