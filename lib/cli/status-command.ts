/** `status`: which hosts are locked, according to the state and on the hosts themselves. */
import { type Command, Option } from "commander";
import type { Host } from "../state/hosts";
import { CLAIMS, CONDITIONS } from "../status/conditions";
import { STATUS_FORMATS } from "../status/formats";
import { askAll, type Finding } from "../status/live";
import { statusReport } from "../status/status-report";
import { withProgress } from "./ask-hosts";
import { CommandError, endWith1OnWrongUsage } from "./errors";
import { addFormatOptions, formatIn, type FormatOptions } from "./format-options";
import { addHostOptions, type HostOptions, reachSettings, STATE_ARGUMENT, STATE_HELP } from "./host-options";
import { readHosts } from "./hosts";
import { ports } from "./option-values";

interface StatusOptions extends HostOptions, FormatOptions {
  readonly live?: boolean;
  readonly probePorts?: readonly number[];
  readonly probe: boolean;
}

const HELP = `${STATE_HELP}
What a host is according to the state:
${Object.values(CLAIMS)
  .flatMap((claim) => ("meaning" in claim ? [`  ${claim.word.padEnd(25)}${claim.meaning}`] : []))
  .join("\n")}

What a host is, with --live:
${Object.entries(CONDITIONS)
  .map(([word, { meaning }]) => `  ${word.padEnd(25)}${meaning}`)
  .join("\n")}

Exit codes:
  0  every host matches the state: locked (or unlocked, if only --also names it)
  2  at least one is not
  1  the state could not be read, or the command line is wrong; nothing was checked

Examples:
  $ ssh-only-firewall status
  $ ssh-only-firewall status --live
  $ ssh-only-firewall status cdktf.out/stacks/fleet --live --fleet fleet.yaml --also 192.0.2.99
  $ terraform state pull | ssh-only-firewall status - --live --format junit > status.xml
  $ ssh-only-firewall status --live --json | jq -r '.hosts[] | select(.agrees | not) | .host'
`;

export function addStatus(program: Command): void {
  const command = program
    .command("status")
    .summary("show which hosts are locked")
    .description("Show which hosts are locked according to Terraform state; with --live, check the hosts themselves.")
    .argument(...STATE_ARGUMENT)
    .option("--live", "ask every host over ssh, with ~/.ssh/config, and probe its ports from outside");
  addFormatOptions(
    addHostOptions(command)
      .addOption(
        new Option(
          "--probe-ports <PORTS>",
          "TCP ports that must be closed (default: some that the host listened on, 80 and 443)",
        ).argParser(ports),
      )
      .option("--no-probe", "do not probe ports from outside"),
    STATUS_FORMATS,
  )
    .addHelpText("after", HELP)
    .action(async (state: string, options: StatusOptions) => {
      checkOnlyLive(command, options);
      await status(state, options);
    });
  endWith1OnWrongUsage(command, "Nothing was checked.");
}

async function status(state: string, options: StatusOptions): Promise<void> {
  const hosts = await readHosts(state, options);
  const findings = options.live === true ? await ask(hosts, options) : undefined;
  const report = statusReport(hosts, findings);
  process.stdout.write(formatIn(STATUS_FORMATS, options).print(report));
  if (!report.agrees) {
    throw new CommandError("", 2);
  }
}

function ask(hosts: readonly Host[], options: StatusOptions): Promise<readonly Finding[]> {
  const settings = { ...reachSettings(options), probePorts: options.probePorts, probe: options.probe };
  return withProgress<Finding>(
    { count: hosts.length, isNotable: ({ agrees }) => !agrees, notableAs: "not matching the state" },
    (visit) => askAll(hosts, settings, visit),
  );
}

/** Options that have no effect without --live, so that giving them is a mistake. */
const LIVE_OPTIONS = [
  "also",
  "user",
  "identity",
  "sshConfig",
  "sshOption",
  "concurrency",
  "timeout",
  "probePorts",
  "probe",
];

function checkOnlyLive(command: Command, { live }: StatusOptions): void {
  const given = command.options
    .filter((option) => LIVE_OPTIONS.includes(option.attributeName()))
    .filter((option) => command.getOptionValueSource(option.attributeName()) === "cli")
    .map(({ long }) => long);
  if (live !== true && given.length > 0) {
    throw new CommandError(`${given.join(", ")}: has no effect without --live; add --live, or leave this out`, 1);
  }
}
