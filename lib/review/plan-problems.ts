/** Why a plan cannot be read, and what to do. The name of the file goes in front. */
import { shown } from "../output/text";

const SHOW = "give what `terraform show -json PLANFILE` prints";

export const planProblems = {
  empty: (): string => `is empty; ${SHOW}, and mind that the command before the pipe may have failed`,
  notJson: (place: string | undefined): string => `is not JSON${place === undefined ? "" : ` (${place})`}; ${SHOW}`,
  isPlanFile: (): string => "is the plan file itself, which only Terraform can read; run terraform show -json on it",
  isLog: (): string => `is the log of \`terraform plan -json\`, not a plan; write one with -out=PLANFILE and ${SHOW}`,
  isState: (): string => `is a state, not a plan; ${SHOW}`,
  isEncrypted: (): string =>
    "is an encrypted plan; run tofu show -json on it, in the directory that it was planned in, with the same key " +
    "(TF_ENCRYPTION, or the block encryption of the configuration)",
  tooLong: (): string => "has 512 MiB or more, which is too much for one text in Node.js; divide the fleet into stacks",
  notAPlan: (): string => `is not a plan; ${SHOW}`,
  unknownVersion: (version: string): string =>
    `format_version: ${shown(version)} is not supported, only 1.x is; use Terraform 1.5 or later, or a newer ` +
    "version of ssh-only-firewall",
} as const;
