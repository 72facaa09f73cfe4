import { readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defaultCli } from "../../lib/cli/starter-package";
import { parseFleet } from "../../lib/fleet/fleet-file";
import { type Ended, emptyFolder, program, ROOT, run } from "./support/run";

const init = (cwd: string, ...args: string[]): Ended => run(program("ssh-only-firewall", "init", ...args), cwd);
const starter = (file: string): string => readFileSync(join(ROOT, "examples/starter", file), "utf8");

const FILES = ["cdktf.json", "fleet.yaml", "package.json"];

test("init writes the files here, and reports which, and what to do next", () => {
  const folder = emptyFolder();
  const { code, stdout, stderr } = init(folder, "--cli", "cdktf");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(
    /^Wrote cdktf.json, fleet.yaml and package.json.\n[^]*\n {2}npm install\n {2}npx ssh-only-firewall pin .*\n {2}npx ssh-only-firewall check .*\n {2}npm run diff .*\n {2}npm run deploy .*\n[^]*\n {2}npm run deploy .*\n$/,
  );
  const steps = [
    "pin ",
    "check ",
    "diff ",
    "deploy .*mode: observe",
    "report ",
    "deploy .*without mode: observe, to lock",
  ];
  expect(stdout).toMatch(new RegExp(steps.join("[^]*\n {2}np[xm] \\S+ ")));
  expect(stdout).not.toContain("  cd ");
  expect(readdirSync(folder).sort()).toEqual(FILES);
  expect(readFileSync(join(folder, "fleet.yaml"), "utf8")).toBe(starter("fleet.yaml"));
  expect(readFileSync(join(folder, "cdktf.json"), "utf8")).toBe(starter("cdktf.json"));
});

interface Package {
  readonly version: string;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}
const packageIn = (folder: string): Package =>
  JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Package;

test.each(["cdktf", "cdktn"])(
  "init pins the versions that this package is tested with, and the command line %s",
  (cli) => {
    const folder = emptyFolder();
    expect(init(folder, "--cli", cli).stdout).toContain("  npm run deploy ");
    const { version, devDependencies: tested } = packageIn(ROOT);
    const { scripts, dependencies } = packageIn(folder);
    expect(dependencies).toEqual({
      "@cdktf/provider-null": tested["@cdktf/provider-null"],
      cdktf: tested.cdktf,
      "cdktf-ssh-only-firewall": version,
      constructs: tested.constructs,
      ...(cli === "cdktf" ? { "cdktf-cli": tested["cdktf-cli"] } : { "cdktn-cli": tested.cdktn }),
    });
    expect(scripts.deploy).toBe(`${cli} deploy`);
  },
);

test.each([
  ["20.20.2", "cdktf"],
  ["22.23.0", "cdktf"],
  ["24.0.0", "cdktn"],
  ["26.12.1", "cdktn"],
])("on Node %s init takes %s, which runs there", (node, cli) => {
  expect(defaultCli(node)).toBe(cli);
});

test("init writes the hosts that it is given, whatever they are called, in place of the example", () => {
  const folder = emptyFolder();
  const names = ["web-1=192.0.2.10", "yes=ops@192.0.2.11:2222", "192.0.2.12", "six=[2001:db8::1]:22", "2001:db8::2"];
  const { code, stdout, stderr } = init(folder, ...names.flatMap((name) => ["--host", name]));
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain("Name in allowFrom of fleet.yaml the addresses that you log in from.");
  const text = readFileSync(join(folder, "fleet.yaml"), "utf8");
  const [head = ""] = starter("fleet.yaml").split(/^ {2}web-1/m);
  expect(text.startsWith(head)).toBe(true);
  const { fleet, problems } = parseFleet(text);
  expect(problems).toEqual([]);
  const found = fleet?.firewall.hosts.map(({ key, address, policy, connection }) => [
    `${key}=${connection.user}@${address}`,
    policy.sshPort,
  ]);
  expect(Object.fromEntries(found ?? [])).toEqual({
    "web-1=root@192.0.2.10": 22,
    "yes=ops@192.0.2.11": 2222,
    "192.0.2.12=root@192.0.2.12": 22,
    "six=root@2001:db8::1": 22,
    "2001-db8--2=root@2001:db8::2": 22,
  });
});

test.each([
  [["--host", "a=192.0.2.10", "--host", "a=192.0.2.11"], /hosts\.a: .*\nNothing was written\.\n$/],
  [["--host", "a b=192.0.2.10"], /cannot name a host.*\nNothing was written\.\n$/],
  [["--host", "=192.0.2.10"], /must be \[NAME=\]\[USER@\]ADDRESS\[:PORT\]/],
  [["--host", "a=0x7f.1"], /is the address 127\.0\.0\.1 to programs.*\nNothing was written\.\n$/],
  [["--pin"], /--pin: needs hosts to ask; name them with --host\n$/],
])("init %j writes nothing", (args, says) => {
  const folder = emptyFolder();
  const { code, stderr } = init(folder, ...args);
  expect(code).not.toBe(0);
  expect(stderr).toMatch(says);
  expect(readdirSync(folder)).toEqual([]);
});

const MINE = `{ "name": "mine" }`;

test("init leaves a package.json as it is, and reports what to install", () => {
  const folder = emptyFolder();
  writeFileSync(join(folder, "package.json"), MINE);
  const { code, stdout } = init(folder, "--cli", "cdktf");
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^Wrote cdktf.json and fleet.yaml.\n[^]*\n {2}npm install --save-exact @cdktf\/provider-null@11.0.0 cdktf@/,
  );
  expect(readFileSync(join(folder, "package.json"), "utf8")).toBe(MINE);
});

test("init makes the folder that it is given", () => {
  const folder = emptyFolder();
  const { code, stdout } = init(folder, "old/servers");
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^Wrote old\/servers\/cdktf.json, old\/servers\/fleet.yaml and old\/servers\/package.json.\n[^]*\n {2}cd old\/servers\n/,
  );
  expect(readdirSync(join(folder, "old/servers")).sort()).toEqual(FILES);
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

test("init reports a file that stands in place of the folder", () => {
  const folder = emptyFolder();
  writeFileSync(join(folder, "file"), "mine");
  expect(init(folder, "file").stderr).toMatch(/^file: ENOTDIR.*; nothing was written; choose a directory/);
  expect(readFileSync(join(folder, "file"), "utf8")).toBe("mine");
});

test("what init writes is a sound fleet, also with every line uncommented that shows a setting", () => {
  expect(parseFleet(starter("fleet.yaml")).problems).toEqual([]);
  const uncommented = starter("fleet.yaml").replace(
    /^( *)# ((?:- |privateKeyPath|exceptions:| {2}- |web-2:| {2}\w+:).*)$/gm,
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
