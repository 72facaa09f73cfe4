/** `report`: was a host used, since it was locked? */
import { writeFileSync } from "node:fs";
import type { Command } from "commander";
import type { KeptReport } from "../input/kept-report";
import { printJson } from "../output/formats";
import { listed, shown } from "../output/text";
import { changesSince } from "../report/changes";
import { askForEvidence, type EvidenceReply } from "../report/evidence-reply";
import { REPORT_FORMATS, WITH_CHANGES } from "../report/formats";
import { onlyWith } from "../report/order";
import { type UsageReport, usageReport } from "../report/usage-report";
import { VERDICTS } from "../report/verdict-rules";
import type { Host } from "../state/hosts";
import { withProgress } from "./ask-hosts";
import { attempt, keptReport } from "./documents";
import { CommandError, endWith1OnWrongUsage, type FailureCode } from "./errors";
import { addFormatOptions, formatGiven, formatIn, type FormatOptions } from "./format-options";
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
  0  every host was asked, and matches the state
  2  at least one could not be asked, or does not match the state (open, locked by someone else); the report gives the reason
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
  $ ssh-only-firewall report --since last.json --save this.json --format markdown > changes.md
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
  const previous = options.since === undefined ? undefined : earlier(options.since, state, options);
  const hosts = chosen(await readHosts(state, options), options.host);
  const replies = await withProgress<EvidenceReply>(
    { count: hosts.length, isNotable: ({ kind }) => kind === "not asked", notableAs: "without a report" },
    (visit) => askForEvidence(hosts, reachSettings(options), visit),
  );
  const usage = usageReport(hosts, replies, Date.now(), verdictSettings(options));
  const changes = previous && changesSince(previous, usage.hosts, usage.at, options.unusedFor);
  const found = changes === undefined ? usage : { ...usage, changes };
  save(found, options.save);
  process.stdout.write(formatIn(REPORT_FORMATS, options).print(onlyWith(found, options.only), options.explain));
  if (found.asked === 0) {
    throw new CommandError("No host gave a report, so their use is unknown; the report gives the reasons.", 1);
  }
  const code = options.unusedFor === undefined ? codeOf(found) : codeOfGate(found);
  if (code !== 0) {
    throw new CommandError("", code);
  }
}

/** @throws before a host is asked */
function earlier(file: string, state: string, options: ReportOptions): KeptReport {
  const format = formatGiven(REPORT_FORMATS, options);
  if (format !== undefined && !WITH_CHANGES.includes(format)) {
    throw new CommandError(`--since is shown by the formats ${listed(WITH_CHANGES)}, and not by ${format}.`, 1);
  }
  if (file === "-" && state === "-") {
    throw new CommandError("Only one of the state and the earlier report can be read from standard input.", 1);
  }
  return keptReport(file);
}

/** A report of no host would make every host a change the next time. */
function save(found: UsageReport, file: string | undefined): void {
  if (file !== undefined && found.asked > 0) {
    attempt(
      file,
      () => writeFileSync(file, printJson(found)),
      "nothing was printed; give --save a file that can be written",
    );
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
