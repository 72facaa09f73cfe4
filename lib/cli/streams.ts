/** What happens when the output of a command cannot be written. */

/** Whoever reads may have seen enough, as in `render | head`: that changes no exit code. Anything else is an error of one line. */
export function endQuietly(): void {
  process.stderr.on("error", () => {
    // There is nowhere left to report it.
  });
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") {
      return;
    }
    process.stderr.write(`standard output: ${error.message}\n`);
    // The output is missing, whatever the command has found. Last, because the command may still be running.
    process.once("exit", () => {
      process.exitCode = 1;
    });
  });
}
