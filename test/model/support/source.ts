/** What stands in the model: its steps, what follows what, and the diagrams of that. */
import { join } from "node:path";
import { defined } from "../../support/required";

export const MODEL = join(__dirname, "../host.pml");

/** A step, the section that it stands in, and the steps that may come next: `done` where the verb ends. */
export interface Step {
  readonly name: string;
  readonly section: string;
  readonly next: readonly string[];
}

/** What can be taken out, and its number. */
export function removable(model: string): ReadonlyArray<readonly [string, number]> {
  return [...model.matchAll(/^#define WITHOUT_(\w+) (\d+)$/gm)].map(([, name, number]) => [
    defined(name),
    Number(number),
  ]);
}

export function stepsOf(model: string): Step[] {
  return model
    .split(/^ {2}\/\* ---- /m)
    .slice(1)
    .flatMap((text) => {
      const section = defined(/^(\w+)/.exec(text)?.[1]);
      return text
        .split(/^ {2}:: /m)
        .filter((alternative) => alternative.startsWith("AT("))
        .map((alternative) => ({
          name: defined(/^AT\((\w+)\)/.exec(alternative)?.[1]),
          section,
          next: [...new Set([...alternative.matchAll(/step = (\w+)|\bEND\b/g)].map(([, name]) => name ?? "done"))],
        }));
    })
    .filter(({ name }) => name !== "power_cut");
}

/** How a host becomes what it is: the assertions of the model say that there are no other ways. */
export function stateDiagram(model: string): string {
  const words = new Map(
    Object.entries({ open: "open", pending_lock: "pending", locked: "locked", pending_unlock: "unlocking" }),
  );
  const edges = model.split(/^ {2}:: /m).flatMap((alternative) => {
    const step = /^AT\((\w+)\)/.exec(alternative)?.[1] ?? "a power cut";
    return [...alternative.matchAll(/MAKES\((\w+), (\w+)\)/g)].map(
      ([, from, to]) => `    ${words.get(defined(from))} --> ${words.get(defined(to))}: ${step}`,
    );
  });
  return ["stateDiagram-v2", "    [*] --> open", ...edges].join("\n");
}

export function stepDiagram(steps: readonly Step[], section: string): string {
  const edges = steps
    .filter((step) => step.section === section)
    .flatMap(({ name, next }) => next.map((to) => `    ${name} --> ${to === "done" ? "[*]" : to}`));
  return ["stateDiagram-v2", ...edges].join("\n");
}

const fenced = (diagram: string): string => `\`\`\`mermaid\n${diagram}\n\`\`\`\n`;

/** What stands in README.md below its last line of text. */
export function diagramsOf(model: string): string {
  const steps = stepsOf(model);
  const sections = [...new Set(steps.map(({ section }) => section))];
  return [
    "## What a host is, and which step changes it\n",
    fenced(stateDiagram(model)),
    ...sections.flatMap((section) => [`## The steps of ${section}\n`, fenced(stepDiagram(steps, section))]),
  ].join("\n");
}
