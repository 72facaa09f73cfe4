/** Groups of tests that need what not every machine has. */
import { type Built, findBuilt } from "../lab/prerequisites";

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
 * Tests that need a program which few machines have and which takes minutes to build: where it is not, they are listed by name as
 * not run, in CI too. `npm run setup:NAME` builds it.
 */
export function describeWithBuilt(program: Built, name: string, tests: (file: string) => void): void {
  const file = findBuilt(program);
  if (file === undefined) {
    const reason = `${program} is not here; npm run setup:${program} builds it`;
    process.stderr.write(`Not run: ${name}: ${reason}.\n`);
    test.todo(`${name} (not run: ${reason})`);
  } else {
    describe(name, () => tests(file));
  }
}
