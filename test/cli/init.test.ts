import { readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseFleet } from "../../lib/fleet/fleet-file";
import { type Ended, emptyFolder, program, ROOT, run } from "./support/run";

const init = (cwd: string, ...args: string[]): Ended => run(program("ssh-only-firewall", "init", ...args), cwd);
const starter = (file: string): string => readFileSync(join(ROOT, "examples/starter", file), "utf8");

test("init writes both files here, and says which, and what to do next", () => {
  const folder = emptyFolder();
  const { code, stdout, stderr } = init(folder);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(
    /^Wrote cdktf.json and fleet.yaml.\n[^]*\n {2}npx cdktf-cli diff .*\n {2}npx cdktf-cli deploy .*\n$/,
  );
  expect(stdout).not.toContain("  cd ");
  expect(readdirSync(folder).sort()).toEqual(["cdktf.json", "fleet.yaml"]);
  expect(readFileSync(join(folder, "fleet.yaml"), "utf8")).toBe(starter("fleet.yaml"));
  expect(readFileSync(join(folder, "cdktf.json"), "utf8")).toBe(starter("cdktf.json"));
});

test("init makes the folder that it is given", () => {
  const folder = emptyFolder();
  const { code, stdout } = init(folder, "old/servers");
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Wrote old\/servers\/cdktf.json and old\/servers\/fleet.yaml.\n[^]*\n {2}cd old\/servers\n/);
  expect(readdirSync(join(folder, "old/servers")).sort()).toEqual(["cdktf.json", "fleet.yaml"]);
});

test.each([["cdktf.json"], ["fleet.yaml"]])("init overwrites no %s, and then writes nothing", (file) => {
  const folder = emptyFolder();
  writeFileSync(join(folder, file), "mine");
  expect(init(folder)).toEqual({
    code: 1,
    stdout: "",
    stderr: `${file} exists already, and nothing was written; choose another directory, or move them away\n`,
  });
  expect(readdirSync(folder)).toEqual([file]);
  expect(readFileSync(join(folder, file), "utf8")).toBe("mine");
});

test("init takes back the folders that it made when it cannot write into them", () => {
  const folder = emptyFolder();
  // As long as a path may be, so that the files in it are too long.
  const deep = join("new", ...Array.from({ length: 16 }, () => "x".repeat(250)), "x".repeat(70));
  const { code, stderr } = init(folder, deep);
  expect(code).toBe(1);
  expect(stderr).toMatch(/ENAMETOOLONG.*; nothing was written; choose a directory that you may write to\n$/);
  expect(readdirSync(folder)).toEqual([]);
});

test("init takes back the first file when it cannot write the second", () => {
  const folder = emptyFolder();
  symlinkSync("nowhere", join(folder, "fleet.yaml"));
  const { code, stderr } = init(folder);
  expect(code).toBe(1);
  expect(stderr).toMatch(/EEXIST.*fleet.yaml.*; nothing was written; /);
  expect(readdirSync(folder)).toEqual(["fleet.yaml"]);
});

test("init says so where a file stands for the folder", () => {
  const folder = emptyFolder();
  writeFileSync(join(folder, "file"), "mine");
  expect(init(folder, "file").stderr).toMatch(/^file: ENOTDIR.*; nothing was written; choose a folder/);
  expect(readFileSync(join(folder, "file"), "utf8")).toBe("mine");
});

test("what init writes is a sound fleet, also with every line uncommented that shows a setting", () => {
  expect(parseFleet(starter("fleet.yaml")).problems).toEqual([]);
  const uncommented = starter("fleet.yaml").replace(
    /^( *)# ((?:- |privateKeyPath|exceptions:| {2}- |tracker:|web-2:| {2}\w+:).*)$/gm,
    "$1$2",
  );
  expect(
    uncommented
      .split("\n")
      .filter((line) => /^ *#/.test(line))
      .join("\n"),
  ).not.toContain("dhcp-client");
  const { fleet, problems } = parseFleet(uncommented);
  expect(problems).toEqual([]);
  expect(fleet?.firewall.settings.tracker).toBe("terraform_data");
  expect(fleet?.firewall.host("web-2")?.policy.sshPort).toBe(2222);
});
