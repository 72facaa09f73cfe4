/** Checks of single values that are neither text nor an address. */
import { Token } from "cdktf";
import { messages } from "./messages";
import type { Problems } from "./problems";

/** A whole number; `remedy` is said when it is out of range. */
export function parseInteger(
  value: unknown,
  range: { readonly min: number; readonly max: number; readonly remedy?: string },
  problems: Problems,
): number | undefined {
  if (Token.isUnresolved(value)) {
    problems.add("", messages.numberIsToken());
  } else if (typeof value !== "number") {
    problems.add("", messages.notANumber(value, range.min, range.max));
  } else if (!Number.isInteger(value) || value < range.min || value > range.max) {
    problems.add("", messages.numberOutOfRange(value, range.min, range.max, range.remedy ?? ""));
  } else {
    return value;
  }
  return undefined;
}

/** A TCP or UDP port. */
export function parsePort(value: unknown, problems: Problems): number | undefined {
  return parseInteger(value, { min: 1, max: 65535 }, problems);
}

/** One of a few words. */
export function parseChoice<T extends string>(
  value: unknown,
  allowed: readonly T[],
  problems: Problems,
): T | undefined {
  if (!(allowed as readonly unknown[]).includes(value)) {
    problems.add("", messages.notOneOf(value, allowed));
    return undefined;
  }
  return value as T;
}

/** The words of a command. */
export function parseWords(value: unknown, problems: Problems): readonly string[] | undefined {
  const isWord = (one: unknown): boolean => typeof one === "string" && one !== "" && !one.includes("\0");
  if (!Array.isArray(value) || value.length === 0 || !value.every(isWord)) {
    problems.add("", messages.notWords(value));
    return undefined;
  }
  return value as string[];
}
