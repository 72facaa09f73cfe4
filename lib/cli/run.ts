/**
 * The command line: its commands, and how it ends. Exit codes: 0 done, 1 it could not be done, 2 wrong usage; of review, status
 * and report, 2 is the answer that something is dangerous, not as it should be, or could not be asked.
 */
import { Command, CommanderError } from "commander";
import { FleetFileError } from "../fleet/fleet-file";
import { CommandError } from "./errors";
import { addDrift } from "./drift";
import { addInit } from "./init";
import { packageVersion } from "./package";
import { addRender } from "./render";
import { addReport } from "./report";
import { addReview } from "./review";
import { addStatus } from "./status";

export async function run(args: readonly string[]): Promise<number> {
  const program = new Command("ssh-only-firewall")
    .description("Closes servers to everything but SSH, through Terraform.")
    .version(packageVersion())
    .showHelpAfterError("Add --help to see what is possible.")
    .exitOverride();
  [addInit, addRender, addReview, addStatus, addReport, addDrift].forEach((add) => add(program));
  try {
    await program.parseAsync(args, { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) {
      // It has said all there is to say.
      return error.exitCode === 0 ? 0 : 2;
    }
    if (error instanceof CommandError || error instanceof FleetFileError) {
      process.stderr.write(error.message === "" ? "" : `${error.message}\n`);
      return error instanceof CommandError ? error.exitCode : 1;
    }
    throw error;
  }
}
