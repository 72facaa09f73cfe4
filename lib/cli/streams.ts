/** What happens when what a command says cannot be written. */

/** Whoever reads may have seen enough, as in `render | head`: that changes no exit code. Anything else is said in one line. */
export function endQuietly(): void {
  process.stderr.on("error", () => {
    // There is nowhere left to say it.
  });
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") {
      return;
    }
    process.stderr.write(`standard output: ${error.message}\n`);
    // What was to be written is not there, whatever the command has found. Last, for it may still be at work.
    process.once("exit", () => {
      process.exitCode = 1;
    });
  });
}
