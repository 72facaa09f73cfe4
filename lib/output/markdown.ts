/** Values in Markdown: within a code span nothing is markup, a mention or a link. */
import { escapeInvisible } from "./text";

const LONGEST = 120;

/** On one line and short. */
export function visible(value: string, hidden?: RegExp): string {
  if (value === "") {
    return "(empty)";
  }
  const cut = [...value.slice(0, 2 * LONGEST)].slice(0, LONGEST).join("");
  return escapeInvisible(cut, hidden) + (cut.length < value.length ? "…" : "");
}

/** The two characters that could end one, and the cell of a table, are made visible. */
export function codeSpan(value: string): string {
  return `\`${visible(value, /[`|\p{C}\p{Zl}\p{Zp}]|^\s|\s$/gu)}\``;
}
