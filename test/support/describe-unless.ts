/** Groups of tests that need what not every machine has. */

/**
 * As jest's `describe`, where nothing stands in the way. Else the tests are listed by name as not run, with the reason; with
 * CI=true that is a failure.
 * @param reason why they cannot run here
 */
export function describeUnless(reason: string | undefined, name: string, tests: () => void): void {
  if (reason === undefined) {
    describe(name, tests);
    return;
  }
  if (process.env.CI === "true") {
    test(`${name}: can run here`, () => {
      throw new Error(`It cannot: ${reason}.`);
    });
  }
  process.stderr.write(`Not run: ${name}: ${reason}.\n`);
  describe.skip(`${name} (not run: ${reason})`, tests);
}
