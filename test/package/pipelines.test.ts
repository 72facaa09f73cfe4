/** The composite action, the GitLab template and the publish workflow: that their gates refuse what is no review. */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { emptyFolder, ROOT } from "../cli/support/run";

const read = <T>(file: string): T => parse(readFileSync(join(ROOT, file), "utf8")) as T;

function runWith(npx: string, script: string) {
  const folder = emptyFolder();
  mkdirSync(join(folder, "bin"));
  writeFileSync(join(folder, "bin/npx"), `#!/bin/bash\n${npx}\n`);
  chmodSync(join(folder, "bin/npx"), 0o755);
  const [summary, output] = [join(folder, "summary"), join(folder, "output")];
  const { status, stdout } = spawnSync("bash", ["--noprofile", "--norc", "-eo", "pipefail", "-c", script], {
    cwd: folder,
    encoding: "utf8",
    env: {
      PATH: `${join(folder, "bin")}:${process.env.PATH}`,
      RUNNER_TEMP: folder,
      GITHUB_STEP_SUMMARY: summary,
      GITHUB_OUTPUT: output,
      PLAN: "plan.json",
      FAIL_ON: "any",
      NAME: "fleet-0",
    },
  });
  return { status, stdout, summary: existsSync(summary) ? readFileSync(summary, "utf8") : "" };
}

/** As the command ends: whole reviews that are harmless and dangerous, one that failed, and one that printed nothing. */
const HARMLESS = 'echo "$*"';
const DANGEROUS = 'echo "$*"; case "$*" in *none*) exit 0 ;; *) exit 2 ;; esac';
const CASES: ReadonlyArray<readonly [string, string, boolean]> = [
  ["harmless", HARMLESS, true],
  ["dangerous", DANGEROUS, false],
  ["failed after half of it", "echo half; exit 1", false],
  ["printed nothing", "exit 0", false],
  ["not installed", "exit 127", false],
];

test.each(CASES)("the action lets pass what is reviewed and harmless, and nothing else: %s", (_what, npx, passes) => {
  const { runs } = read<{ runs: { steps: Array<{ run: string }> } }>("action.yml");
  const { status, stdout, summary } = runWith(npx, runs.steps[0]?.run ?? "exit 99");
  expect(status === 0).toBe(passes);
  if (passes) {
    const called = "--no -- ssh-only-firewall review plan.json --name fleet-0 --fail-on";
    expect([summary, stdout]).toEqual([`${called} none\n`, `${called} any --format github\n`]);
  }
});

test.each([
  ["harmless", HARMLESS, 0],
  ["dangerous", "echo listed; exit 2", 0],
  ["failed after half of it", "echo half; exit 1", 1],
  ["printed nothing", "exit 0", 1],
])("the GitLab template goes on with a whole review alone: %s", (_what, npx, expected) => {
  const { plan } = read<{ plan: { script: string[] } }>("examples/gitlab.yml");
  const from = plan.script.findIndex((line) => line.startsWith("code=0;"));
  expect(from).toBeGreaterThan(0);
  expect(runWith(npx, plan.script.slice(from).join("\n")).status).toBe(expected);
});

test("a release is published with its provenance", () => {
  const { permissions, jobs } = read<{
    permissions: Record<string, string>;
    jobs: { publish: { steps: Array<{ run?: string }> } };
  }>(".github/workflows/publish.yml");
  expect(permissions["id-token"]).toBe("write");
  expect(jobs.publish.steps.at(-1)?.run).toBe("npm publish --provenance --access public");
});
