/** The properties of a policy as options of a command. */
import { type Command, Option } from "commander";
import { EXCEPTION_KINDS } from "../policy/exception";
import { parsePolicy, type Policy } from "../policy/policy";
import { type Problem, Problems } from "../input/problems";
import { CommandError } from "./errors";
import { collect } from "./option-values";

/** As commander hands them over: the options that were given, by the name of the property that they set. */
export interface PolicyOptions {
  readonly sshPort?: unknown;
  readonly allowFrom?: readonly string[];
  readonly exception?: readonly string[];
  readonly deniedInbound?: string;
  readonly deniedOutbound?: string;
  readonly logDeniedPerMinute?: unknown;
  readonly mode?: string;
}

/** The policy checks whether it is a valid number. */
const number = (value: string): unknown => (/^[0-9]+$/.test(value) ? Number(value) : value);

const OPTIONS: readonly Option[] = [
  new Option("--ssh-port <PORT>", "the TCP port that sshd listens on (default: 22)").argParser(number),
  new Option(
    "--allow-from <SOURCE>",
    "an address or range that may reach SSH; may be repeated (default: anywhere)",
  ).argParser(collect(String)),
  new Option(
    "--exception <EXCEPTION>",
    `what may pass besides SSH, as KIND or KIND,NAME=VALUE,…; may be repeated. Kinds: ${EXCEPTION_KINDS.join(", ")}`,
  ).argParser(collect(String)),
  new Option("--denied-inbound <ANSWER>", "drop or reject (default: drop)"),
  new Option("--denied-outbound <ANSWER>", "drop or reject (default: reject)"),
  new Option("--log-denied-per-minute <COUNT>", "how many denied packets to log (default: none)").argParser(number),
  new Option(
    "--mode <MODE>",
    "enforce, or observe: deny nothing and record what enforce would deny (default: enforce)",
  ),
];

export function addPolicyOptions(command: Command): Command {
  OPTIONS.forEach((option) => command.addOption(option));
  return command;
}

/** The policy options among what was given, as the user knows them. */
export function policyOptionsIn(given: object): readonly string[] {
  return OPTIONS.filter((option) => option.attributeName() in given).flatMap(({ long }) => long ?? []);
}

const isPolicyOption = (name: string): boolean => OPTIONS.some((option) => option.attributeName() === name);

/** Of the options of a command, which may have others too. */
export function policyOf(options: PolicyOptions): Policy {
  const { exception } = options;
  const others = Object.entries(options).filter(([name]) => name !== "exception" && isPolicyOption(name));
  const found = new Problems();
  const exceptions = exception?.map((text) => exceptionEntry(text));
  const policy = parsePolicy({ ...Object.fromEntries(others), exceptions }, found);
  if (policy === undefined) {
    throw new CommandError(found.list.map((problem) => described(problem, exception ?? [])).join("\n"), 2);
  }
  return policy;
}

/** `dns,resolvers=192.0.2.53,resolvers=2001:db8::53` as a fleet file has it; a name that is repeated makes a list. */
function exceptionEntry(text: string): Record<string, unknown> {
  const [kind, ...settings] = text.split(",");
  const entry: Record<string, unknown> = { kind };
  for (const setting of settings) {
    const [, name = "", value = ""] = /^([^=]*)=?(.*)$/s.exec(setting) ?? [];
    const before = Object.hasOwn(entry, name) ? [entry[name]].flat() : undefined;
    Object.defineProperty(entry, name, {
      value: before === undefined ? valueOf(name, value) : [...before, value],
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return entry;
}

/** A protocol has a name or a number. */
const valueOf = (name: string, value: string): unknown =>
  name === "port" || name === "protocol" ? number(value) : value;

/** A problem at the option that it is with. */
function described({ path, message }: Problem, exceptions: readonly string[]): string {
  const {
    property = "",
    index,
    below,
  } = /^(?<property>\w+)(?:\[(?<index>[0-9]+)\])?\.?(?<below>.*)$/s.exec(path)?.groups ?? {};
  const place =
    property === "exceptions"
      ? `--exception ${exceptions[Number(index)]}${below === "" ? "" : `: ${below}`}`
      : `--${property.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  return `${place}: ${message}`;
}
