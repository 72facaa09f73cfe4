/** How a value that somebody gave us is shown in a message: on one line, short, and never throwing. */

const LONGEST = 60;

/** Text in quotes, with everything invisible made visible. */
export function shown(text: string): string {
  const visible = JSON.stringify(text).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${(character.codePointAt(0) as number).toString(16)}}`;
  });
  return visible.length <= LONGEST ? visible : `${visible.slice(0, LONGEST)}..."`;
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
