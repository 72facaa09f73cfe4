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

/** What Terraform says of a configuration or a state that OpenTofu encrypts. */
const NOT_OF_TERRAFORM = /named "encryption"|a "version" attribute/;
const NO_KEY = /encrypt|decrypt/i;

/** An init by the wrong program would write its own provider into the lock file. */
function remedyFor(program: string, output: string, engine: string | undefined): string {
  if (NOT_OF_TERRAFORM.test(output)) {
    return "the state is encrypted, which only OpenTofu can read: install tofu, and set TERRAFORM_BINARY_NAME=tofu";
  }
  if (engine !== undefined && /(?:^|[\\/])(?:terraform|tofu)(?:\.exe)?$/.test(program) && !program.includes(engine)) {
    return `the directory was initialized by ${engine}: install that, or set TERRAFORM_BINARY_NAME to it`;
  }
  return NO_KEY.test(output)
    ? "give it the key that the state is encrypted with: TF_ENCRYPTION, or the variables of the block encryption"
    : `run ${plain(program)} init there (cdktf does on diff), or pipe in what it prints`;
}

export const stateProblems = {
  notJson: (): string => `it is not JSON; ${REMEDY}`,
  empty: (): string => `it is empty, so the command before it failed; ${REMEDY}`,
  tooLong: (): string =>
    "it has 512 MiB or more, which is too much for one text in Node.js; divide the fleet into stacks",
  notAState: (): string => `it is not a Terraform state; ${REMEDY}`,
  isPlan: (): string => "it is a plan, not a state; give the state: terraform show -json without a plan file",
  encrypted: (): string =>
    "it is encrypted; give the directory of the stack, or what tofu show -json prints, with the key that it is encrypted with (TF_ENCRYPTION)",
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
    `${plain(program)} is not installed here; install it, set TERRAFORM_BINARY_NAME, or give the state as a file`,
  /** @param engine whose directory it is, where that is known */
  terraformFailed: (program: string, command: string, output: string, engine?: string): string =>
    `${plain(program)} ${command} failed: ${plain(output)}; ${remedyFor(program, output, engine)}`,
  unwritten: (program: string, file: string): string =>
    `a run could not write its state, which is in ${plain(file)}: what it did to hosts is not in the state that is read here; run ${plain(program)} state push ${plain(file)} there, and remove the file`,
  noHosts: (): string =>
    "it has no host of a firewall: none is locked by it, or it is not the right stack or workspace. Nothing was checked; name hosts that it does not have with --fleet or --also",
} as const;
