/** `drift`: the program of a firewall with `detectDrift`, which Terraform runs when it makes a plan. */
import type { Command } from "commander";
import { driftOf, type DriftQuery, isAsked, readQuery, type TrackedHost, trackedHosts } from "../status/drift";
import { askAll, type Finding } from "../status/live";
import { StateError } from "../state/messages";
import { at, pullState, readSource } from "../state/source";
import { addReachOptions, reachSettings, type ReachOptions, withProgress } from "./asking";
import { CommandError } from "./errors";
import { messages } from "./messages";

const HELP = `
Terraform's data source external runs it in the folder of the stack, with a query on standard input. It reads the state
(terraform state pull), asks the hosts that are locked in it, and prints as JSON for each host the value of its lockdown's
trigger drift, and the hosts that it leaves as they are. Nothing is changed.

A host is ...                                  its trigger
  locked, observed                             stays
  open, drifted                                gets the next value: the lockdown is replaced
  unreachable, unclear, pending,
  locked-by-someone-else                       stays, and a warning names the host

Exit codes:
  0  done, also where hosts could not be asked
  1  the state or the query could not be read

Examples:
  $ ssh-only-firewall drift --help
  $ echo '{"lockdowns":"null_resource.fleet_lockdown"}' | ssh-only-firewall drift
`;

export function addDrift(program: Command): void {
  const command = program
    .command("drift")
    .summary("say to a plan of Terraform which hosts have drifted (detectDrift)")
    .description("Says to a plan of Terraform which hosts are no longer as its state says.");
  addReachOptions(command).addHelpText("after", HELP).action(drift);
}

async function drift(options: ReachOptions): Promise<void> {
  const hosts = hostsOfPlan();
  const asked = hosts.filter(isAsked);
  const settings = { ...reachSettings(options), probePorts: undefined, probe: false };
  const findings = await withProgress<Finding>(
    asked.length,
    messages.notAsTheStateSays(),
    ({ agrees }) => !agrees,
    (heard, stoppable) => askAll(asked, settings, heard, stoppable),
  );
  process.stdout.write(`${JSON.stringify(driftOf(hosts, findings))}\n`);
}

function hostsOfPlan(): readonly TrackedHost[] {
  try {
    const query = placed<DriftQuery>(readSource("-"), readQuery);
    return placed(pullState(process.cwd()), (state) => trackedHosts(state, query));
  } catch (error) {
    throw error instanceof StateError ? new CommandError(messages.driftNotKnown(error.message), 1) : error;
  }
}

function placed<T>({ place, text }: { place: string; text: string }, read: (text: string) => T): T {
  try {
    return read(text);
  } catch (error) {
    throw error instanceof StateError ? at(place, error.message) : error;
  }
}
