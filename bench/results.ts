/** bench/RESULTS.md: a table of what must hold, and a section for each part; a part that runs again replaces only its own. */
import { type Section, table } from "./part";

const HEAD = ["part", "what must hold", "measured", "holds"];

interface Kept {
  readonly demands: readonly string[];
  readonly body: string;
}

/**
 * The file with one part's new section.
 * @param before the file as it was; what was measured on another machine is not kept.
 * @param order the names of all parts; others are dropped.
 */
export function withSection(
  before: string,
  machine: string,
  order: readonly string[],
  name: string,
  section: Section,
): string {
  const sections = machineOf(before) === machine ? sectionsOf(before) : new Map<string, Kept>();
  sections.set(name, {
    demands: section.demands.map(
      ({ what, measured, holds }) => `| ${[name, what, measured, holds ? "yes" : "**no**"].join(" | ")} |`,
    ),
    body: [`## ${name}: ${section.title}`, "", ...section.lines].join("\n").trimEnd(),
  });
  const kept = order.flatMap((part) => sections.get(part) ?? []);
  const text = [
    "# Benchmark results",
    "",
    "Written by `npm run bench`. Only ratios within a section mean anything on another machine: they were measured in one run.",
    "",
    `Machine: ${machine}.`,
    "",
    ...table(HEAD, []),
    ...kept.flatMap(({ demands }) => demands),
    "",
    kept.map(({ body }) => body).join("\n\n"),
  ];
  return `${text.join("\n")}\n`;
}

function machineOf(text: string): string | undefined {
  return /^Machine: (.*)\.$/m.exec(text)?.[1];
}

function sectionsOf(text: string): Map<string, Kept> {
  const [top = "", ...bodies] = text.split(/^(?=## [\w-]+: )/m);
  return new Map(
    bodies.map((body) => {
      const [, name = ""] = /^## ([\w-]+): /.exec(body) ?? [];
      return [
        name,
        { demands: top.split("\n").filter((line) => line.startsWith(`| ${name} | `)), body: body.trimEnd() },
      ];
    }),
  );
}
