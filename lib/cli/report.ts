/** `report`: was a host used, since it was locked? */
import { type Command, Option } from "commander";
import { askAllReports, type Reply } from "../report/ask";
import { toPage } from "../report/page";
import { reportOf, type UsageReport } from "../report/report";
import { toTable } from "../report/table";
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

interface ReportOptions extends AskingOptions {
  readonly json?: boolean;
  readonly html?: boolean;
}

const HELP = `${STATE_HELP}
Every host is asked over ssh, as ~/.ssh/config says. It tells since when it is locked or observed, what listened and who was
connected when it was first locked, who was denied since then, and who logged in over SSH. Times are UTC.

Exit codes:
  0  every host was asked, and is what the state says
  2  at least one could not be asked, or is not what the state says (open, locked by somebody else); the reason is beside it
  1  the state or the command line could not be read, or no host could be asked

Examples:
  $ ssh-only-firewall report
  $ ssh-only-firewall report --html > report.html
  $ terraform state pull | ssh-only-firewall report - --json > report.json
  $ ssh-only-firewall report --json | jq -r '.hosts[] | .host as $h | .denied[] | [$h, .peer, .port, .last] | @tsv'
`;

export function addReport(program: Command): void {
  const command = program
    .command("report")
    .summary("say who still used each host since it was locked")
    .description("Says of every host in a Terraform state whether it was used since it was locked or observed.")
    .argument("[STATE]", "a folder, a file, or - for standard input", ".");
  addAskingOptions(command)
    .addOption(new Option("--json", "for programs, instead of the table"))
    .addOption(new Option("--html", "a page to read, print and sign, instead of the table").conflicts("json"))
    .addHelpText("after", HELP)
    .action(report);
  // Exit code 2 is an answer here, and a program must not take a mistyped option for one.
  command.exitOverride((error) => {
    throw error.exitCode === 0 ? error : new CommandError(messages.notRead(), 1);
  });
}

async function report(state: string, options: ReportOptions): Promise<void> {
  const hosts = await hostsToLookAt(state, options);
  const replies = await withProgress<Reply>(
    hosts.length,
    messages.withoutReport(),
    ({ kind }) => kind !== "told",
    (heard, stoppable) => askAllReports(hosts, reachSettings(options), heard, stoppable),
  );
  const found = reportOf(hosts, replies, Date.now());
  process.stdout.write(written(found, options));
  if (found.notAsked + found.disagree > 0) {
    throw found.asked === 0 ? new CommandError(messages.noReport(), 1) : new CommandError("", 2);
  }
}

function written(found: UsageReport, { json, html }: ReportOptions): string {
  if (json === true) {
    return `${JSON.stringify(found, undefined, 2)}\n`;
  }
  return html === true ? toPage(found) : toTable(found, coloured());
}
