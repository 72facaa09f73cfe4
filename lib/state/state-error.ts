/** Why a state cannot be had or read. Its own text is never repeated: it may hold secrets of other resources. */
import { Failure } from "../output/failure";
import { plain } from "../output/text";

export class StateError extends Failure {}

/** An error in a state, with the place of that state. */
export const stateErrorAt = (place: string, message: string): StateError =>
  new StateError(`${plain(place)}: ${message}`);

/** What `read` makes of a text; its errors get the place of that text. */
export function readAt<T>(
  { place, text }: { readonly place: string; readonly text: string },
  read: (text: string) => T,
): T {
  try {
    return read(text);
  } catch (error) {
    throw error instanceof StateError ? stateErrorAt(place, error.message) : error;
  }
}

const REMEDY = "give what terraform show -json, terraform state pull or terraform output -json prints";

export const stateProblems = {
  notJson: (): string => `it is not JSON; ${REMEDY}`,
  empty: (): string => `it is empty, so the command before it failed; ${REMEDY}`,
  notAState: (): string => `it is not a Terraform state; ${REMEDY}`,
  isPlan: (): string => "it is a plan, not a state; give the state: terraform show -json without a plan file",
  encrypted: (): string => "it is encrypted; give what tofu show -json prints",
  unknownVersion: (version: string): string =>
    `its format is version ${plain(version)}, and only version 4 is supported; give what terraform show -json prints`,
  unknownFormat: (version: string): string =>
    `its format_version is ${plain(version)}, and only 1 is supported; use a newer ssh-only-firewall`,
  malformed: (place: string): string => `${plain(place)} does not have the type that it has in a state; ${REMEDY}`,
  noLockedHosts: (): string =>
    "none of the outputs is the lockedHosts of a firewall; add such an output, or give what terraform show -json prints",
  nothingPiped: (): string => "nothing is piped in; pipe in what terraform show -json prints",
  cannotRead: (reason: string): string =>
    `${plain(reason)}; name a file that you may read, a directory, or - for standard input`,
  noStack: (): string =>
    "there is no stack in it; name the directory of a stack (cdktf.out/stacks/NAME, after cdktf synth), or a state file",
  severalStacks: (folders: readonly string[]): string => `there are several stacks; name one: ${folders.join(", ")}`,
  noTerraform: (program: string): string =>
    `${program} is not installed here; install it, set TERRAFORM_BINARY_NAME, or give the state as a file`,
  terraformFailed: (command: string, output: string): string =>
    `terraform ${command} failed: ${plain(output)}; run terraform init there (cdktf does on diff), or pipe in terraform state pull`,
  noHosts: (): string =>
    "it has no host of a firewall, so nothing was checked; name the right stack or workspace, or name hosts with --fleet or --also",
} as const;
