/** The policy for conftest, run by the real one as the manual has it: that nothing but a whole and harmless review passes. */
import { chmodSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hostProgramVersion } from "../../lib/host/program";
import { type Argv, emptyFolder, program, ROOT, run } from "../cli/support/run";
import { bytesOf, planOf, PROGRAM } from "../review/support/plans";
import { defined } from "../support/required";
import { describeWithBuilt } from "../support/describe-unless";

const RECIPE = defined(
  /^npx .*\|\n +conftest .*$/m.exec(readFileSync(join(ROOT, "docs/guides/ci.md"), "utf8"))?.[0],
  "recipe with conftest",
);
const NO_REVIEW = "This is not a whole review of a plan";

const quoted = (command: Argv): string => command.map((word) => `'${word}'`).join(" ");

const folder = emptyFolder();
const write = (name: string, plan: unknown): void =>
  writeFileSync(join(folder, name), bytesOf(plan).toString().replaceAll(PROGRAM, hostProgramVersion()));
write("harmless.json", planOf([{ key: "web-1" }]));
write("dangerous.json", planOf([{ key: "web-1", hostKey: "", after: ["0.0.0.0/0"] }]));
write("partial.json", planOf([{ key: "web-1" }], { complete: false }));
write("failed.json", planOf([{ key: "web-1" }], { errored: true }));
write("state.json", { format_version: "1.0", values: {} });
writeFileSync(join(folder, "empty.json"), "");
symlinkSync(join(ROOT, "examples"), join(folder, "examples"));

/** As npx finds the command in a project. */
writeFileSync(join(folder, "npx"), `#!/bin/sh\nshift 3\nexec ${quoted(program("ssh-only-firewall"))} "$@"\n`);
chmodSync(join(folder, "npx"), 0o755);

/** What `review --json` prints, to be damaged. */
const whole = JSON.parse(
  run(program("ssh-only-firewall", "review", "dangerous.json", "--json", "--fail-on", "none"), folder).stdout,
) as Record<string, unknown>;
const without = (name: string): unknown => Object.fromEntries(Object.entries(whole).filter(([key]) => key !== name));

describeWithBuilt("conftest", "the policy for conftest", (conftest) => {
  symlinkSync(conftest, join(folder, "conftest"));

  const gate = (script: string, options = "set -o pipefail"): { passes: boolean; printed: string } => {
    const env = { PATH: `${folder}:${process.env.PATH}` };
    const { code, stdout, stderr } = run(["bash", "-c", `${options}\n${script}`], folder, env);
    return { passes: code === 0, printed: stdout + stderr };
  };
  const recipeFor = (plan: string): string => RECIPE.replace("plan.tfplan", plan);

  test("lets a harmless plan pass", () => {
    expect(gate(recipeFor("harmless.json"))).toMatchObject({ passes: true });
  });

  test.each(["dangerous.json", "partial.json", "failed.json"])("denies a plan with its dangers: %s", (plan) => {
    const { passes, printed } = gate(recipeFor(plan));
    expect(passes).toBe(false);
    expect(printed).not.toContain(NO_REVIEW);
    expect(printed).toMatch(plan === "dangerous.json" ? /open-to-world: web-1: TCP port 22 from any/ : /incomplete: /);
  });

  test.each([["set -o pipefail"], ["set +o pipefail"]])(
    "denies a plan that the review refuses, and one that is not there, with %s",
    (options) => {
      for (const plan of ["state.json", "empty.json", "absent.json"]) {
        const { passes, printed } = gate(recipeFor(plan), options);
        expect({ plan, passes, isNamed: printed.includes(NO_REVIEW) }).toEqual({ plan, passes: false, isNamed: true });
      }
    },
  );

  test.each<[string, string]>([
    ["nothing", ""],
    ["a line feed", "\n"],
    ["the first half of a review", JSON.stringify(whole).slice(0, JSON.stringify(whole).length / 2)],
    ["null", "null"],
    ["an empty object", "{}"],
    ["an empty list", "[]"],
    ["a plan", readFileSync(join(folder, "harmless.json"), "utf8")],
    ["a message", "error: the plan could not be read"],
    ["a review of another version", JSON.stringify({ ...whole, version: 2 })],
    ["a review that calls itself harmless", JSON.stringify({ ...whole, dangerous: false })],
    ["a review whose dangers are gone", JSON.stringify({ ...whole, dangers: [] })],
    ["a danger without findings", JSON.stringify({ ...whole, dangers: [{ kind: "opened", findings: [] }] })],
    ["a danger without a word", JSON.stringify({ ...whole, dangers: [{ kind: "opened", findings: [{}] }] })],
    ...["version", "verdict", "dangerous", "dangers", "hosts", "lockedAfter"].map((name): [string, string] => [
      `a review without ${name}`,
      JSON.stringify(without(name)),
    ]),
  ])("denies what is no whole review: %s", (_what, text) => {
    writeFileSync(join(folder, "text"), text);
    expect(gate("conftest test --combine --policy examples/conftest - < text")).toMatchObject({ passes: false });
  });

  test("denies everything without --combine, which tests an empty list as well", () => {
    const { passes, printed } = gate(recipeFor("harmless.json").replace(" --combine", ""));
    expect([passes, printed]).toEqual([false, expect.stringContaining(NO_REVIEW)]);
  });

  test("allows the kinds of danger that a file of data names, and never an incomplete plan", () => {
    const allowing = (kinds: string, plan: string) => {
      writeFileSync(join(folder, "allowed.yaml"), `allowed_kinds: [${kinds}]\n`);
      return gate(recipeFor(plan).replace(/-$/, "--data allowed.yaml -"));
    };
    expect(allowing("open-to-world, host-key", "dangerous.json")).toMatchObject({ passes: true });
    const { passes, printed } = allowing("host-key", "dangerous.json");
    expect(passes).toBe(false);
    expect(printed).toContain("open-to-world: ");
    expect(printed).not.toContain("host-key: ");
    expect(allowing("incomplete", "partial.json")).toMatchObject({ passes: false });
  });
});
