/** Finds misspelt keys: TypeScript does so for its users, but not for those who write JavaScript or YAML. */
import { messages } from "./messages";
import type { Problems } from "./problems";
import { shown } from "../output/shown";

/** Adds a problem for each key of `value` that is not in `known`; false if `value` is no plain object at all. */
export function checkKeys(
  value: unknown,
  known: readonly string[],
  problems: Problems,
): value is Record<string, unknown> {
  if (!isObject(value)) {
    problems.add("", messages.notAnObject(value));
    return false;
  }
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) {
      problems.add(placeOf(key), messages.unknownKey(closest(key, known), known));
    }
  }
  return true;
}

/** Whether `value` is an object with named values. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The known word that `word` is probably a misspelling of. */
export function closest(word: string, known: readonly string[]): string | undefined {
  const plain = (text: string): string => text.toLowerCase().replace(/[-_ ]/g, "");
  const ranked = known
    .map((candidate) => ({ candidate, distance: distance(plain(word), plain(candidate)) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.max(1, Math.floor(best.candidate.length / 3))
    ? best.candidate
    : undefined;
}

/** A key as part of a path; one that is not a plain word is shown so that it cannot garble the message. */
export function placeOf(key: string): string {
  return /^[\w-][\w.-]*$/.test(key) ? key : `[${shown(key)}]`;
}

/** Levenshtein distance, one row at a time; words longer than any key are not compared. */
function distance(a: string, b: string): number {
  if (a.length > 40) {
    return Infinity;
  }
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min(replaced, row[j] + 1, next[j - 1] + 1);
    }
    row = next;
  }
  return row[b.length];
}
