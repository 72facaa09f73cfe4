import { cpSync, existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cdktf, emptyFolder, program, ROOT, run } from "../cli/support/run";

const BAD = `sshPort: "22"
allowFrom: [10.0.0.5/24]
hosts:
  web-1: 192.0.2.10
  web-2:
`;

const ALL_PROBLEMS = [
  "fleet.yaml:1:1: sshPort: must be a number, not text; did you mean 22 without quotes?",
  'fleet.yaml:2:13: allowFrom[0]: "10.0.0.5/24" is an address with a prefix length, not a range; did you mean 10.0.0.0/24, or 10.0.0.5?',
  "fleet.yaml:5:3: hosts.web-2: has no value; give it one, or take the line out",
];

function folderWith(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = emptyFolder();
  Object.entries(files).forEach(([name, content]) => writeFileSync(join(folder, name), content));
  return folder;
}

describe("the app", () => {
  test("reports all problems of a fleet file, exits with 1 and writes nothing", () => {
    const folder = folderWith({ "fleet.yaml": BAD });
    expect(run(program("fleet"), folder)).toEqual({ code: 1, stdout: "", stderr: `${ALL_PROBLEMS.join("\n")}\n` });
    expect(existsSync(join(folder, "cdktf.out"))).toBe(false);
  });

  test("writes one stack from the fleet file of the folder, or from another", () => {
    const folder = folderWith({
      "fleet.yaml": "hosts: { a: 192.0.2.1 }",
      "b.yaml": "name: b\nhosts: { b: 192.0.2.2 }",
    });
    expect(run(program("fleet"), folder).code).toBe(0);
    expect(run(program("fleet", "b.yaml"), folder).code).toBe(0);
    expect(readFileSync(join(folder, "cdktf.out/stacks/fleet/cdk.tf.json"), "utf8")).toContain("192.0.2.1");
    expect(readFileSync(join(folder, "cdktf.out/stacks/b/cdk.tf.json"), "utf8")).toContain("192.0.2.2");
  });

  test.each([
    ["fleet.yaml", /^fleet.yaml: is not there; write one to start from: npx .* init\n$/],
    ["there/fleet.yaml", /^there\/fleet.yaml: is not there; write one .* init there\n$/],
    ["flet.yaml", /^flet.yaml: is not there; give the path of a fleet file\n$/],
    [".", /^.: is a directory; give the fleet file in it\n$/],
    ["utf16.yaml", /^utf16.yaml: is not UTF-8 text; save it in that encoding\n$/],
    ["utf16.yaml/x", /^utf16.yaml\/x: cannot be read: ENOTDIR.*; give the path of a fleet file\n$/],
  ])("says what to do about %s", (file, message) => {
    const folder = folderWith({ "utf16.yaml": Buffer.from("\ufeffhosts: {}", "utf16le") });
    expect(run(program("fleet", file), folder)).toEqual({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(message),
    });
    expect(existsSync(join(folder, "cdktf.out"))).toBe(false);
  });

  test("prints its usage", () => {
    const folder = emptyFolder();
    const usage = expect.stringMatching(/^Usage: ssh-only-firewall-fleet \[FILE\]\n/);
    expect(run(program("fleet", "--help"), folder)).toEqual({ code: 0, stdout: usage, stderr: "" });
    expect(run(program("fleet", "a.yaml", "b.yaml"), folder)).toEqual({ code: 2, stdout: "", stderr: usage });
  });
});

test("output as HCL is refused with a remedy, because Terraform could not read it", () => {
  const folder = folderWith({ "fleet.yaml": "hosts: { web-1: 192.0.2.10 }\n" });
  const { code, stderr } = run(program("fleet"), folder, { SYNTH_HCL_OUTPUT: "true" });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^fleet\/fleet cannot be written as HCL: .* Run synth without --hcl .*\n$/);
  expect(existsSync(join(folder, "cdktf.out", "stacks", "fleet"))).toBe(false);
});

describe("cdktf synth in a clone", () => {
  /** What the app needs of the repository, with a fleet file beside it. */
  function clone(fleet: string): string {
    const folder = folderWith({ "fleet.yaml": fleet });
    ["cdktf.json", "package.json", "tsconfig.json", "bin", "lib"].forEach((name) =>
      cpSync(join(ROOT, name), join(folder, name), { recursive: true }),
    );
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
    return folder;
  }

  test("shows every problem of the fleet file, fails and writes no stack", () => {
    const folder = clone(BAD);
    const { code, stderr } = run(cdktf("synth"), folder);
    expect(code).toBe(1);
    expect(ALL_PROBLEMS.filter((problem) => !stderr.includes(problem))).toEqual([]);
    expect(stderr).not.toMatch(/^ +at .*:\d+:\d+\)?$/m);
    expect(existsSync(join(folder, "cdktf.out", "stacks"))).toBe(false);
  }, 60_000);

  test("writes the stack, and warns of what is allowed but unwise", () => {
    const folder = clone("tracker: terraform_data\nhosts:\n  web-1: 192.0.2.10\n");
    const { code, stdout } = run(cdktf("synth"), folder);
    expect(stdout).toContain("SSH is open to every address (web-1): name the sources in allowFrom.");
    expect(code).toBe(0);
    expect(readFileSync(join(folder, "cdktf.out/stacks/fleet/cdk.tf.json"), "utf8")).toContain("192.0.2.10");
  }, 60_000);

  test("writes every stack of a fleet that is divided, as Terraform finds it valid, and warns of deploying them at once", () => {
    const hosts = ["web-1", "web-2", "web-3"].map((name, index) => `  ${name}: 192.0.2.${index + 1}\n`).join("");
    const folder = clone(`stacks: 2\ntracker: terraform_data\nhosts:\n${hosts}`);
    const { code, stdout } = run(cdktf("synth"), folder);
    expect(stdout).toContain("These are 2 stacks. Deploy them one at a time");
    expect(code).toBe(0);
    for (const name of ["fleet-0", "fleet-1"]) {
      const stack = join(folder, "cdktf.out/stacks", name);
      expect(run(["terraform", "init", "-input=false"], stack).code).toBe(0);
      expect(run(["terraform", "validate", "-no-color"], stack).stdout).toContain("The configuration is valid.");
    }
  }, 60_000);
});
