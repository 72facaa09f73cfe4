/** `check`: would each host take the lock? The rehearsal of the pre-flight, which changes nothing. */
import { type Command, Option } from "commander";
import { checkReport } from "../check/check-report";
import { checkAll, type Finding, WORDS } from "../check/findings";
import { CHECK_FORMATS } from "../check/formats";
import type { Subject } from "../check/subject";
import { DEFAULT_FILE } from "../fleet/file-text";
import { withProgress } from "./ask-hosts";
import { CommandError, endWith1OnWrongUsage } from "./errors";
import { addFormatOptions, formatIn, type FormatOptions } from "./format-options";
import { addReachOptions, reachSettings, type ReachOptions } from "./host-options";

interface CheckOptions extends ReachOptions, FormatOptions {
  readonly stack?: string;
}

const HELP = `
Every host is asked over ssh, with ~/.ssh/config. It runs the checks that a lock begins with: the same code, with the ruleset that
the host would get. Nothing is loaded, installed or left behind.

What a host is:
${Object.entries(WORDS)
  .map(([word, meaning]) => `  ${word.padEnd(13)}${meaning}`)
  .join("\n")}

Exit codes:
  0  every host is ready
  2  at least one is not
  1  the hosts could not be read, or the command line is wrong; nothing was checked

Examples:
  $ ssh-only-firewall check
  $ ssh-only-firewall check fleet.yaml --format junit > check.xml
  $ ssh-only-firewall check --stack cdktf.out/stacks/servers
  $ ssh-only-firewall check --json | jq -r '.hosts[] | select(.ready | not) | .host'
`;

export function addCheck(program: Command): void {
  const command = program
    .command("check")
    .summary("ask every host whether it could be locked; changes nothing")
    .description("Ask every host of a fleet file whether a lock would be refused, and why. Changes nothing.")
    .argument("[FLEET]", "the fleet file", DEFAULT_FILE)
    .addOption(new Option("--stack <DIRECTORY>", "instead of a fleet file: the directory of a synthesized stack"));
  addFormatOptions(addReachOptions(command), CHECK_FORMATS)
    .addHelpText("after", HELP)
    .action(async (file: string, options: CheckOptions) => {
      if (options.stack !== undefined && command.args.length > 0) {
        throw new CommandError("--stack: has no effect together with a fleet file; give one of them", 1);
      }
      await check(options.stack === undefined ? await declaredIn(file) : await synthesizedIn(options.stack), options);
    });
  endWith1OnWrongUsage(command, "Nothing was checked.");
}

async function check(subjects: readonly Subject[], options: CheckOptions): Promise<void> {
  const findings = await withProgress<Finding>(
    { count: subjects.length, isNotable: ({ ready }) => !ready, notableAs: "not ready" },
    (visit) => checkAll(subjects, reachSettings(options), visit),
  );
  const report = checkReport(subjects, findings);
  process.stdout.write(formatIn(CHECK_FORMATS, options).print(report));
  if (!report.ready) {
    throw new CommandError("", 2);
  }
}

async function declaredIn(file: string): Promise<readonly Subject[]> {
  const [{ readFleet }, { stacksOf }, { subjectOf }] = await Promise.all([
    import("../fleet/fleet-file.js"),
    import("../fleet/stacks.js"),
    import("../check/subject.js"),
  ]);
  return stacksOf(readFleet(file)).flatMap(({ name, firewall }) => firewall.hosts.map((host) => subjectOf(host, name)));
}

async function synthesizedIn(folder: string): Promise<readonly Subject[]> {
  const { subjectsInStack } = await import("../check/synthesized.js");
  return subjectsInStack(folder);
}
