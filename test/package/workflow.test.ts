/** The example workflow: that its shell runs, and that it applies nothing else than what was reviewed. */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { markerOf } from "../../lib/review/markdown";
import { emptyFolder, ROOT } from "../cli/support/run";

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
}
const { jobs } = parse(readFileSync(join(ROOT, "examples/review.yml"), "utf8")) as {
  jobs: Record<"plan" | "apply", { environment?: string; steps: Step[] }>;
};
const scriptOf = (job: "plan" | "apply", name: string): string =>
  jobs[job].steps.find((step) => step.name === name)?.run ?? "exit 99";

/** Runs a step as GitHub does, with programs of our own in front of the real ones. */
function runStep(script: string, programs: Record<string, string>, env: Record<string, string> = {}) {
  const folder = emptyFolder();
  mkdirSync(join(folder, "bin"));
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(folder, "bin", name), `#!/bin/bash\n${text}\n`);
    chmodSync(join(folder, "bin", name), 0o755);
  }
  const { status } = spawnSync("bash", ["--noprofile", "--norc", "-eo", "pipefail", "-c", script], {
    cwd: folder,
    env: {
      PATH: `${join(folder, "bin")}:${process.env.PATH}`,
      GITHUB_STEP_SUMMARY: join(folder, "summary"),
      GITHUB_REPOSITORY: "a/b",
      ...env,
    },
  });
  const read = (name: string): string =>
    existsSync(join(folder, name)) ? readFileSync(join(folder, name), "utf8") : "";
  return { status, read, folder };
}

test.each([
  [0, 0],
  [2, 0],
  [1, 1],
  [127, 1],
])("a review that ends with %d ends the step with %d", (code, expected) => {
  const { status, read } = runStep(scriptOf("plan", "review"), { npx: `echo "comment of $*"; exit ${code}` });
  expect(status).toBe(expected);
  expect(read("comment.md")).toBe("comment of ssh-only-firewall review plan.json\n");
});

test.each([
  ["the first comment is made", "", "api --method POST repos/a/b/issues/7/comments -F body=@comment.md\n"],
  [
    "the comment that is there is replaced",
    "11",
    "api --method PATCH repos/a/b/issues/comments/11 -F body=@comment.md\n",
  ],
])("%s", (_what, found, called) => {
  const gh = `case "$*" in *--paginate*) echo "${found}" ;; *) echo "$@" >> calls ;; esac`;
  const { status, read } = runStep(scriptOf("plan", "comment"), { gh }, { PULL: "7" });
  expect([status, read("calls")]).toEqual([0, called]);
  expect(scriptOf("plan", "comment")).toContain(`startswith("${markerOf(undefined)}")`);
});

describe("what is applied", () => {
  const check = (sha256: string, head: string): number | null => {
    const script = `mkdir stack; echo plan > stack/plan.tfplan\n${scriptOf("apply", "exactly what was reviewed")}`;
    return runStep(script, { gh: `echo ${head}` }, { PULL: "7", REVIEWED: "abc", SHA256: sha256 }).status;
  };
  const sha256 = spawnSync("sh", ["-c", "echo plan | sha256sum | cut -d ' ' -f 1"], { encoding: "utf8" }).stdout.trim();

  test("is the plan that was reviewed, and only while the pull request is what it was", () => {
    expect(check(sha256, "abc")).toBe(0);
    expect(check(sha256, "def")).toBe(1);
    expect(check("0".repeat(64), "abc")).toBe(1);
  });

  test("is that plan file, after somebody approved", () => {
    expect(jobs.apply.environment).toBe("old-servers");
    expect(scriptOf("apply", "apply")).toMatch(/terraform -chdir=stack apply -input=false plan\.tfplan\n$/);
  });
});

test("every script is one that bash can read", () => {
  const scripts = [...jobs.plan.steps, ...jobs.apply.steps].flatMap(({ run }) => run ?? []);
  expect(scripts.length).toBeGreaterThan(5);
  for (const script of scripts) {
    expect(spawnSync("bash", ["-n", "-c", script], { encoding: "utf8" }).stderr).toBe("");
  }
});
