/** Text of states, hosts and ssh in what we print: none of it is trusted to be on one line, short, or printable. */

const LONGEST = 300;

/** On one line, short, with everything invisible made visible: also what turns the direction of writing. */
export function plain(text: string): string {
  const cut = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return cut.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${(character.codePointAt(0) as number).toString(16)}}`;
  });
}

/** The last line that says something. */
export function lastLine(text: string): string {
  const lines = text.split(/[\r\n]+/).filter((line) => line.trim() !== "");
  return plain(lines.at(-1)?.trim() ?? "");
}

/** The first twelve digits of a hash, or of an id, for people. */
export const short = (text: string): string => plain(text).slice(0, 12);
