/** `--format`, and its short forms. */
import { type Command, Option } from "commander";
import type { Format, Formats } from "../output/formats";

/** What commander has of them: `format`, and true for a short form. */
export type FormatOptions = object;

const shortForms = (formats: Formats<never>): readonly string[] =>
  Object.keys(formats).filter((name) => formats[name]?.hasShortForm === true);

export function addFormatOptions(command: Command, formats: Formats<never>): Command {
  const names = Object.keys(formats);
  const shorts = shortForms(formats);
  command.addOption(new Option("--format <FORMAT>", "the output format; see below").choices(names));
  shorts.forEach((name, index) => {
    const others = ["format", ...shorts.slice(0, index)];
    command.addOption(new Option(`--${name}`, `short for --format ${name}`).conflicts(others));
  });
  const width = Math.max(...names.map((name) => name.length)) + 2;
  const lines = names.map((name) => `  ${name.padEnd(width)}${formats[name]?.help}`);
  return command.addHelpText("after", ["", "Formats:", ...lines].join("\n"));
}

/** The name of the format that was given, or of the short form. */
export function formatGiven(formats: Formats<never>, options: FormatOptions): string | undefined {
  const given = new Map<string, unknown>(Object.entries(options));
  const format = given.get("format");
  return typeof format === "string" ? format : shortForms(formats).find((name) => given.get(name) === true);
}

/** @param fallback by default the first format */
export function formatIn<T>(formats: Formats<T>, options: FormatOptions, fallback?: string): Format<T> {
  const name = formatGiven(formats, options) ?? fallback;
  const format = name === undefined ? Object.values(formats)[0] : formats[name];
  if (format === undefined) {
    throw new RangeError(`no format ${name}`);
  }
  return format;
}
