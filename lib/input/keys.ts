/** Finds misspelt keys: TypeScript does so for its users, but not for those who write JavaScript or YAML. */
import { shown } from "../output/text";
import { closest } from "./names";
import type { Problems } from "./problems";
import { valueMessages } from "./value-messages";

/** Adds a problem for each key of `value` that is not in `known`; false if `value` is no plain object at all. */
export function checkKeys(
  value: unknown,
  known: readonly string[],
  problems: Problems,
): value is Record<string, unknown> {
  if (!isObject(value)) {
    problems.add("", valueMessages.notAnObject(value));
    return false;
  }
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) {
      problems.add(placeOf(key), () => valueMessages.unknownKey(closest(key, known), known));
    }
  }
  return true;
}

/** Reads the value of a key if there is one; an explicit null is a value, and a wrong one. */
export function reader<K extends string>(props: Partial<Readonly<Record<K, unknown>>>, problems: Problems) {
  return <T>(key: K, parse: (value: unknown, at: Problems) => T | undefined): T | undefined =>
    props[key] === undefined ? undefined : parse(props[key], problems.at(key));
}

/** Whether `value` is an object with named values. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A key as part of a path; one that is not a plain word is shown so that it cannot garble the message. */
export function placeOf(key: string): string {
  return /^[\w-][\w.-]{0,99}$/.test(key) ? key : `[${shown(key)}]`;
}
