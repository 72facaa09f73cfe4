/** What to do about a host that is in the state and that the state does not call locked. */
import { SAME_STACK } from "../contract/settings";
import { shellWord } from "../output/shell-word";
import type { Instance } from "./state";

export interface Remedy {
  readonly text: string;
  /** What the text ends with: a command line for a shell in the directory of the stack. */
  readonly command?: string;
}

const REMEDIES = {
  withHold:
    "Deploy again; if a destroy failed, run it again. If the host is gone for good or was never changed, take it out of hosts, and run this in the directory of the stack. It takes the host out of the state, and leaves the host as it is:",
  noHold: `To keep the host locked, deploy once with takeOver: ${SAME_STACK} for it. To open it, run sh /var/lib/ssh-only-firewall/host.sh unlock on it, as root; then take it out of hosts, and deploy.`,
} as const;

/** @param program that reads the state */
export function remedyFor(hold: Instance | undefined, lockdown: Instance | undefined, program: string): Remedy {
  if (hold === undefined) {
    return { text: REMEDIES.noHold };
  }
  const words = [hold, ...(lockdown === undefined ? [] : [lockdown])].map((one) => shellWord(addressOf(one)));
  return {
    text: REMEDIES.withHold,
    command: `${/^[\w./-]+$/.test(program) ? program : shellWord(program)} state rm ${words.join(" ")}`,
  };
}

/** Of an instance in a for_each, as Terraform prints and reads it. */
export function addressOf({ module, type, name, index }: Instance): string {
  const resource = `${module === "" ? "" : `${module}.`}${type}.${name}`;
  return index === undefined ? resource : `${resource}["${inQuotes(index)}"]`;
}

const ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\" };

function inQuotes(key: string): string {
  return key
    .replace(/[\n\r\t"\\]/g, (one) => ESCAPES[one] ?? one)
    .replace(/([$%])\{/g, "$1$1{")
    .replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, (one) => {
      const code = one.codePointAt(0) ?? 0;
      return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
    });
}
