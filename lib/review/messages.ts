/** Why a plan cannot be read, and what to do. The name of the file goes in front. */
import { shown } from "../output/shown";

const SHOW = "give what `terraform show -json PLANFILE` prints";

export const messages = {
  empty: (): string => `is empty; ${SHOW}, and mind that the command before the pipe may have failed`,
  notJson: (place: string | undefined): string => `is no JSON${place === undefined ? "" : ` (${place})`}; ${SHOW}`,
  isPlanFile: (): string => "is the plan file itself, which only Terraform can read; run terraform show -json on it",
  isLog: (): string => `is the log of \`terraform plan -json\`, not a plan; write one with -out=PLANFILE and ${SHOW}`,
  isState: (): string => `is a state, not a plan; ${SHOW}`,
  notAPlan: (): string => `is not a plan; ${SHOW}`,
  unknownVersion: (version: string): string =>
    `format_version: ${shown(version)} is not known here, only 1.x; use a Terraform from 1.5 on, or a newer ` +
    "version of ssh-only-firewall",
} as const;
