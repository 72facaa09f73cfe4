/** From one division of a fleet to another: which hosts change their stack, and the script that moves them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { SshOnlyFirewallProps } from "../../ssh-only-firewall";
import { shellWord } from "../../output/shell-word";
import type { Fleet } from "../fleet-file";
import { COMMAND, messages } from "../messages";
import { stateConfiguration } from "../state-backend";
import { type FleetPart, stackOfHosts, stacksOf } from "../stacks";

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

/** The properties that the names of resources go by, with their defaults. */
const NAMING: Partial<SshOnlyFirewallProps> = { tracker: "null_resource", shards: 1, waves: [] };

export function migrationBetween(before: Fleet, after: Fleet): Migration {
  const goal = stackOfHosts(after);
  const made = new Set(stacksOf(after).map(({ name }) => name));
  const moves: Move[] = [];
  const stacks = new Map<string, string>();
  const problems = new Set<string>();
  const involve = (part: FleetPart): string => {
    const configuration = JSON.stringify({ terraform: stateConfiguration(part) });
    if (part.state?.kind === "cloud" && !configuration.includes('"name"')) {
      problems.add(messages.movedByTags(part.name));
    }
    const known = stacks.get(part.name);
    if (known !== undefined && known !== configuration) {
      problems.add(messages.movedBackend(part.name));
    }
    const twin = [...stacks].find(([name, other]) => name !== part.name && other === configuration);
    if (twin !== undefined) {
      problems.add(messages.sameState(part.name, twin[0]));
    }
    stacks.set(part.name, configuration);
    return part.name;
  };
  for (const [host, from] of stackOfHosts(before)) {
    const to = goal.get(host);
    if (to === undefined) {
      if (!made.has(from.name)) {
        problems.add(messages.leftBehind(host, from.name));
      }
    } else if (from.name !== to.name) {
      moves.push({ host, from: from.name, to: to.name });
    }
  }
  [...stacksOf(before), ...stacksOf(after)]
    .filter(({ name }) => moves.some(({ from, to }) => name === from || name === to))
    .forEach(involve);
  for (const [key, byDefault] of moves.length === 0 ? [] : Object.entries(NAMING)) {
    const [one, other] = [before, after].map(({ props }) => (props as Record<string, unknown>)[key] ?? byDefault);
    if (!isDeepStrictEqual(one, other)) {
      problems.add(messages.changedToo(key));
    }
  }
  return { moves, stacks, problems: [...problems] };
}

/** For a POSIX shell; what it moves stands in front of it. */
export function migrationScript({ moves, stacks }: Migration): string {
  if (moves.length === 0) {
    return `#!/bin/sh\n# ${messages.nothingToMove()}\n`;
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
