/** `move-hosts`: what the script of `stacks --from` calls between reading and writing states. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Argument, type Command } from "commander";
import type { Move } from "../fleet/migration/migration";
import { missingFrom, readStateFile, type States, withArrivals, withoutLeaving } from "../fleet/migration/moved-states";

const STEPS = { arrive: withArrivals, leave: withoutLeaving } as const;

/** Not for people, so that no help lists it. */
export function addMoveHosts(program: Command): void {
  program
    .command("move-hosts", { hidden: true })
    .description("Take one step of the script that stacks --from prints: write the states that Terraform then pushes.")
    .addArgument(new Argument("<STEP>").choices(Object.keys(STEPS)))
    .argument("<DIRECTORY>", "what the script has made")
    .action(moveHosts);
}

function moveHosts(step: keyof typeof STEPS, folder: string): void {
  const moves = readFileSync(join(folder, "moves"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line): Move => {
      const [host = "", from = "", to = ""] = line.split(" ");
      return { host, from, to };
    });
  const names = new Set(moves.flatMap(({ from, to }) => [from, to]));
  const states: States = new Map(
    [...names].map((name) => [name, readStateFile(readFileSync(join(folder, name, `${step}.tfstate`), "utf8"), name)]),
  );
  const moved = STEPS[step](states, moves);
  if (step === "arrive") {
    process.stdout.write(hostsFound(moves.length, missingFrom(states, moves)));
  }
  for (const [stack, state] of moved) {
    writeFileSync(join(folder, stack, `${step}-moved.tfstate`), `${JSON.stringify(state, undefined, 2)}\n`);
    process.stdout.write(
      `${stack}: ${step === "arrive" ? "with the hosts that move to it" : "without the hosts that left it"}\n`,
    );
  }
}

function hostsFound(all: number, missing: readonly string[]): string {
  const found = `${all - missing.length} of ${all} hosts found.\n`;
  return missing.length === 0
    ? found
    : `${found}In no state: ${missing.join(", ")}. If they were deployed before, move them now into the state that has them ` +
        "(ssh-only-firewall status --live shows who locked them), and run the script again. Otherwise the next deploy " +
        "locks them.\n";
}
