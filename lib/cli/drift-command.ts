/** `drift`: the program of a firewall with `detectDrift`, which Terraform runs when it makes a plan. */
import type { Command } from "commander";
import { FLEET, nameIn, PARTS } from "../contract/names";
import { pullState, readSource } from "../state/source";
import { readAt, StateError } from "../state/state-error";
import { driftTriggers, isAsked, readQuery, type TrackedHost, trackedHosts } from "../status/drift-triggers";
import { askAll, type Finding } from "../status/live";
import { withProgress } from "./ask-hosts";
import { addReachOptions, reachSettings, type ReachOptions } from "./host-options";

const HELP = `
Terraform's data source external runs it in the directory of the stack, with a query on standard input. It reads the state
(terraform state pull), asks the hosts that are locked in it, and prints as JSON for each host the value of its lockdown's
trigger drift, and the hosts that it leaves as they are. It changes nothing.

A host is ...                                  its trigger
  locked, observed                             stays
  open, drifted                                gets the next value: the lockdown is replaced
  unreachable, unclear, pending,
  locked-by-someone-else                       stays, and a warning names the host

Exit codes:
  0  done, even if some hosts could not be asked
  1  the state or the query could not be read

Examples:
  $ ssh-only-firewall drift --help
  $ echo '{"lockdowns":"null_resource.${nameIn(FLEET.construct, PARTS.lockdown)}"}' | ssh-only-firewall drift
`;

export function addDrift(program: Command): void {
  const command = program
    .command("drift")
    .summary("report to a Terraform plan which hosts have drifted (detectDrift)")
    .description("Report to a Terraform plan which hosts no longer match its state.");
  addReachOptions(command).addHelpText("after", HELP).action(drift);
}

async function drift(options: ReachOptions): Promise<void> {
  const hosts = hostsOfPlan();
  const asked = hosts.filter(isAsked);
  const settings = { ...reachSettings(options), probePorts: undefined, probe: false };
  const findings = await withProgress<Finding>(
    { count: asked.length, isNotable: ({ agrees }) => !agrees, notableAs: "not matching the state" },
    (visit) => askAll(asked, settings, visit),
  );
  process.stdout.write(`${JSON.stringify(driftTriggers(hosts, findings))}\n`);
}

function hostsOfPlan(): readonly TrackedHost[] {
  try {
    const query = readAt(readSource("-"), readQuery);
    return readAt(pullState(process.cwd()), (state) => trackedHosts(state, query));
  } catch (error) {
    throw error instanceof StateError ? new StateError(`${error.message}\n${REMEDY}`) : error;
  }
}

const REMEDY =
  "Without the state, drift cannot be detected: fix this, or set detectDrift to false. " +
  "For terraform destroy, add -refresh=false.";
