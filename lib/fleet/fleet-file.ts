/**
 * The fleet file: the properties of SshOnlyFirewall under their own names, and what is said of its stacks, as YAML. What
 * the properties may be, lib/policy says; here they are read, and what is wrong with them is found again in the file.
 */
import { checkKeys, isObject } from "../input/keys";
import { describeProblem, Problems, withRest } from "../input/problems";
import { type Firewall, FIREWALL_KEYS, parseFirewall } from "../policy/firewall";
import { readText } from "./file-text";
import { FleetFileError } from "./fleet-file-error";
import { fleetFileMessages } from "./fleet-file-messages";
import { parseSplit, type Split } from "./split";
import { parseStateSettings, type StateSettings } from "./state-settings";
import { type PlacedProblem, YamlFile } from "./yaml-file";

export { DEFAULT_FILE } from "./file-text";

export interface Fleet {
  /** The stack's name, or how the names of several begin. Terraform's states go by it, so it must stay. @default "fleet" */
  readonly name: string;
  /** Its hosts, parsed, and what applies to all of them. */
  readonly firewall: Firewall;
  /** How the hosts are divided. @default - one stack has them all */
  readonly split: Split | undefined;
  /** Where the states are. @default - beside the fleet file */
  readonly state: StateSettings | undefined;
}

export function readFleet(file: string): Fleet {
  const { fleet, problems, count } = parseFleet(readText(file));
  if (fleet === undefined) {
    const placed = problems.map((problem) => `${file}:${problem.line}:${problem.column}: ${describeProblem(problem)}`);
    const others = withRest({ list: problems, count }).slice(problems.length);
    throw new FleetFileError([...placed, ...others.map((problem) => `${file}: ${describeProblem(problem)}`)]);
  }
  return fleet;
}

export interface ParsedFleet {
  readonly fleet?: Fleet;
  /** In the order of their places; of very many, the first that were found. */
  readonly problems: readonly PlacedProblem[];
  readonly count: number;
}

/** The fleet in a text, or else all problems with it. */
export function parseFleet(text: string): ParsedFleet {
  const yaml = new YamlFile(text);
  const problems = new Problems();
  const fleet = fleetOf(yaml.value, problems);
  const ofValue = [problems, ...(fleet === undefined ? [] : [fleet.firewall.found])];
  // What is wrong with the text explains what is wrong with its value.
  const explained = (path: string): boolean =>
    yaml.found.list.some((problem) => path === problem.path || /^[.[]/.test(rest(path, problem.path)));
  // The firewall's only problem without a path is that it has no host, which is said with its place.
  const placed = ofValue
    .flatMap(({ list }, index) => list.filter(({ path }) => !explained(path) && (index === 0 || path !== "")))
    .map((problem) => yaml.place(problem));
  const list = [...yaml.found.list, ...placed].sort((a, b) => a.line - b.line || a.column - b.column);
  const unlisted = [yaml.found, ...ofValue].reduce((sum, found) => sum + found.count - found.list.length, 0);
  return {
    ...(fleet === undefined || list.length > 0 ? {} : { fleet }),
    problems: list,
    count: list.length + unlisted,
  };
}

function rest(path: string, above: string): string {
  return above !== "" && path.startsWith(above) ? path.slice(above.length) : "";
}

/** The construct's properties that a file can hold: all but `dependsOn`, which are other resources. */
const PROPS_KEYS = FIREWALL_KEYS.filter((key) => key !== "dependsOn");

export const FLEET_KEYS = ["name", ...PROPS_KEYS, "stacks", "terraform"] as const;

/** Undefined where the value is no fleet at all; otherwise it may have problems. */
function fleetOf(value: unknown, problems: Problems): Fleet | undefined {
  if (!isObject(value)) {
    if (value !== undefined) {
      problems.add("", value === null ? fleetFileMessages.isEmpty() : fleetFileMessages.notAFleet(value));
    }
    return undefined;
  }
  checkKeys(value, FLEET_KEYS, problems);
  const name = parseName(value.name, problems.at("name"));
  const split = parseSplit(value, name, problems);
  const state = parseStateSettings(value.terraform, split !== undefined, problems.at("terraform"));
  if (value.hosts === undefined || (isObject(value.hosts) && Object.keys(value.hosts).length === 0)) {
    problems.add("hosts", fleetFileMessages.noHosts());
  }
  const known: Record<string, unknown> = { ...value, hosts: withoutGroups(value.hosts) };
  const props = Object.fromEntries(PROPS_KEYS.filter((key) => key in value).map((key) => [key, known[key]]));
  return { name, firewall: parseFirewall(props), split, state };
}

/** A firewall knows nothing of groups. */
function withoutGroups(hosts: unknown): unknown {
  if (!isObject(hosts)) {
    return hosts;
  }
  const without = (host: unknown): unknown =>
    isObject(host) && "group" in host
      ? Object.fromEntries(Object.entries(host).filter(([key]) => key !== "group"))
      : host;
  return Object.fromEntries(Object.entries(hosts).map(([key, host]) => [key, without(host)]));
}

const DEFAULT_NAME = "fleet";
export const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;

function parseName(value: unknown, problems: Problems): string {
  if (typeof value === "string" && NAME.test(value)) {
    return value;
  }
  if (value !== undefined) {
    problems.add("", fleetFileMessages.badName(value));
  }
  return DEFAULT_NAME;
}
