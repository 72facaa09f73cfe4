#!/usr/bin/env node
/** The command line. */
import { run } from "../lib/cli/run";

// Whoever reads has seen enough, as in `render | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") {
    throw error;
  }
});

void run(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
