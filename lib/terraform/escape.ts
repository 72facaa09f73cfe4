/** One escape for each boundary that a text crosses, and the two kinds of value that cross them. */
import { shellWord } from "../output/shell-word";

/** What is known at synth; null is Terraform's "not set". */
export type Literal = string | number | boolean | null;

/** A value in the configuration: known at synth, or an expression that Terraform evaluates. */
export type Term = { readonly literal: Literal } | { readonly expression: string };

export const literal = (value: Literal): Term => ({ literal: value });
export const expression = (text: string): Term => ({ expression: text });

/** Text for a string in Terraform's JSON, where `${` and `%{` begin a template. */
export function templateLiteral(text: string): string {
  // Terraform drops a byte order mark in front, and reads no template right behind a carriage return.
  return /^\ufeff|\r/.test(text) || text.search(PREPENDED) >= 0 ? `\${${quoted(text)}}` : withoutTemplates(text);
}

function withoutTemplates(text: string): string {
  return text.replace(/([$%])\{/g, "$1$1{");
}

/** Text as a string within a Terraform expression, which has two escapes fewer than JSON. */
export function quoted(text: string): string {
  return withoutTemplates(inQuotes(text));
}

function inQuotes(text: string): string {
  return JSON.stringify(text)
    .replace(/\\./g, (escape) => NOT_IN_TERRAFORM[escape] ?? escape)
    .replace(PREPENDED, (one) => `\\U${one.codePointAt(0)?.toString(16).padStart(8, "0")}`);
}

/**
 * Characters that are one with what comes behind them (Grapheme_Cluster_Break=Prepend, Unicode 15), for Terraform also with a
 * quote, which then does not end its string.
 */
const PREPENDED =
  /[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u0d4e\u{110bd}\u{110cd}\u{111c2}\u{111c3}\u{1193f}\u{11941}\u{11a3a}\u{11a84}-\u{11a89}\u{11d46}\u{11f02}]/gu;

const NOT_IN_TERRAFORM: Readonly<Record<string, string>> = { "\\b": "\\u0008", "\\f": "\\u000c" };

/** A term as a value in Terraform's JSON. */
export function toJson(term: Term): Literal {
  if ("expression" in term) {
    return `\${${term.expression}}`;
  }
  return typeof term.literal === "string" ? templateLiteral(term.literal) : term.literal;
}

/** A term within a Terraform expression. */
export function toExpression(term: Term): string {
  if ("expression" in term) {
    return term.expression;
  }
  return typeof term.literal === "string" ? quoted(term.literal) : String(term.literal);
}

/** What `toJson` made of a term that is text, within a Terraform expression: one template, or none. */
export function jsonToExpression(text: string): string {
  return text.startsWith("${") ? text.slice(2, -1) : inQuotes(text);
}

/** A term as one word of POSIX sh, in a template: of what only Terraform knows, Terraform does the quoting. */
export function toShellWord(term: Term): string {
  return "expression" in term
    ? `'\${replace(${term.expression}, "'", "'\\\\''")}'`
    : templateLiteral(shellWord(String(term.literal)));
}

/** An expression of one map of several: of their names, which are in one of them only. */
export function merged(maps: readonly string[]): string {
  return maps.length === 1 ? maps.join() : `merge(${maps.join(", ")})`;
}
