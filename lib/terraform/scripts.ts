/** The scripts that Terraform uploads: settings as quoted constants, then the launcher. Nothing is spliced into shell. */
import { launcher, LAUNCHER_LOCAL } from "../host/program";
import { type Term, templateLiteral, toShellWord } from "./escape";

/**
 * The two forms of the launcher, as templates. Terraform reads every script several times for each host, so that it is short
 * where it may name a local: everywhere but in a destroy provisioner.
 */
export const LAUNCHER = { named: `\${local.${LAUNCHER_LOCAL}}`, whole: templateLiteral(launcher()) } as const;

/** A script whose settings are the shell variables `SSH_ONLY_…`. */
export function script(settings: Readonly<Record<string, Term>>, form: keyof typeof LAUNCHER): string {
  const constants = Object.entries(settings).map(([name, term]) => `SSH_ONLY_${name}=${toShellWord(term)}`);
  return ["#!/bin/sh", ...constants, "", LAUNCHER[form]].join("\n");
}
