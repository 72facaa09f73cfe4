/** Groups of tests that need a lab: where none can run, they are listed as not run, with the reason. */
import { describeUnless } from "../support/describe-unless";
import { whyNoChromium, whyNoLab, whyNoTerraform } from "./prerequisites";

const WHY_NOT = { terraform: whyNoTerraform, chromium: whyNoChromium } as const;

export interface DescribeLabOptions {
  /** What the tests need besides a lab. @default - nothing */
  readonly needs?: keyof typeof WHY_NOT;
}

/** As jest's `describe`, with time enough for a lab. With CI=true, not being able to run is a failure. */
export function describeLab(name: string, tests: () => void, options: DescribeLabOptions = {}): void {
  jest.setTimeout(120_000);
  const reason = whyNoLab() ?? (options.needs === undefined ? undefined : WHY_NOT[options.needs]());
  describeUnless(reason, name, tests);
}
