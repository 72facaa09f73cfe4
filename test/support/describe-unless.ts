/** Groups of tests that need what not every machine has. */
import { findTofu } from "../lab/prerequisites";

/**
 * As jest's `describe`, where nothing stands in the way. Else it fails with CI=true, and elsewhere the group is listed by name
 * as not run, with the reason.
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
    return;
  }
  process.stderr.write(`Not run: ${name}: ${reason}.\n`);
  test.todo(`${name} (not run: ${reason})`);
}

/**
 * Tests that need OpenTofu, which few machines have and which takes minutes to build: where it is not, they are listed by name as
 * not run, in CI too. `npm run setup:tofu` builds it.
 */
export function describeWithTofu(name: string, tests: (tofu: string) => void): void {
  const tofu = findTofu();
  if (tofu === undefined) {
    const reason = "OpenTofu is not here; npm run setup:tofu builds it";
    process.stderr.write(`Not run: ${name}: ${reason}.\n`);
    test.todo(`${name} (not run: ${reason})`);
  } else {
    describe(name, () => tests(tofu));
  }
}
