#!/usr/bin/env node
/** The command line. */
import { run } from "../lib/cli/run";
import { endQuietly } from "../lib/cli/streams";

endQuietly();
void run(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
