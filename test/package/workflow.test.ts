/** The example workflows: that their shell runs, and that they apply nothing else than what was reviewed. */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { markerOf } from "../../lib/review/markdown";
import { emptyFolder, program, ROOT } from "../cli/support/run";

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
}
interface Job {
  readonly environment?: string;
  readonly strategy?: { readonly matrix: string; readonly "fail-fast": boolean };
  readonly outputs?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}
type Jobs = Readonly<Record<string, Job>>;
const jobsOf = (file: string): Jobs =>
  (parse(readFileSync(join(ROOT, "examples", file), "utf8")) as { jobs: Jobs }).jobs;
const jobs = jobsOf("review.yml");
const stackJobs = jobsOf("stacks.yml");
const scriptOf = (job: string, name: string, of = jobs): string =>
  of[job].steps.find((step) => step.name === name)?.run ?? "exit 99";

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
  const npx = `echo "comment of $*"; exit ${code}`;
  const one = runStep(scriptOf("plan", "review"), { npx });
  expect(one.status).toBe(expected);
  expect(one.read("comment.md")).toBe("comment of ssh-only-firewall review plan.json\n");
  const stack = runStep(scriptOf("plan", "review", stackJobs), { npx }, { NAME: "fleet-0" });
  expect(stack.status).toBe(expected);
  expect(stack.read("comment.md")).toBe("comment of ssh-only-firewall review plan.json --name fleet-0\n");
});

test.each([
  ["the first comment is made", "", "api --method POST repos/a/b/issues/7/comments -F body=@comment.md\n"],
  [
    "the comment that is there is replaced",
    "11",
    "api --method PATCH repos/a/b/issues/comments/11 -F body=@comment.md\n",
  ],
])("%s", (_what, found, called) => {
  const gh = `case "$*" in *--paginate*) echo "$*" >> asked; echo "${found}" ;; *) echo "$@" >> calls ;; esac`;
  for (const [of, name] of [
    [jobs, undefined],
    [stackJobs, "fleet-0"],
  ] as const) {
    const { status, read } = runStep(scriptOf("plan", "comment", of), { gh }, { PULL: "7", NAME: name ?? "" });
    expect([status, read("calls")]).toEqual([0, called]);
    expect(read("asked")).toContain(`startswith("${markerOf(name)}")`);
  }
});

describe("of several stacks", () => {
  test("the matrix is what the command prints, on one line", () => {
    const folder = emptyFolder();
    writeFileSync(join(folder, "fleet.yaml"), "stacks: 1\nhosts: { web-1: 192.0.2.1 }\n");
    const command = program("ssh-only-firewall", "stacks", "--json").map((word) => `'${word}'`);
    const npx = `[ "$*" = "ssh-only-firewall stacks --json" ] && cd '${folder}' && ${command.join(" ")}`;
    const output = join(folder, "output");
    const { status } = runStep(scriptOf("stacks", "matrix", stackJobs), { npx }, { GITHUB_OUTPUT: output });
    expect(status).toBe(0);
    const [, matrix] = /^matrix=(.*)\n$/.exec(readFileSync(output, "utf8")) as unknown as [string, string];
    expect(JSON.parse(matrix)).toEqual({ include: [{ stack: "fleet-0", hosts: 1 }] });
  });

  test("each is planned and applied in a job of its own, and one that fails stops no other", () => {
    expect(stackJobs.stacks.outputs).toEqual({ matrix: "${{ steps.stacks.outputs.matrix }}" });
    const strategy = { "fail-fast": false, matrix: "${{ fromJSON(needs.stacks.outputs.matrix) }}" };
    expect([stackJobs.plan.strategy, stackJobs.apply.strategy]).toEqual([strategy, strategy]);
    expect(stackJobs.apply.environment).toBe("old-servers");
    expect(scriptOf("apply", "apply", stackJobs)).toBe(scriptOf("apply", "apply"));
  });

  test.each([
    ["abc", 0],
    ["def", 1],
  ])("nothing is applied of a pull request that has changed: its head abc is now %s", (head, expected) => {
    const script = scriptOf("apply", "only while the pull request is what it was", stackJobs);
    expect(runStep(script, { gh: `echo ${head}` }, { PULL: "7", REVIEWED: "abc" }).status).toBe(expected);
  });
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
  const all = [jobs, stackJobs].flatMap((of) => Object.values(of));
  const scripts = all.flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []));
  expect(scripts.length).toBeGreaterThan(5);
  for (const script of scripts) {
    expect(spawnSync("bash", ["-n", "-c", script], { encoding: "utf8" }).stderr).toBe("");
  }
});
