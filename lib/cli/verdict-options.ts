/** The options that change the verdict of `report`, or which hosts are shown. */
import { BlockList, isIP, isIPv4 } from "node:net";
import { type Command, InvalidArgumentError, Option } from "commander";
import { listed, shown } from "../output/text";
import {
  DEFAULT_SETTINGS,
  type Ignored,
  type Threshold,
  THRESHOLDS,
  type Verdict,
  VERDICTS,
  type VerdictSettings,
} from "../report/verdict-rules";
import { collect } from "./option-values";

export interface VerdictOptions {
  readonly only?: readonly Verdict[];
  readonly host?: readonly string[];
  readonly explain?: true;
  readonly unusedFor?: number;
  readonly ignore?: readonly Ignored[];
  readonly threshold?: ReadonlyArray<readonly [Threshold, number]>;
  readonly since?: string;
  readonly save?: string;
}

export function addVerdictOptions(command: Command): Command {
  return command
    .addOption(new Option("--host <NAME>", "ask this host alone; may be repeated").argParser(collect(String)))
    .addOption(
      new Option("--only <VERDICTS>", "show only hosts with these verdicts, such as used,unknown").argParser(verdicts),
    )
    .option("--explain", "show in the table each part of the evidence with its rule; JSON and page always have it")
    .addOption(
      new Option(
        "--unused-for <DURATION>",
        "fail unless every host has been unused for so long: 30d, 12h, 90s",
      ).argParser(duration),
    )
    .addOption(
      new Option(
        "--ignore <WHAT>",
        "leave out of the verdict: ADDRESS, ADDRESS/PREFIX, PORT/tcp, PORT/udp, or both as 192.0.2.7,443/tcp; may be repeated",
      ).argParser(collect(ignored)),
    )
    .addOption(
      new Option("--threshold <NAME=NUMBER>", "change a threshold of the rules; may be repeated").argParser(
        collect(threshold),
      ),
    )
    .option("--since <FILE>", "show what has changed since the report that --json printed into this file")
    .option("--save <FILE>", "write the report as JSON into this file too, for the next --since");
}

export const THRESHOLD_HELP = Object.entries(THRESHOLDS)
  .map(([name, { value, meaning }]) => `  ${name.padEnd(16)}${meaning} (default: ${value})`)
  .join("\n");

export function verdictSettings({ unusedFor, ignore = [], threshold: changed = [] }: VerdictOptions): VerdictSettings {
  return {
    thresholds: { ...DEFAULT_SETTINGS.thresholds, ...Object.fromEntries(changed) },
    unusedForSeconds: unusedFor,
    ignored: ignore,
  };
}

function verdicts(value: string): readonly Verdict[] {
  return value.split(",").map((word) => {
    if (!Object.hasOwn(VERDICTS, word)) {
      throw new InvalidArgumentError(`It must be verdicts, separated by commas: ${listed(Object.keys(VERDICTS))}.`);
    }
    return word as Verdict;
  });
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

function duration(value: string): number {
  const [, number, unit = ""] = /^([1-9]\d{0,5})([smhdw])$/.exec(value) ?? [];
  if (number === undefined) {
    throw new InvalidArgumentError("It must be a number with its unit: 30d, 12h, 90m, 45s, 4w.");
  }
  return Number(number) * (SECONDS[unit] ?? 0);
}

function threshold(value: string): readonly [Threshold, number] {
  const [, name = "", number] = /^([a-z-]{1,40})=(\d{1,9})$/.exec(value) ?? [];
  if (number === undefined || !Object.hasOwn(THRESHOLDS, name)) {
    throw new InvalidArgumentError(`It must be NAME=NUMBER, with a name of: ${listed(Object.keys(THRESHOLDS))}.`);
  }
  return [name as Threshold, Number(number)];
}

export function ignored(text: string): Ignored {
  const parts = text.split(",");
  const ports = parts.flatMap((part) => /^([1-9]\d{0,4})\/(tcp|udp)$/.exec(part)?.slice(1, 3).join(" ") ?? []);
  const sources = parts.filter((part) => !/^\d+\/(tcp|udp)$/.test(part));
  if (ports.length + sources.length !== parts.length || ports.length > 1 || sources.length > 1) {
    throw new InvalidArgumentError(NOT_IGNORED);
  }
  const covers = sources[0] === undefined ? () => true : coveredBy(sources[0]);
  return {
    text,
    covers: (peer, protocol, port) => (ports[0] === undefined || ports[0] === `${port} ${protocol}`) && covers(peer),
  };
}

function coveredBy(source: string): (peer: string) => boolean {
  const [, address = "", prefix] = /^([0-9A-Fa-f.:]{2,45})(?:\/(\d{1,3}))?$/.exec(source) ?? [];
  const family = isIPv4(address) ? "ipv4" : "ipv6";
  const longest = family === "ipv4" ? 32 : 128;
  if (isIP(address) === 0 || Number(prefix ?? longest) > longest) {
    throw new InvalidArgumentError(`${shown(source)} is no address, range or port. ${NOT_IGNORED}`);
  }
  const list = new BlockList();
  list.addSubnet(address, Number(prefix ?? longest), family);
  return (peer) => isIP(peer) !== 0 && list.check(peer, isIPv4(peer) ? "ipv4" : "ipv6");
}

const NOT_IGNORED = "It must be 192.0.2.7, 192.0.2.0/24, 161/udp, or an address and a port: 192.0.2.7,443/tcp.";
