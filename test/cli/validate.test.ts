import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { emptyFolder, program, ROOT, run } from "./support/run";

const folder = emptyFolder();
writeFileSync(join(folder, "fleet.yaml"), "hosts: { web-1: 192.0.2.10 }\n");
writeFileSync(join(folder, "bad.yaml"), "sshPort: 0\nhosts:\n  web-1: { adress: 192.0.2.10 }\n");
const validate = (...args: readonly string[]) => run(program("ssh-only-firewall", "validate", ...args), folder);

test("a sound fleet file passes without a word, and a bad one fails with every problem and its place", () => {
  expect(validate()).toEqual({ code: 0, stdout: "", stderr: "" });
  const { code, stdout } = validate("fleet.yaml", "bad.yaml");
  expect(code).toBe(1);
  expect(stdout).toMatch(
    /^bad\.yaml:1:1: sshPort: .*\nbad\.yaml:3:3: .*address: is missing.*\nbad\.yaml:3:12: .*adress.*\n$/,
  );
  expect(validate("nowhere.yaml")).toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringContaining("nowhere.yaml: "),
  });
});

test("GitHub gets each problem as an annotation of its line", () => {
  const { code, stdout } = validate("bad.yaml", "--format", "github");
  expect(code).toBe(1);
  expect(stdout).toMatch(/^::error file=bad\.yaml,line=1,col=1::sshPort: .*\n::error file=bad\.yaml,line=3,col=3::/);
});

test("the hook of pre-commit runs it for every fleet file", () => {
  const [hook] = parse(readFileSync(join(ROOT, ".pre-commit-hooks.yaml"), "utf8")) as [Record<string, string>];
  expect(hook).toMatchObject({ language: "node", entry: "ssh-only-firewall validate" });
  const files = new RegExp(hook.files ?? "");
  expect(["fleet.yaml", "old/fleet.yml", "my-fleet.yaml.bak", "fleet.yaml/x"].map((file) => files.test(file))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});
