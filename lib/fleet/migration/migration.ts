/** From one division of a fleet to another: which hosts change their stack, and the script that moves them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { shellWord } from "../../output/shell-word";
import type { Fleet } from "../fleet-file";
import { COMMAND } from "../fleet-file-messages";
import { type FleetPart, stackOfHosts, stacksOf } from "../stacks";
import { stateConfiguration } from "../state-backend";
import { migrationMessages } from "./migration-messages";

/** A host whose state is another one from now on. Stacks are called by their names. */
export interface Move {
  readonly host: string;
  readonly from: string;
  readonly to: string;
}

export interface Migration {
  readonly moves: readonly Move[];
  /** The stacks that hosts leave or go to, each with the configuration that finds its state. */
  readonly stacks: ReadonlyMap<string, string>;
  /** Why it cannot be done as it stands. */
  readonly problems: readonly string[];
}

/** The properties that the names of resources go by. */
const namingOf = ({ firewall: { settings } }: Fleet) => ({
  tracker: settings.tracker,
  shards: settings.layout.shards,
  waves: settings.layout.waves,
});

export function migrationBetween(before: Fleet, after: Fleet): Migration {
  const [from, to] = [stacksOf(before), stacksOf(after)];
  const { moves, leftBehind } = movesBetween(from, to);
  const names = new Set(moves.flatMap((move) => [move.from, move.to]));
  const involved = [...from, ...to].filter(({ name }) => names.has(name));
  const stacks = new Map(involved.map((part) => [part.name, configurationOf(part)]));
  const naming = namingOf(after);
  const changed = Object.entries(namingOf(before)).filter(
    ([key, value]) => !isDeepStrictEqual(value, naming[key as keyof typeof naming]),
  );
  return {
    moves,
    stacks,
    problems: [
      ...leftBehind,
      ...new Set(problemsOfStates(involved)),
      ...(moves.length === 0 ? [] : changed.map(([key]) => migrationMessages.changedToo(key))),
    ],
  };
}

function movesBetween(
  before: readonly FleetPart[],
  after: readonly FleetPart[],
): { readonly moves: readonly Move[]; readonly leftBehind: readonly string[] } {
  const goal = stackOfHosts(after);
  const made = new Set(after.map(({ name }) => name));
  const moves: Move[] = [];
  const leftBehind: string[] = [];
  for (const [host, { name: from }] of stackOfHosts(before)) {
    const to = goal.get(host)?.name;
    if (to !== undefined && to !== from) {
      moves.push({ host, from, to });
    } else if (to === undefined && !made.has(from)) {
      leftBehind.push(migrationMessages.leftBehind(host, from));
    }
  }
  return { moves, leftBehind };
}

/** What finds the state of a stack. */
function configurationOf(part: FleetPart): string {
  return JSON.stringify({ terraform: stateConfiguration(part) });
}

/** Why a script would not find each state, or would take one for another. */
function problemsOfStates(parts: readonly FleetPart[]): readonly string[] {
  const byName = new Map<string, string>();
  const byState = new Map<string, string>();
  return parts.flatMap((part) => {
    const { name, state } = part;
    const configuration = configurationOf(part);
    const known = byName.get(name);
    const twin = byState.get(configuration);
    byName.set(name, configuration);
    byState.set(configuration, twin ?? name);
    return [
      ...(state?.kind === "cloud" && !configuration.includes('"name"') ? [migrationMessages.movedByTags(name)] : []),
      ...(known !== undefined && known !== configuration ? [migrationMessages.movedBackend(name)] : []),
      ...(twin !== undefined && twin !== name ? [migrationMessages.sameState(name, twin)] : []),
    ];
  });
}

/** For a POSIX shell; what it moves stands in front of it. */
export function migrationScript({ moves, stacks }: Migration): string {
  if (moves.length === 0) {
    return `#!/bin/sh\n# ${migrationMessages.nothingToMove()}\n`;
  }
  const counts = new Map<string, number>();
  for (const { from, to } of moves) {
    counts.set(`${from} to ${to}`, (counts.get(`${from} to ${to}`) ?? 0) + 1);
  }
  const constants = {
    STACKS: [...stacks].map(([name, configuration]) => `${name} ${configuration}`).join("\n"),
    MOVES: moves.map(({ host, from, to }) => `${host} ${from} ${to}`).join("\n"),
    COMMAND,
  };
  return [
    "#!/bin/sh",
    ...[...counts].map(([way, count]) => `# ${way}: ${count} ${count === 1 ? "host" : "hosts"}`),
    "",
    ...Object.entries(constants).map(([name, value]) => `${name}=${shellWord(value)}`),
    "",
    readFileSync(join(__dirname, "migrate.sh"), "utf8"),
  ].join("\n");
}
