/**
 * The fleet file: the properties of SshOnlyFirewall under their own names, and what is said of its stacks, as YAML. What
 * the properties may be, the construct says; here they are read, and what is wrong with them is found again in the file.
 */
import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { basename, dirname } from "node:path";
import { TerraformStack } from "cdktf";
import { RootConstruct } from "constructs";
import { SHARED_KEYS } from "../policy/host";
import { checkKeys, isObject } from "../input/keys";
import { parseLayout } from "../policy/layout";
import { describeProblem, Problems } from "../input/problems";
import { SshOnlyFirewall, type SshOnlyFirewallProps } from "../ssh-only-firewall";
import { FleetFileError } from "./fleet-file-error";
import { COMMAND, messages } from "./messages";
import { parseSplit, type Split } from "./split";
import { parseStateSettings, type StateSettings } from "./state-settings";
import { type PlacedProblem, YamlFile } from "./yaml-file";

export interface Fleet {
  /** The stack's name, or how the names of several begin. Terraform's states go by it, so it must stay. @default "fleet" */
  readonly name: string;
  readonly props: SshOnlyFirewallProps;
  /** How the hosts are divided. @default - one stack has them all */
  readonly split?: Split;
  /** Where the states are. @default - beside the fleet file */
  readonly state?: StateSettings;
}

export const DEFAULT_FILE = "fleet.yaml";

/** The construct's properties that a file can hold: all but `dependsOn`, which are other resources. */
const PROPS_KEYS = [
  ...SHARED_KEYS,
  "hosts",
  "onDestroy",
  "tracker",
  "shards",
  "movedFromShards",
  "waves",
  "detectDrift",
  "driftProgram",
] as const satisfies ReadonlyArray<keyof SshOnlyFirewallProps>;

export function readFleet(file: string): Fleet {
  const { fleet, problems } = parseFleet(readText(file));
  if (fleet === undefined) {
    const where = ({ line, column }: PlacedProblem): string => `${file}:${line}:${column}`;
    throw new FleetFileError(problems.map((problem) => `${where(problem)}: ${describeProblem(problem)}`));
  }
  return fleet;
}

/** The fleet in a text, or else all problems with it in the order of their places. */
export function parseFleet(text: string): { readonly fleet?: Fleet; readonly problems: readonly PlacedProblem[] } {
  const yaml = new YamlFile(text);
  const { fleet, found } = fleetOf(yaml.value);
  // What is wrong with the text explains what is wrong with its value.
  const explained = (path: string): boolean =>
    yaml.problems.some((problem) => path === problem.path || /^[.[]/.test(rest(path, problem.path)));
  const problems = [
    ...yaml.problems,
    ...found.list.filter(({ path }) => !explained(path)).map((problem) => yaml.place(problem)),
  ];
  return problems.length === 0
    ? { fleet, problems }
    : { problems: problems.sort((a, b) => a.line - b.line || a.column - b.column) };
}

function rest(path: string, above: string): string {
  return above !== "" && path.startsWith(above) ? path.slice(above.length) : "";
}

function fleetOf(value: unknown): { readonly fleet?: Fleet; readonly found: Problems } {
  const found = new Problems();
  if (value === undefined) {
    return { found };
  }
  if (!isObject(value)) {
    found.add("", value === null ? messages.isEmpty() : messages.notAFleet(value));
    return { found };
  }
  checkKeys(value, ["name", ...PROPS_KEYS, "stacks", "terraform"], found);
  const name = parseName(value.name, found.at("name"));
  const split = parseSplit(value, name, found);
  const state = parseStateSettings(value.terraform, split !== undefined, found.at("terraform"));
  const known: Record<string, unknown> = { ...value, hosts: withoutGroups(value.hosts) };
  const props = Object.fromEntries(PROPS_KEYS.filter((key) => key in value).map((key) => [key, known[key]]));
  if (value.hosts === undefined || (isObject(value.hosts) && Object.keys(value.hosts).length === 0)) {
    found.add("hosts", messages.noHosts());
  }
  // The construct's only problem without a path is that it has no host, which was just said.
  problemsOf(props).forEach(({ path, message }) => path === "" || found.add(path, message));
  return { fleet: { name, props, split, state }, found };
}

/** The construct knows nothing of groups. */
function withoutGroups(hosts: unknown): unknown {
  if (!isObject(hosts)) {
    return hosts;
  }
  const without = (host: unknown): unknown =>
    isObject(host) ? Object.fromEntries(Object.entries(host).filter(([key]) => key !== "group")) : host;
  return Object.fromEntries(Object.entries(hosts).map(([key, host]) => [key, without(host)]));
}

const DEFAULT_NAME = "fleet";

function parseName(value: unknown, problems: Problems): string {
  if (typeof value === "string" && /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/.test(value)) {
    return value;
  }
  if (value !== undefined) {
    problems.add("", messages.badName(value));
  }
  return DEFAULT_NAME;
}

/** Asks the construct itself, in a stack that is not written; of shards with which nothing is wrong it needs only one. */
function problemsOf(props: SshOnlyFirewallProps): SshOnlyFirewall["problems"] {
  const ofLayout = new Problems();
  parseLayout({ ...props }, ofLayout);
  const shards = ofLayout.list.length > 0 ? {} : { shards: undefined, movedFromShards: undefined };
  const stack = new TerraformStack(new RootConstruct(), "unwritten");
  return new SshOnlyFirewall(stack, "fleet", { ...props, ...shards }).problems;
}

function readText(file: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new FleetFileError([`${file}: ${whyUnreadable(file, error as NodeJS.ErrnoException)}`]);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new FleetFileError([`${file}: ${messages.notUtf8()}`]);
  }
}

function whyUnreadable(file: string, error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "ENOENT":
      return messages.notThere(basename(file) === DEFAULT_FILE ? initCommand(dirname(file)) : undefined);
    case "EISDIR":
      return messages.isFolder();
    case "EACCES":
      return messages.notReadable(userInfo().username);
    default:
      return messages.cannotRead(error.message);
  }
}

function initCommand(folder: string): string {
  return `${COMMAND} init${folder === "." ? "" : ` ${folder}`}`;
}
