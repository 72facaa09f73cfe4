/** `stacks`: the stacks that a fleet file makes, for people and for CI, and how hosts move from one division to another. */
import { type Command, Option } from "commander";
import { DEFAULT_FILE, readFleet } from "../fleet/fleet-file";
import { FleetFileError } from "../fleet/fleet-file-error";
import { migrationBetween, migrationScript } from "../fleet/migration/migration";
import { emptyStacksOf, stacksOf } from "../fleet/stacks";
import { columns } from "../output/columns";
import type { Formats } from "../output/formats";
import { listed } from "../output/text";
import { addFormatOptions, formatIn, type FormatOptions } from "./format-options";

interface StacksOptions extends FormatOptions {
  readonly from?: string;
}

interface StackList {
  readonly stacks: ReadonlyArray<{ readonly stack: string; readonly hosts: number }>;
  /** The names of those that have no host. */
  readonly empty: readonly string[];
}

const STACKS_FORMATS: Formats<StackList> = {
  table: { help: "for people (the default)", print: toTable },
  json: {
    help: "a matrix for CI",
    hasShortForm: true,
    print: ({ stacks }) => `${JSON.stringify({ include: stacks })}\n`,
  },
};

const HELP = `
With --json it prints a matrix for CI: in GitHub Actions, strategy: { matrix: \${{ fromJSON(…) }} }, as in examples/stacks.yml.

With --from it prints a shell script that moves hosts from the states of the earlier fleet file to those of this one. Run
it BEFORE the first deploy with this file. Otherwise the stack that a host leaves unlocks it, and it is open until the other stack
has locked it. The script runs nothing on hosts, stops at the first error, and can be run again.

Examples:
  $ ssh-only-firewall stacks
  $ ssh-only-firewall stacks --json | jq -r '.include[].stack'
  $ git show HEAD:fleet.yaml > earlier.yaml && ssh-only-firewall stacks --from earlier.yaml > move.sh && sh move.sh
`;

export function addStacks(program: Command): void {
  const command = program
    .command("stacks")
    .summary("list the stacks of a fleet, or move hosts between them")
    .description("List the stacks that a fleet file makes, each with its number of hosts.")
    .argument("[FLEET]", "the fleet file", DEFAULT_FILE);
  addFormatOptions(command, STACKS_FORMATS)
    .addOption(
      new Option(
        "--from <FLEET>",
        "an earlier fleet file: print a script that moves hosts to their new stacks",
      ).conflicts(["json", "format"]),
    )
    .addHelpText("after", HELP)
    .action((file: string, options: StacksOptions) => {
      process.stdout.write(
        options.from === undefined
          ? formatIn(STACKS_FORMATS, options).print(stackList(file))
          : moveScript(options.from, file),
      );
    });
}

function moveScript(from: string, file: string): string {
  const migration = migrationBetween(readFleet(from), readFleet(file));
  if (migration.problems.length > 0) {
    throw new FleetFileError(migration.problems.map((problem) => `${from}: ${problem}`));
  }
  return migrationScript(migration);
}

function stackList(file: string): StackList {
  const fleet = readFleet(file);
  const stacks = stacksOf(fleet).map(({ name, firewall }) => ({ stack: name, hosts: firewall.hosts.length }));
  return { stacks, empty: emptyStacksOf(fleet) };
}

function toTable({ stacks, empty }: StackList): string {
  const rows = stacks.map(({ stack, hosts }) => [stack, String(hosts)]);
  return [
    ...columns([["STACK", "HOSTS"], ...rows]),
    ...(empty.length === 0 ? [] : ["", `Without a host, and not written: ${listed(empty)}.`]),
    "",
  ].join("\n");
}
