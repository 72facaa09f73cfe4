/** Checks of single values that are neither text nor an address. */
import { Token } from "../framework/framework";
import type { Problems } from "./problems";
import { valueMessages } from "./value-messages";

export function parseBoolean(value: unknown, problems: Problems): boolean | undefined {
  if (typeof value !== "boolean") {
    problems.add("", valueMessages.notBoolean(value));
    return undefined;
  }
  return value;
}

/** A whole number; `remedy` is shown when it is out of range. */
export function parseInteger(
  value: unknown,
  range: { readonly min: number; readonly max: number; readonly remedy?: string },
  problems: Problems,
): number | undefined {
  if (Token.isUnresolved(value)) {
    problems.add("", valueMessages.numberIsToken());
  } else if (typeof value !== "number") {
    problems.add("", valueMessages.notANumber(value, range.min, range.max));
  } else if (!Number.isInteger(value) || value < range.min || value > range.max) {
    problems.add("", valueMessages.numberOutOfRange(value, range.min, range.max, range.remedy ?? ""));
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
export function parseChoice<T extends string | boolean>(
  value: unknown,
  allowed: readonly T[],
  problems: Problems,
): T | undefined {
  const found = allowed.find((one) => one === value);
  if (found === undefined) {
    problems.add("", valueMessages.notOneOf(value, allowed));
  }
  return found;
}

const MOST_ITEMS = 100_000;

/** Its items, holes too, which would otherwise pass unseen. */
export function parseList(value: unknown, problems: Problems): readonly unknown[] | undefined {
  if (!Array.isArray(value)) {
    problems.add("", valueMessages.notAList(value));
  } else if (value.length > MOST_ITEMS) {
    problems.add("", valueMessages.longList(value.length, MOST_ITEMS));
  } else {
    return Array.from<unknown>(value);
  }
  return undefined;
}

/** A program and its arguments. */
export function parseCommand(value: unknown, problems: Problems): readonly string[] | undefined {
  const isWord = (one: unknown): one is string => typeof one === "string" && one !== "" && !one.includes("\0");
  const words = Array.isArray(value) && value.length <= MOST_ITEMS ? Array.from<unknown>(value) : [];
  if (words.length === 0 || !words.every(isWord)) {
    problems.add("", valueMessages.notCommand(value));
    return undefined;
  }
  return words;
}
