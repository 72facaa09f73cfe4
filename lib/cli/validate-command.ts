/** `validate`: whether fleet files are sound, without an app and without Terraform. */
import type { Command } from "commander";
import { DEFAULT_FILE } from "../fleet/fleet-file";
import { validated, VALIDATION_FORMATS } from "../fleet/validation";
import { CommandError } from "./errors";
import { addFormatOptions, formatIn, type FormatOptions } from "./format-options";

const HELP = `
Exit codes:
  0  every file is a sound fleet
  1  at least one is not: its problems are listed, or it could not be read

Examples:
  $ ssh-only-firewall validate
  $ ssh-only-firewall validate old-servers/fleet.yaml --format github
`;

export function addValidate(program: Command): void {
  const command = program
    .command("validate")
    .summary("check fleet files, for editors, pre-commit and CI")
    .description(
      "Check fleet files, and list every problem with its place. No host is asked, and Terraform is not run.",
    )
    .argument("[FILE...]", `fleet files (default: ${DEFAULT_FILE})`);
  addFormatOptions(command, VALIDATION_FORMATS).addHelpText("after", HELP).action(validate);
}

function validate(files: readonly string[], options: FormatOptions): void {
  const found = (files.length === 0 ? [DEFAULT_FILE] : files).map(validated);
  process.stdout.write(formatIn(VALIDATION_FORMATS, options).print(found));
  if (found.some(({ count }) => count > 0)) {
    throw new CommandError("", 1);
  }
}
