/** `move-hosts`: what the script of `stacks --from` calls between reading and writing states. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Argument, type Command } from "commander";
import type { Move } from "../fleet/migration/migration";
import {
  missingFrom,
  MoveError,
  readStateFile,
  type States,
  withArrivals,
  withoutLeaving,
} from "../fleet/migration/moved-states";
import { CommandError } from "./errors";
import { messages } from "./messages";

const STEPS = { arrive: withArrivals, leave: withoutLeaving } as const;

/** Not for people, so that no help lists it. */
export function addMoveHosts(program: Command): void {
  program
    .command("move-hosts", { hidden: true })
    .description(
      "Takes one step of the script that stacks --from prints: writes the states that Terraform then pushes.",
    )
    .addArgument(new Argument("<STEP>").choices(Object.keys(STEPS)))
    .argument("<FOLDER>", "what the script has made")
    .action(moveHosts);
}

function moveHosts(step: keyof typeof STEPS, folder: string): void {
  const moves = readFileSync(join(folder, "moves"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line): Move => {
      const [host, from, to] = line.split(" ");
      return { host, from, to };
    });
  try {
    const names = [...new Set(moves.flatMap(({ from, to }) => [from, to]))];
    const states: States = new Map(
      names.map((name) => [name, readStateFile(readFileSync(join(folder, name, `${step}.tfstate`), "utf8"), name)]),
    );
    const missing = missingFrom(states, moves);
    const moved = STEPS[step](states, moves);
    if (step === "arrive") {
      process.stdout.write(messages.hostsFound(moves.length, missing));
    }
    for (const [stack, state] of moved) {
      writeFileSync(join(folder, stack, `${step}-moved.tfstate`), `${JSON.stringify(state, undefined, 2)}\n`);
      process.stdout.write(messages.stepOf(stack, step));
    }
  } catch (error) {
    throw error instanceof MoveError ? new CommandError(error.message, 1) : error;
  }
}
