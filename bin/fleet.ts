#!/usr/bin/env node
/** The CDKTF app: a fleet file in, its stacks out. `cdktf` runs it, as cdktf.json says. */
import { endQuietly } from "../lib/cli/streams";
import { DEFAULT_FILE, readFleet } from "../lib/fleet/fleet-file";
import { FleetFileError } from "../lib/fleet/fleet-file-error";
import { addStacks } from "../lib/fleet/fleet-stack";
import { App } from "../lib/framework/framework";
import { UnusableAppError } from "../lib/framework/unusable-app";

const USAGE = `Usage: ssh-only-firewall-fleet [FILE]

The app that makes the stack, or the stacks, of a fleet file (default: ${DEFAULT_FILE}). cdktf or cdktn runs it: put it into
cdktf.json as "app", then run cdktf deploy, or cdktn deploy.
`;

function main(args: readonly string[]): number {
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (args.length > 1 || args[0]?.startsWith("-")) {
    process.stderr.write(USAGE);
    return 2;
  }
  try {
    const fleet = readFleet(args[0] ?? DEFAULT_FILE);
    // Only now, for an App makes its folder at once.
    const app = new App();
    addStacks(app, fleet);
    app.synth();
    return 0;
  } catch (error) {
    if (error instanceof FleetFileError || error instanceof UnusableAppError) {
      process.stderr.write(`${error.message}\n`);
      return 1;
    }
    throw error;
  }
}

endQuietly();
process.exitCode = main(process.argv.slice(2));
