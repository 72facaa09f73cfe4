/** Text that is not ours in what we print: none of it is trusted to be on one line, short, or printable. */

/** Control and format characters, also those that turn the direction of writing. */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}]/gu;
const MAX_QUOTED = 60;
const MAX_PLAIN = 300;

/** Each such character as `\u{…}`. */
export function escapeInvisible(text: string, pattern = INVISIBLE): string {
  return text.replace(pattern, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/** On one line, short, with everything invisible made visible. */
export function plain(text: string): string {
  return escapeInvisible(text.length > MAX_PLAIN ? `${text.slice(0, MAX_PLAIN)}…` : text);
}

/** In quotes, as a value that somebody gave us. */
export function shown(text: string): string {
  const visible = escapeInvisible(JSON.stringify(text));
  return visible.length <= MAX_QUOTED ? visible : `${visible.slice(0, MAX_QUOTED)}..."`;
}

/** What a value is, for "must be a list, not …". */
export function kindOf(value: unknown): string {
  switch (typeof value) {
    case "string":
      return shown(value);
    case "number":
    case "boolean":
    case "undefined":
      return String(value);
    case "object":
      return value === null ? "null" : Array.isArray(value) ? "a list" : "an object";
    default:
      return `a ${typeof value}`;
  }
}

/** The last line that is not blank. */
export function lastLine(text: string): string {
  const lines = text.split(/[\r\n]+/).filter((line) => line.trim() !== "");
  return plain(lines.at(-1)?.trim() ?? "");
}

/** The first twelve digits of a hash, or of an id. */
export const short = (text: string): string => plain(text).slice(0, 12);

/** `1 host`, `2 hosts`. */
export const count = (number: number, one: string, several = `${one}s`): string =>
  `${number} ${number === 1 ? one : several}`;

/** By code unit, for the same order on every machine. */
export const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

/** The first few, and how many more there are. */
export const listed = (names: readonly string[], most = 10): string =>
  names.slice(0, most).join(", ") + (names.length > most ? ` and ${names.length - most} more` : "");

/** By code unit, but with numbers by their value: web-2 before web-10. */
export function compareNatural(a: string, b: string): number {
  const parts = (text: string): readonly string[] => text.match(/\d+|\D+/g) ?? [];
  const [left, right] = [parts(a), parts(b)];
  for (let index = 0; index < Math.min(left.length, right.length); index++) {
    const [one = "", other = ""] = [left[index], right[index]];
    const order = /^\d/.test(one) && /^\d/.test(other) ? Number(one) - Number(other) : compare(one, other);
    if (order !== 0) {
      return order;
    }
  }
  return left.length - right.length || compare(a, b);
}
