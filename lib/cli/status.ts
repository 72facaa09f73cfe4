/** `status`: which hosts the state says are locked, and whether they are. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Host } from "../state/hosts";
import { CONDITIONS } from "../status/judge";
import { toJunit } from "../status/junit";
import { askAll, type Finding } from "../status/live";
import { type Report, reportOf } from "../status/report";
import { toTable } from "../status/table";
import {
  addAskingOptions,
  type AskingOptions,
  coloured,
  hostsToLookAt,
  reachSettings,
  STATE_HELP,
  withProgress,
} from "./asking";
import { CommandError } from "./errors";
import { messages } from "./messages";

interface StatusOptions extends AskingOptions {
  readonly live?: boolean;
  readonly probePorts?: readonly number[];
  readonly probe: boolean;
  readonly json?: boolean;
  readonly junit?: boolean;
}

const HELP = `${STATE_HELP}
What a host is, with --live:
${Object.entries(CONDITIONS)
  .map(([word, meaning]) => `  ${word.padEnd(25)}${meaning}`)
  .join("\n")}

Exit codes:
  0  every host is as the state says: locked (or unlocked, where only --also names it)
  2  at least one is not
  1  the state could not be read, or the command line could not; nothing was checked

Examples:
  $ ssh-only-firewall status
  $ ssh-only-firewall status --live
  $ ssh-only-firewall status cdktf.out/stacks/fleet --live --fleet fleet.yaml --also 192.0.2.99
  $ terraform state pull | ssh-only-firewall status - --live --junit > status.xml
  $ ssh-only-firewall status --live --json | jq -r '.hosts[] | select(.agrees | not) | .host'
`;

export function addStatus(program: Command): void {
  const command = program
    .command("status")
    .summary("say which hosts are locked: by the state, and with --live really")
    .description("Says which hosts a Terraform state has as locked, and with --live whether they are.")
    .argument("[STATE]", "a folder, a file, or - for standard input", ".")
    .option("--live", "ask every host over ssh, as ~/.ssh/config says, and knock at it from outside");
  addAskingOptions(command)
    .addOption(
      new Option(
        "--probe-ports <PORTS>",
        "TCP ports that must be closed (default: some that the host listened on, 80 and 443)",
      ).argParser(portList),
    )
    .option("--no-probe", "do not knock from outside")
    .addOption(new Option("--json", "for programs, instead of the table"))
    .addOption(new Option("--junit", "for build servers, instead of the table").conflicts("json"))
    .addHelpText("after", HELP)
    .action(async (state: string, options: StatusOptions) => {
      checkOnlyLive(command, options);
      await status(state, options);
    });
  // Exit code 2 is a verdict here, and a monitor must not take a mistyped option for one.
  command.exitOverride((error) => {
    throw error.exitCode === 0 ? error : new CommandError(messages.notChecked(), 1);
  });
}

async function status(state: string, options: StatusOptions): Promise<void> {
  const hosts = await hostsToLookAt(state, options);
  const findings = options.live === true ? await ask(hosts, options) : undefined;
  const report = reportOf(hosts, findings);
  process.stdout.write(written(report, options));
  if (!report.agrees) {
    throw new CommandError("", 2);
  }
}

function ask(hosts: readonly Host[], options: StatusOptions): Promise<readonly Finding[]> {
  const settings = { ...reachSettings(options), probePorts: options.probePorts, probe: options.probe };
  return withProgress<Finding>(
    hosts.length,
    messages.notAsTheStateSays(),
    ({ agrees }) => !agrees,
    (heard, stoppable) => askAll(hosts, settings, heard, stoppable),
  );
}

function written(report: Report, { json, junit }: StatusOptions): string {
  if (json === true) {
    return `${JSON.stringify(report, undefined, 2)}\n`;
  }
  return junit === true ? toJunit(report) : toTable(report, coloured());
}

/** An option that would do nothing is a mistake. */
function checkOnlyLive(command: Command, { live }: StatusOptions): void {
  const names = ["also", "user", "identity", "sshConfig", "sshOption", "concurrency", "timeout", "probePorts", "probe"];
  const given = command.options
    .filter((option) => names.includes(option.attributeName()))
    .filter((option) => command.getOptionValueSource(option.attributeName()) === "cli")
    .map((option) => option.long as string);
  if (live !== true && given.length > 0) {
    throw new CommandError(messages.onlyLive(given), 1);
  }
}

function portList(value: string): readonly number[] {
  const ports = value.split(",").map(number1To65535);
  if (ports.includes(0)) {
    throw new InvalidArgumentError(messages.badPorts());
  }
  return ports;
}

const number1To65535 = (text: string): number =>
  /^[1-9][0-9]{0,4}$/.test(text) && Number(text) < 65536 ? Number(text) : 0;
