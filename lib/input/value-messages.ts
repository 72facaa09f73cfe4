/** What is wrong with a value, whatever it is for. Its place goes in front (problems.ts); each message names the remedy. */
import { kindOf, shown } from "../output/text";

export const didYouMean = (suggestion: string): string => `did you mean ${suggestion}?`;

export const valueMessages = {
  unknownKey: (suggestion: string | undefined, known: readonly string[]): string =>
    suggestion !== undefined
      ? `unknown; ${didYouMean(suggestion)}`
      : `unknown; ${known.length === 0 ? "no keys are allowed here" : `known here: ${known.join(", ")}`}`,
  required: (): string => "is missing",
  isEmpty: (): string => "is empty; leave it out instead",
  notAnObject: (value: unknown): string => `must be an object with named values, not ${kindOf(value)}`,
  notAList: (value: unknown): string =>
    typeof value === "string"
      ? `must be a list; ${didYouMean(`[${shown(value)}]`)}`
      : `must be a list, not ${kindOf(value)}`,
  longList: (length: number, most: number): string => `has ${length} items; shorten it to at most ${most}`,
  notBoolean: (value: unknown): string => `must be true or false, not ${kindOf(value)}`,
  notOneOf: (value: unknown, allowed: ReadonlyArray<string | boolean>): string =>
    `must be ${allowed.map(kindOf).join(" or ")}, not ${kindOf(value)}`,
  notCommand: (value: unknown): string =>
    `must be a program and its arguments, a list of texts such as ["npx", "--no", "ssh-only-firewall", "drift"], not ${kindOf(value)}`,

  // Text
  notAString: (value: unknown): string => `must be text, not ${kindOf(value)}`,
  longText: (length: number, most: number): string => `has ${length} characters; shorten it to at most ${most}`,
  notPlain: (value: string, found: string): string =>
    `${shown(value)} contains ${found}, which could change the meaning of the firewall rules; remove it`,
  hasSpaces: (value: string): string => `${shown(value)} contains a space`,
  unknownToken: (value: string): string =>
    `${shown(value)} names a token that cdktf does not know; use the attribute itself, such as bastion.privateIp`,

  // Numbers
  notANumber: (value: unknown, min: number, max: number): string =>
    typeof value === "string" && /^[0-9]{1,9}$/.test(value)
      ? `must be a number, not text; ${didYouMean(`${Number(value)} without quotes`)}`
      : `must be a whole number from ${min} to ${max}, not ${kindOf(value)}`,
  numberOutOfRange: (value: number, min: number, max: number, remedy: string): string =>
    `must be a whole number from ${min} to ${max}, not ${value}${remedy === "" ? "" : `; ${remedy}`}`,
  numberIsToken: (): string =>
    "is a token, whose value is unknown until apply; the ruleset is written at synth, so give the number itself",
} as const;
