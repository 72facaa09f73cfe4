/** `stacks`: what stacks a fleet file makes, for people and for CI, and how its hosts come from one division to another. */
import { type Command, Option } from "commander";
import { DEFAULT_FILE, readFleet } from "../fleet/fleet-file";
import { FleetFileError } from "../fleet/fleet-file-error";
import { migrationBetween, migrationScript } from "../fleet/migration/migration";
import { emptyStacksOf, stacksOf } from "../fleet/stacks";
import { columns } from "../output/columns";
import { messages } from "./messages";

interface StacksOptions {
  readonly json?: boolean;
  readonly from?: string;
}

const HELP = `
With --json it prints a matrix for CI: in GitHub Actions, strategy: { matrix: \${{ fromJSON(…) }} }, as in examples/stacks.yml.

With --from it prints a shell script that moves hosts from the states of the earlier fleet file to those of this one. Run
it BEFORE the first deploy with this file: else the stack that a host leaves unlocks it, and it is open until the other one has
locked it. The script runs nothing on hosts, stops at the first error, and can be run again.

Examples:
  $ ssh-only-firewall stacks
  $ ssh-only-firewall stacks --json | jq -r '.include[].stack'
  $ git show HEAD:fleet.yaml > earlier.yaml; ssh-only-firewall stacks --from earlier.yaml > move.sh; sh move.sh
`;

export function addStacks(program: Command): void {
  program
    .command("stacks")
    .summary("list the stacks of a fleet, for people or for CI, or move hosts between them")
    .description("Lists the stacks that a fleet file makes, each with its number of hosts.")
    .argument("[FLEET]", "the fleet file", DEFAULT_FILE)
    .addOption(new Option("--json", "a matrix for CI, instead of the table"))
    .addOption(
      new Option(
        "--from <FLEET>",
        "an earlier fleet file: print a script that moves hosts to their new stacks",
      ).conflicts("json"),
    )
    .addHelpText("after", HELP)
    .action((file: string, options: StacksOptions) => {
      process.stdout.write(written(file, options));
    });
}

function written(file: string, { json, from }: StacksOptions): string {
  const fleet = readFleet(file);
  if (from !== undefined) {
    const migration = migrationBetween(readFleet(from), fleet);
    if (migration.problems.length > 0) {
      throw new FleetFileError(migration.problems.map((problem) => `${from}: ${problem}`));
    }
    return migrationScript(migration);
  }
  const stacks = stacksOf(fleet).map(({ name, props }) => ({
    stack: name,
    hosts: Object.keys(props.hosts ?? {}).length,
  }));
  if (json === true) {
    return `${JSON.stringify({ include: stacks })}\n`;
  }
  const rows = stacks.map(({ stack, hosts }) => [stack, String(hosts)]);
  const empty = emptyStacksOf(fleet);
  return [
    ...columns([["STACK", "HOSTS"], ...rows]),
    ...(empty.length === 0 ? [] : ["", messages.emptyStacks(empty)]),
    "",
  ].join("\n");
}
