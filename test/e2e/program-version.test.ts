/** What an upgrade of the package does to hosts that are locked. The package is a copy, so that its files can be changed. */
import { execFileSync } from "node:child_process";
import { appendFileSync, cpSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Argv, type Ended, run } from "../cli/support/run";
import { describeLab } from "../lab/describe-lab";
import { Lab } from "../lab/lab";
import { Terraform } from "../lab/terraform";
import { controllerOnly, hostEntries } from "./support/deployment";

jest.setTimeout(300_000);

const ROOT = join(__dirname, "../..");
const APP = `
import { App, LocalBackend, TerraformStack } from "cdktf";
import { SshOnlyFirewall } from "./lib/index";
const stack = new TerraformStack(new App({ outdir: "cdktf.out" }), "fleet");
new SshOnlyFirewall(stack, "fleet", JSON.parse(process.argv[2]));
new LocalBackend(stack, { path: process.cwd() + "/terraform.tfstate" });
(stack.node.root as App).synth();
`;

describeLab("a plan for a host that is locked", () => {
  let lab: Lab;
  let copy: string;
  const file = (path: string): string => join(copy, "lib/host", path);
  const scripts = (): string[] =>
    (readdirSync(join(copy, "lib/host"), { recursive: true }) as string[]).filter((path) => /\.(sh|awk)$/.test(path));

  const synthesize = (): Terraform => {
    const props = { tracker: "terraform_data", allowFrom: controllerOnly, hosts: hostEntries(lab) };
    execFileSync(join(ROOT, "node_modules/.bin/tsx"), ["app.ts", JSON.stringify(props)], { cwd: copy });
    return new Terraform(lab, join(copy, "cdktf.out/stacks/fleet"));
  };

  /** The command line of that package, where nothing but a plan file is read. */
  const reviewIn = (package_: string, ...args: readonly string[]): Ended => {
    const command = [process.execPath, require.resolve("tsx/cli"), join(package_, "bin/ssh-only-firewall.ts"), ...args];
    return run(command as unknown as Argv, copy);
  };

  beforeAll(async () => {
    lab = await Lab.create({ hosts: [{ name: "web-1" }] });
    copy = lab.makeFolder("package");
    ["lib", "bin", "package.json", "tsconfig.json"].forEach((one) =>
      cpSync(join(ROOT, one), join(copy, one), { recursive: true }),
    );
    symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
    writeFileSync(join(copy, "app.ts"), APP);
    const terraform = synthesize();
    await terraform.init();
    await terraform.apply();
  });
  afterAll(() => lab?.destroy());

  test("has no changes when only comments and blank lines of the host program and its launcher changed", async () => {
    for (const path of scripts()) {
      appendFileSync(file(path), "\n# One comment more.\n\n");
      writeFileSync(file(path), `# And one in front.\n\n${readFileSync(file(path), "utf8")}`);
    }
    expect((await synthesize().plan()).hasChanges).toBe(false);
  });

  test("has no changes when another version of the package has the same host program", async () => {
    const file = join(copy, "package.json");
    const own = JSON.parse(readFileSync(file, "utf8")) as { version: string };
    writeFileSync(file, JSON.stringify({ ...own, version: "99.0.0" }));
    expect(reviewIn(copy, "--version").stdout).toContain("99.0.0");
    const { hasChanges, file: plan } = await synthesize().plan();
    expect(hasChanges).toBe(false);
    const { code, stdout } = reviewIn(copy, "review", plan);
    expect([code, stdout]).toEqual([0, expect.stringContaining("**Nothing to do. Of 1 host: 1 unchanged.**")]);
  });

  test.each(["store.sh", "launch.sh", "awk/ruleset.awk"])(
    "replaces the lockdown and its seal, and nothing else, when a statement of %s changed",
    async (path) => {
      const before = readFileSync(file(path), "utf8");
      writeFileSync(file(path), path.endsWith(".awk") ? `${before}\nBEGIN { more = 1 }\n` : `:\n${before}`);
      const terraform = synthesize();
      const { file: plan } = await terraform.plan();
      const { resource_changes: changes } = await terraform.showJson<{
        resource_changes: Array<{ address: string; change: { actions: string[] } }>;
      }>(plan);
      const changed = changes.filter(({ change }) => change.actions.join() !== "no-op");
      expect(changed.map(({ address }) => address)).toEqual([
        'terraform_data.fleet_lockdown["web-1"]',
        expect.stringMatching(/^terraform_data\.fleet_seal_host_/),
      ]);

      // As "Upgrading" in the manual has it: the new version knows the program, the earlier one does not.
      const own = reviewIn(copy, "review", plan);
      expect([own.code, own.stderr]).toEqual([0, ""]);
      expect(own.stdout).toContain("**Nothing dangerous. Of 1 host: 1 locked again.**");
      expect(own.stdout).toMatch(
        /^- Host program on 1 host: `[0-9a-f]{12}` becomes `[0-9a-f]{12}`, the one of this version of ssh-only-firewall\.$/m,
      );
      const earlier = reviewIn(ROOT, "review", plan);
      expect([earlier.code, earlier.stderr]).toEqual([
        2,
        expect.stringMatching(/^Dangerous, and listed: unclear \(\d\)/),
      ]);
      expect(earlier.stdout).toContain("**not** the one of this version of ssh-only-firewall");
      writeFileSync(file(path), before);
    },
  );
});
