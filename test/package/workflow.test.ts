/** The example workflows: that their shell runs, and that they apply nothing else than what was reviewed. */
import { execFile, spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";
import { defined, items } from "../support/required";
import { markerOf } from "../../lib/review/markdown";
import { emptyFolder, program, ROOT } from "../cli/support/run";
import { runStep } from "./support/run-step";
import { startNullProvider } from "../lab/null-provider";
import { describeWith } from "../terraform/support/real-tools";

interface Step {
  readonly id?: string;
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: { readonly path: string; readonly "include-hidden-files"?: boolean };
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
  defined(of[job]).steps.find((step) => step.name === name)?.run ?? "exit 99";

test.each([
  [0, 0],
  [2, 0],
  [1, 1],
  [127, 1],
])("a review that exits with %d makes the step exit with %d", (code, expected) => {
  const npx = `shift 2; echo "comment of $*"; exit ${code}`;
  const one = runStep(scriptOf("plan", "review"), { npx });
  expect(one.status).toBe(expected);
  expect(one.read("comment.md")).toBe("comment of ssh-only-firewall review plan.json\n");
  const stack = runStep(scriptOf("plan", "review", stackJobs), { npx }, { NAME: "fleet-0" });
  expect(stack.status).toBe(expected);
  expect(stack.read("comment.md")).toBe("comment of ssh-only-firewall review plan.json --name fleet-0\n");
});

test("a review that printed nothing is no review, whatever its exit code", () => {
  for (const npx of ["exit 0", "exit 2"]) {
    expect(runStep(scriptOf("plan", "review"), { npx }).status).toBe(1);
    expect(runStep(scriptOf("plan", "review", stackJobs), { npx }, { NAME: "fleet-0" }).status).toBe(1);
  }
});

test.each(["review.yml", "stacks.yml", "report.yml"])("a pipe of %s fails where any part of it does", (file) => {
  // Only a bash that is named runs with pipefail, as the steps do here.
  const { defaults } = parse(readFileSync(join(ROOT, "examples", file), "utf8")) as { defaults?: unknown };
  expect(defaults).toEqual({ run: { shell: "bash" } });
});

test("a plan whose sum cannot be taken is not handed on", () => {
  const output = join(emptyFolder(), "output");
  const programs = { terraform: "true", sha256sum: "exit 1" };
  const script = defined(defined(jobs.plan).steps.find(({ id }) => id === "plan")?.run);
  const { status } = runStep(script, programs, { GITHUB_OUTPUT: output, STACK: "." });
  expect([status, existsSync(output)]).toEqual([1, false]);
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
    const npx = `[ "$*" = "--no -- ssh-only-firewall stacks --json" ] && cd '${folder}' && ${command.join(" ")}`;
    const output = join(folder, "output");
    const { status } = runStep(scriptOf("stacks", "matrix", stackJobs), { npx }, { GITHUB_OUTPUT: output });
    expect(status).toBe(0);
    const [, matrix] = /^matrix=(.*)\n$/.exec(readFileSync(output, "utf8")) as unknown as [string, string];
    expect(JSON.parse(matrix)).toEqual({ include: [{ stack: "fleet-0", hosts: 1 }] });
  });

  test("no matrix is made of a fleet file that cannot be read", () => {
    const output = join(emptyFolder(), "output");
    const { status } = runStep(scriptOf("stacks", "matrix", stackJobs), { npx: "exit 1" }, { GITHUB_OUTPUT: output });
    expect([status, existsSync(output)]).toEqual([1, false]);
  });

  test.each([
    ["whose stack is made no more", "{ a: { address: 192.0.2.1, group: x }, b: { address: 192.0.2.2, group: y } }", 1],
    [
      "none, for the stack has others",
      "{ a: { address: 192.0.2.1, group: y }, b: { address: 192.0.2.2, group: y } }",
      0,
    ],
    ["none, for there was no fleet", undefined, 0],
  ])("a change leaves a host locked without an owner: %s", (_what, hosts, expected) => {
    const command = program("ssh-only-firewall").map((word) => `'${word}'`);
    const now = "stacks: by-group\nhosts: { b: { address: 192.0.2.2, group: y } }\n";
    const git = `case "$1 $2" in
      "cat-file -e") [ "$3" = abc:fleet.yaml ] && ${hosts === undefined ? "exit 128" : "exit 0"} ;;
      "show abc:fleet.yaml") printf 'stacks: by-group\\nhosts: %s\\n' '${hosts}' ;;
      "fetch --quiet") [ "$5" = abc ] ;;
      *) exit 99 ;;
    esac`;
    const npx = `printf '${now.replaceAll("\n", "\\n")}' > fleet.yaml; shift 3; ${command.join(" ")} "$@" 2> said`;
    const { status, read } = runStep(
      scriptOf("stacks", "no host is left behind", stackJobs),
      { git, npx },
      { BASE: "abc" },
    );
    expect(status).toBe(expected);
    expect(read("said")).toMatch(expected === 1 ? /hosts\.a: is not in the other file, and its stack fleet-x/ : /^$/);
  });

  test("each is planned and applied in a job of its own, and one that fails stops no other", () => {
    expect(defined(stackJobs.stacks).outputs).toEqual({ matrix: "${{ steps.stacks.outputs.matrix }}" });
    const strategy = { "fail-fast": false, matrix: "${{ fromJSON(needs.stacks.outputs.matrix) }}" };
    expect([defined(stackJobs.plan).strategy, defined(stackJobs.apply).strategy]).toEqual([strategy, strategy]);
    expect(defined(stackJobs.apply).environment).toBe("old-servers");
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

  test("is the reviewed plan, and only while the pull request is unchanged", () => {
    expect(check(sha256, "abc")).toBe(0);
    expect(check(sha256, "def")).toBe(1);
    expect(check("0".repeat(64), "abc")).toBe(1);
  });

  test("is that plan file, after somebody approved", () => {
    expect(defined(jobs.apply).environment).toBe("old-servers");
    expect(scriptOf("apply", "apply")).toMatch(/terraform -chdir=stack apply -input=false plan\.tfplan\n$/);
  });
});

/** Of the artifact with the plan: what upload and download make of a folder. Zip files of actions carry no permissions. */
function throughArtifact(of: Jobs, from: string, to: string): void {
  const upload = defined(of.plan)
    .steps.filter(({ uses }) => uses?.startsWith("actions/upload-artifact@"))
    .at(-1)?.with;
  const paths = (upload?.path ?? "").trim().split("\n");
  const [root, ...excluded] = paths.map((path) => path.replace("${{ env.STACK }}", ""));
  expect(root).toBe("");
  expect(excluded.every((one) => /^!\/.*\/\*\*$/.test(one))).toBe(true);
  const out = excluded.map((one) => one.slice(2, -"**".length));
  for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(from.length + 1);
    const isHidden = name.split("/").some((part) => part.startsWith("."));
    const isLeftOut =
      out.some((one) => name.startsWith(one)) || (isHidden && upload?.["include-hidden-files"] !== true);
    if (entry.isFile() && !isLeftOut) {
      mkdirSync(dirname(join(to, name)), { recursive: true });
      copyFileSync(path, join(to, name));
      chmodSync(join(to, name), 0o644);
    }
  }
}

const PROVIDER = "terraform-provider-null_v3.2.4";

describeWith("the plan that went through an artifact", ["terraform"], () => {
  test.each([
    ["review.yml", jobs],
    ["stacks.yml", stackJobs],
  ])("of %s is applied, and its provider can be started there", async (_file, of) => {
    const folder = emptyFolder();
    const [made, stack, bin] = items(
      ["made", "stack", "bin"].map((name) => join(folder, name)),
      3,
    );
    const own = `registry.terraform.io/hashicorp/null/3.2.4/${process.platform}_${ARCHITECTURES[process.arch]}`;
    const mirror = join(folder, "mirror", own);
    [made, stack, bin, mirror].forEach((one) => mkdirSync(defined(one), { recursive: true }));
    writeFileSync(join(mirror, PROVIDER), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    writeFileSync(
      join(folder, "rc"),
      `provider_installation {\n filesystem_mirror {\n path = "${folder}/mirror"\n }\n}\n`,
    );
    // It is installed from the mirror, and what answers for it is ours.
    const standIn = await startNullProvider(folder);
    const real = spawnSync("sh", ["-c", "command -v terraform"], { encoding: "utf8" }).stdout.trim();
    const programs = {
      "ssh-agent": "true",
      "ssh-add": "cat > /dev/null",
      terraform: `case " $* " in *" init "*) unset TF_REATTACH_PROVIDERS ;; esac\nexec ${real} "$@"`,
    };
    Object.entries(programs).forEach(([name, text]) =>
      writeFileSync(join(bin, name), `#!/bin/bash\n${text}\n`, { mode: 0o755 }),
    );
    const env = {
      ...standIn.env,
      PATH: `${bin}:${process.env.PATH}`,
      TF_CLI_CONFIG_FILE: join(folder, "rc"),
      CHECKPOINT_DISABLE: "1",
      SSH_KEY: "x",
    };
    const bash = (script: string) =>
      promisify(execFile)("bash", ["--noprofile", "--norc", "-eo", "pipefail", "-c", script], { cwd: folder, env });
    writeFileSync(
      join(made, "cdk.tf.json"),
      JSON.stringify({
        terraform: { required_providers: { null: { source: "hashicorp/null", version: "3.2.4" } } },
        resource: { null_resource: { one: { triggers: { a: "b" } } } },
      }),
    );
    try {
      await bash("terraform -chdir=made init -input=false");
      // From a registry it is a copy; a mirror is only linked to.
      const linked = join(made, ".terraform/providers", own);
      await bash(`cp -rL '${linked}' copy && rm '${linked}' && mv copy '${linked}'`);
      await bash("terraform -chdir=made plan -input=false -out=plan.tfplan");
      throughArtifact(of, made, stack);
      expect(existsSync(join(stack, ".terraform.lock.hcl"))).toBe(true);
      await bash(scriptOf("apply", "apply", of));
    } finally {
      standIn.stop();
    }
    expect(readFileSync(join(stack, "terraform.tfstate"), "utf8")).toContain('"name": "one"');
    expect(statSync(join(stack, ".terraform/providers", own, PROVIDER)).mode & 0o111).toBe(0o111);
  });
});

/** As Terraform calls what Node calls otherwise. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

test("every script is one that bash can read", () => {
  const all = [jobs, stackJobs].flatMap((of) => Object.values(of));
  const scripts = all.flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []));
  expect(scripts.length).toBeGreaterThan(5);
  for (const script of scripts) {
    expect(spawnSync("bash", ["-n", "-c", script], { encoding: "utf8" }).stderr).toBe("");
  }
});
