/**
 * Sentences with values in them. A value is never markup: what writes the sentence decides how a value looks, and what
 * of a value cannot be seen, or would end the place where it stands, is made visible.
 */
import { codeSpan, visible } from "../output/markdown";
import type { Value } from "./plan";

/** Strings are ours; values are somebody's. */
export type Text = ReadonlyArray<string | { readonly value: string }>;

/** ``text`${address} is unlocked` `` */
export function text(strings: TemplateStringsArray, ...values: ReadonlyArray<string | Value | Text>): Text {
  return strings.flatMap((string, index) => {
    const value = values[index];
    return [string, ...(value === undefined ? [] : partsOf(value))].filter((part) => part !== "");
  });
}

function partsOf(value: string | Value | Text): Text {
  if (typeof value === "string") {
    return [{ value }];
  }
  return "known" in value ? [{ value: value.known }] : "hidden" in value ? [`(${value.hidden})`] : value;
}

export function joined(parts: readonly Text[], separator = ", "): Text {
  return parts.flatMap((part, index) => (index === 0 ? part : [separator, ...part]));
}

export function plain(parts: Text): string {
  return parts.map((part) => (typeof part === "string" ? part : visible(part.value))).join("");
}

export function markdown(parts: Text): string {
  return parts.map((part) => (typeof part === "string" ? part : codeSpan(part.value))).join("");
}
