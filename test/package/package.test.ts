/** The packed tarball in an empty folder, as a user gets it. */
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { defined } from "../support/required";
import { describeFrameworks } from "./support/describe-frameworks";
import { type Argv, cdktf, type Ended, emptyFolder, ROOT, run } from "../cli/support/run";

const tarballs = emptyFolder();
const project = emptyFolder();
let shipped: readonly string[];

function succeed(command: Argv, cwd: string): Ended {
  const ended = run(command, cwd);
  if (ended.code !== 0) {
    throw new Error(`${command.join(" ")}: exit code ${ended.code}\n${ended.stdout}${ended.stderr}`);
  }
  return ended;
}

beforeAll(() => {
  succeed(["npm", "pack", "--silent", "--pack-destination", tarballs], ROOT);
  const tarball = join(tarballs, defined(readdirSync(tarballs)[0]));
  shipped = succeed(["tar", "-tzf", tarball], tarballs).stdout.trim().split("\n");
  succeed(["npm", "install", "--prefer-offline", "--no-audit", "--no-fund", tarball], project);
}, 120_000);

const installed = (...path: string[]): string => join(project, "node_modules", "cdktf-ssh-only-firewall", ...path);

test("the files in shell and awk are shipped byte for byte", () => {
  const isScript = (file: string): boolean => /\.(sh|awk)$/.test(file);
  const files = (readdirSync(join(ROOT, "lib"), { recursive: true }) as string[])
    .filter(isScript)
    .map((file) => `lib/${file}`);
  expect(files).toEqual(expect.arrayContaining(["lib/host/main.sh", "lib/host/init/systemd.sh"]));
  for (const file of files) {
    expect(readFileSync(installed("dist", file)).equals(readFileSync(join(ROOT, file)))).toBe(true);
  }
  expect(shipped.filter(isScript)).toHaveLength(files.length);
});

test("no test, no source and no development file is shipped", () => {
  const allowed =
    /^package\/((dist|docs|examples)\/|(package\.json|fleet\.schema\.json|LICENSE|README\.md|ARCHITECTURE\.md|CHANGELOG\.md)$)/;
  expect(shipped.filter((file) => !allowed.test(file))).toEqual([]);
  expect(shipped.filter((file) => /\.test\.|\/test\/|dist\/.*(?<!\.d)\.ts$/.test(file))).toEqual([]);
});

test("the bill of materials of a release has every dependency, and the packages behind them", () => {
  const { jobs } = parse(readFileSync(join(ROOT, ".github/workflows/publish.yml"), "utf8")) as {
    jobs: { publish: { steps: Array<{ name?: string; run?: string }> } };
  };
  const script = defined(jobs.publish.steps.find(({ name }) => name === "bill of materials")?.run);
  const folder = emptyFolder();
  // It is packed already.
  copyFileSync(join(tarballs, defined(readdirSync(tarballs)[0])), join(folder, "cdktf-ssh-only-firewall-0.0.0.tgz"));
  succeed(["bash", "-eo", "pipefail", "-c", script.replace("npm pack --silent\n", "")], folder);
  const { components } = JSON.parse(readFileSync(join(folder, "sbom.cdx.json"), "utf8")) as {
    components: Array<{ name: string }>;
  };
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(installed("package.json"), "utf8")) as Record<
    "dependencies" | "peerDependencies",
    Record<string, string>
  >;
  const { cdktn, ...peers } = peerDependencies;
  expect(cdktn).toBeDefined();
  const listed = components.map(({ name }) => name);
  expect(listed).toEqual(expect.arrayContaining([...Object.keys({ ...dependencies, ...peers }), "yocto-queue"]));
  expect(listed).not.toContain("jest");
}, 60_000);

test("publint finds no problem for a consumer", () => {
  const { stdout } = succeed(
    [process.execPath, join(ROOT, "node_modules/publint/src/cli.js"), "--strict"],
    installed(),
  );
  expect(stdout).toContain("All good!");
});

test("the types of every entry are found, however a consumer resolves them", () => {
  const attw = join(ROOT, "node_modules/@arethetypeswrong/cli/dist/index.js");
  const { stdout } = succeed([process.execPath, attw, defined(readdirSync(tarballs)[0])], tarballs);
  expect(stdout).toContain("No problems found");
  expect(stdout).toContain("cdktf-ssh-only-firewall/cdktn");
}, 60_000);

test("init and cdktf make a configuration that Terraform finds valid", () => {
  succeed(["npx", "ssh-only-firewall", "init"], project);
  succeed(cdktf("synth"), project);
  const stack = join(project, "cdktf.out/stacks/fleet");
  const json = readFileSync(join(stack, "cdk.tf.json"), "utf8");
  expect(json).toContain("192.0.2.10");
  succeed(["terraform", "init", "-input=false"], stack);
  expect(succeed(["terraform", "validate", "-no-color"], stack).stdout).toContain("The configuration is valid.");
}, 60_000);

test("a plan with detectDrift finds its program from where Terraform runs, without a registry", () => {
  writeFileSync(join(project, "fleet.yaml"), "detectDrift: true\nhosts: { web-1: 192.0.2.10 }\n");
  succeed(["npx", "ssh-only-firewall-fleet"], project);
  const stack = join(project, "cdktf.out/stacks/fleet");
  const { data } = JSON.parse(readFileSync(join(stack, "cdk.tf.json"), "utf8")) as {
    data: { external: { fleet_drift: { program: Argv } } };
  };
  const offline = { npm_config_registry: "http://127.0.0.1:1/", npm_config_cache: emptyFolder() };
  expect(run(data.external.fleet_drift.program, stack, offline)).toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringContaining("standard input: it is not a query of a firewall"),
  });
}, 60_000);

test("the examples compile against the shipped types, and run", () => {
  const examples = ["three-lines", "composed"];
  examples.forEach((name) => copyFileSync(installed("examples", `${name}.ts`), join(project, `${name}.ts`)));
  const tsc = [process.execPath, join(ROOT, "node_modules/typescript/bin/tsc")] as const;
  const options = ["--strict", "--module", "node16", "--target", "es2022", "--skipLibCheck"];
  succeed([...tsc, ...options, ...examples.map((name) => `${name}.ts`)], project);
  for (const name of examples) {
    succeed([process.execPath, `${name}.js`], project);
    expect(readFileSync(join(project, "cdktf.out/stacks/old-servers/cdk.tf.json"), "utf8")).toContain("192.0.2.10");
  }
}, 60_000);

describe("frameworks", () => describeFrameworks(() => installed()));
