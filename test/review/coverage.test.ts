/** Plans that do not say whether they are complete, made up; those of real engines are in test/e2e/engines.test.ts. */
import { verdictOf } from "../../lib/review/markdown";
import { readPlan } from "../../lib/review/plan";
import { type Review, reviewPlan } from "../../lib/review/review";
import { plain } from "../../lib/review/text";
import { bytesOf, planOf } from "./support/plans";

const review = (plan: unknown): Review => reviewPlan(readPlan(bytesOf(plan)));
const incomplete = ({ dangers }: Review): string[] =>
  dangers
    .filter(({ kind }) => kind === "incomplete")
    .flatMap(({ findings }) => findings.map(({ host, detail }) => `${host ?? "-"}: ${plain(detail)}`));

interface MadeUp {
  resource_changes: Array<{ address: string; index: string; change: { after: unknown } }>;
  configuration: { root_module: object };
}

/** Of hosts that stay as they are, as OpenTofu writes it. */
function untold(keys: readonly string[], listed: string | undefined): MadeUp {
  const hosts = keys.map((key) => ({ key, before: ["192.0.2.0/24"], after: ["192.0.2.0/24"] }));
  const plan = planOf(hosts) as unknown as MadeUp & { complete?: boolean };
  delete plan.complete;
  const variables = listed === undefined ? {} : { fleet_host_names: { default: listed } };
  return { ...plan, configuration: { root_module: { ...plan.configuration.root_module, variables } } };
}

const PARTIAL = "-: another plan is needed after this one: it has targets or exclusions, or something was deferred";

describe("a plan that does not say whether it is complete", () => {
  test("is complete where it has all hosts of the configuration", () => {
    expect(incomplete(review(untold(["a", "b"], "a b")))).toEqual([]);
  });

  test("is not where it lacks one of them", () => {
    const found = review(untold(["a"], "a b"));
    expect(incomplete(found)).toEqual([PARTIAL, "b: it is in the configuration, and not in this plan"]);
    expect(verdictOf(found)).toBe("Dangerous: read what is listed first. Of 1 host: 1 locked again.");
  });

  test("is not where no change mentions what the state has", () => {
    const plan = untold(["a", "b"], "a b");
    const resources = plan.resource_changes.map((one) => ({ ...one, values: one.change.after }));
    const prior = { prior_state: { values: { root_module: { resources } } } };
    const without = plan.resource_changes.filter(({ index }) => index !== "b");
    expect(incomplete(review({ ...plan, ...prior }))).toEqual([]);
    expect(incomplete(review({ ...plan, ...prior, resource_changes: without }))).toEqual([
      PARTIAL,
      "b: this plan leaves it out, or a part of it",
    ]);
  });

  test("is reviewed as possibly incomplete, where the configuration does not list its hosts", () => {
    const found = review(untold(["a"], undefined));
    expect(incomplete(found)).toEqual([
      expect.stringMatching(/^-: this plan does not show whether it has targets or exclusions, and its configuration/),
    ]);
    expect(verdictOf(found)).toMatch(/^Dangerous/);
  });
});
