/** `report`: was a host used, since it was locked? */
import type { Command } from "commander";
import { askForEvidence, type EvidenceReply } from "../report/evidence-reply";
import { REPORT_FORMATS } from "../report/formats";
import { usageReport } from "../report/usage-report";
import { withProgress } from "./ask-hosts";
import { CommandError, endWith1OnWrongUsage } from "./errors";
import { addFormatOptions, formatIn, type FormatOptions } from "./format-options";
import { addHostOptions, type HostOptions, reachSettings, STATE_ARGUMENT, STATE_HELP } from "./host-options";
import { readHosts } from "./hosts";

type ReportOptions = HostOptions & FormatOptions;

const HELP = `${STATE_HELP}
The report asks every host over ssh, with ~/.ssh/config. It shows since when a host is locked or observed, what listened and who
was connected when it was first locked, who was denied since then, and who logged in over SSH. Times are UTC.

Exit codes:
  0  every host was asked, and is what the state says
  2  at least one could not be asked, or is not what the state says (open, locked by someone else); the report gives the reason
  1  the state could not be read, the command line is wrong, or no host could be asked

Examples:
  $ ssh-only-firewall report
  $ ssh-only-firewall report --format html > report.html
  $ terraform state pull | ssh-only-firewall report - --json > report.json
  $ ssh-only-firewall report --json | jq -r '.hosts[] | .host as $h | .denied[] | [$h, .peer, .port, .last] | @tsv'
`;

export function addReport(program: Command): void {
  const command = program
    .command("report")
    .summary("show who used each host since it was locked")
    .description("Show for every host in a Terraform state whether it was used since it was locked or observed.")
    .argument(...STATE_ARGUMENT);
  addFormatOptions(addHostOptions(command), REPORT_FORMATS).addHelpText("after", HELP).action(report);
  endWith1OnWrongUsage(command, "Nothing was read.");
}

async function report(state: string, options: ReportOptions): Promise<void> {
  const hosts = await readHosts(state, options);
  const replies = await withProgress<EvidenceReply>(
    { count: hosts.length, isNotable: ({ kind }) => kind === "not asked", notableAs: "without a report" },
    (visit) => askForEvidence(hosts, reachSettings(options), visit),
  );
  const found = usageReport(hosts, replies, Date.now());
  process.stdout.write(formatIn(REPORT_FORMATS, options).print(found));
  if (found.asked === 0) {
    throw new CommandError("No host gave a report, so their use is unknown; the report gives the reasons.", 1);
  }
  if (found.notAsked + found.disagree > 0) {
    throw new CommandError("", 2);
  }
}
