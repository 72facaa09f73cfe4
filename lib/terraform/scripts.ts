/** The scripts that Terraform uploads: settings as quoted constants, then the launcher. Nothing is spliced into shell. */
import { launcher } from "../host/program";
import { type Term, templateLiteral, toShellWord } from "./escape";

/** A script whose settings are the shell variables `SSH_ONLY_…`. */
export function script(settings: Readonly<Record<string, Term>>): string {
  const constants = Object.entries(settings).map(([name, term]) => `SSH_ONLY_${name}=${toShellWord(term)}`);
  return ["#!/bin/sh", ...constants, "", templateLiteral(launcher())].join("\n");
}
