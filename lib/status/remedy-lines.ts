/** What to do about hosts, below a table of them: each text once, a sentence a line, then a line for each command, to copy. */
import { escapeInvisible, listed } from "../output/text";
import type { Remedy } from "../state/remedies";

/** @param nameOf a host's name, as it may be printed */
export function remedyLines<T extends { readonly remedy: Remedy | null }>(
  hosts: readonly T[],
  nameOf: (host: T) => string,
): readonly string[] {
  const byText = new Map<string, Array<readonly [name: string, command: string | undefined]>>();
  for (const host of hosts) {
    if (host.remedy !== null) {
      const { text, command } = host.remedy;
      byText.set(text, [...(byText.get(text) ?? []), [nameOf(host), command]]);
    }
  }
  return [...byText].flatMap(([text, found]) => [
    "",
    `What to do about ${listed(found.map(([name]) => name))}:`,
    ...text.split(/(?<=\.) (?=[A-Z])/).map((sentence) => `  ${sentence}`),
    ...found.flatMap(([, command]) => (command === undefined ? [] : [`    ${escapeInvisible(command)}`])),
  ]);
}
