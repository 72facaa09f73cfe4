/**
 * Text that is safe to carry: from a fleet file through TypeScript, Terraform's templates and a shell into a ruleset.
 * Each boundary has its own escape as well; this check exists because no name or address needs these characters.
 */
import { Token, Tokenization } from "../framework/framework";
import type { Problems } from "./problems";
import { valueMessages } from "./value-messages";

const HARMFUL: ReadonlyArray<readonly [RegExp, string]> = [
  [/[\p{C}\p{Zl}\p{Zp}]/u, "a line break or another invisible character"],
  [/["']/, "a quote"],
  [/\\/, "a backslash"],
  [/`/, "a backtick"],
  [/\$\{/, 'a Terraform template ("${")'],
  [/%\{/, 'a Terraform template ("%{")'],
];

/** As long as a path can be. */
const LONGEST = 4096;

/**
 * Whether `value` is short text without control characters, quotes, backslashes, backticks, `${` and `%{`; adds a problem
 * otherwise. In text with cdktf tokens the parts between the tokens are checked.
 */
export function plainText(value: unknown, problems: Problems): value is string {
  if (typeof value !== "string") {
    problems.add("", valueMessages.notAString(value));
    return false;
  }
  if (value.length > LONGEST) {
    problems.add("", valueMessages.longText(value.length, LONGEST));
    return false;
  }
  const parts = literalParts(value);
  if (parts === undefined) {
    problems.add("", valueMessages.unknownToken(value));
    return false;
  }
  const harm = HARMFUL.find(([pattern]) => parts.some((part) => pattern.test(part)));
  if (harm !== undefined) {
    problems.add("", valueMessages.notPlain(value, harm[1]));
    return false;
  }
  return true;
}

/** The text around the tokens; undefined when it has the form of a token that cdktf never made. */
export function literalParts(text: string): readonly string[] | undefined {
  if (!Token.isUnresolved(text)) {
    return [text];
  }
  try {
    return Tokenization.reverseString(text).literals.map(String);
  } catch {
    return undefined;
  }
}
