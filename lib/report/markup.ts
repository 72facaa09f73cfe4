/** HTML in which every value is escaped: the one place where text becomes markup. */

export class Markup {
  public constructor(public readonly text: string) {}
}

type Value = string | number | Markup | readonly Markup[];

/** A template whose own words are markup, and whose values are text unless they are markup themselves. */
export function html(words: TemplateStringsArray, ...values: readonly Value[]): Markup {
  return new Markup(words.map((word, index) => word.replace(/\n\s+/g, "\n") + written(values[index] ?? "")).join(""));
}

function written(value: Value): string {
  if (value instanceof Markup) {
    return value.text;
  }
  return typeof value === "object" ? value.map(({ text }) => text).join("") : escape(String(value));
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** In elements and in quoted attributes. */
const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
