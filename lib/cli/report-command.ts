/** `report`: was a host used, since it was locked? */
import type { Command } from "commander";
import { listed, shown } from "../output/text";
import { askForEvidence, type EvidenceReply } from "../report/evidence-reply";
import { REPORT_FORMATS } from "../report/formats";
import { onlyWith } from "../report/order";
import { type UsageReport, usageReport } from "../report/usage-report";
import { VERDICTS } from "../report/verdict-rules";
import type { Host } from "../state/hosts";
import { withProgress } from "./ask-hosts";
import { CommandError, endWith1OnWrongUsage, type FailureCode } from "./errors";
import { addFormatOptions, formatIn, type FormatOptions } from "./format-options";
import { addHostOptions, type HostOptions, reachSettings, STATE_ARGUMENT, STATE_HELP } from "./host-options";
import { readHosts } from "./hosts";
import { addVerdictOptions, THRESHOLD_HELP, type VerdictOptions, verdictSettings } from "./verdict-options";

type ReportOptions = HostOptions & FormatOptions & VerdictOptions;

const HELP = `${STATE_HELP}
The report asks every host over ssh, with ~/.ssh/config. It shows since when a host is locked or observed, what listened and who
was connected when it was first locked, who was denied since then, and who logged in over SSH. Times are UTC.

Verdicts:
${Object.entries(VERDICTS)
  .map(([word, meaning]) => `  ${word.padEnd(10)}${meaning}`)
  .join("\n")}

Thresholds:
${THRESHOLD_HELP}

Exit codes:
  0  every host was asked, and is what the state says
  2  at least one could not be asked, or is not what the state says (open, locked by someone else); the report gives the reason
  1  the state could not be read, the command line is wrong, or no host could be asked

Exit codes with --unused-for:
  0  every host has been unused for so long, without a gap
  2  at least one was used in that time, or somebody else logged in
  3  none was used, but of at least one it is unknown, or it has not been watched for so long
  1  the state could not be read, the command line is wrong, or no host could be asked

Examples:
  $ ssh-only-firewall report
  $ ssh-only-firewall report --host web-1 --explain
  $ ssh-only-firewall report --unused-for 30d --only used,unknown --ignore 192.0.2.7 --ignore 161/udp
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
  addFormatOptions(addVerdictOptions(addHostOptions(command)), REPORT_FORMATS)
    .addHelpText("after", HELP)
    .action(report);
  endWith1OnWrongUsage(command, "Nothing was read.");
}

async function report(state: string, options: ReportOptions): Promise<void> {
  const hosts = chosen(await readHosts(state, options), options.host);
  const replies = await withProgress<EvidenceReply>(
    { count: hosts.length, isNotable: ({ kind }) => kind === "not asked", notableAs: "without a report" },
    (visit) => askForEvidence(hosts, reachSettings(options), visit),
  );
  const found = usageReport(hosts, replies, Date.now(), verdictSettings(options));
  process.stdout.write(formatIn(REPORT_FORMATS, options).print(onlyWith(found, options.only), options.explain));
  if (found.asked === 0) {
    throw new CommandError("No host gave a report, so their use is unknown; the report gives the reasons.", 1);
  }
  const code = options.unusedFor === undefined ? codeOf(found) : codeOfGate(found);
  if (code !== 0) {
    throw new CommandError("", code);
  }
}

/** Also by FIREWALL/NAME. */
function chosen(hosts: readonly Host[], names: readonly string[] | undefined): readonly Host[] {
  const isCalled = ({ key, firewall }: Host, name: string): boolean => [key, `${firewall}/${key}`].includes(name);
  const unknown = names?.filter((name) => !hosts.some((host) => isCalled(host, name))) ?? [];
  if (unknown.length > 0) {
    throw new CommandError(`The state has no host ${listed(unknown.map(shown))}: status lists its hosts.`, 1);
  }
  return names === undefined ? hosts : hosts.filter((host) => names.some((name) => isCalled(host, name)));
}

const codeOf = ({ notAsked, disagree }: UsageReport): 0 | FailureCode => (notAsked + disagree > 0 ? 2 : 0);

const codeOfGate = ({ verdicts }: UsageReport): 0 | FailureCode =>
  verdicts.used + verdicts["ssh-only"] > 0 ? 2 : verdicts.unknown > 0 ? 3 : 0;
