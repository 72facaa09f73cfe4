/** The scripts that Terraform uploads: settings as quoted constants, then the launcher. Nothing is spliced into shell. */
import { PROGRAM_LOCALS } from "../contract/names";
import { SHEBANG, variable } from "../contract/script";
import { launcher } from "../host/program";
import { type Term, templateLiteral, toShellWord } from "./escape";

/**
 * The two forms of the launcher, as templates. Terraform reads every script several times for each host, so that it is short
 * where it may name a local: everywhere but in a destroy provisioner.
 */
export const LAUNCHER = { named: `\${local.${PROGRAM_LOCALS.launcher}}`, whole: templateLiteral(launcher()) } as const;

/** A script with these settings, by name. */
export function script(settings: Readonly<Record<string, Term>>, form: keyof typeof LAUNCHER): string {
  const constants = Object.entries(settings).map(([name, term]) => `${variable(name)}=${toShellWord(term)}`);
  return [SHEBANG, ...constants, "", LAUNCHER[form]].join("\n");
}
