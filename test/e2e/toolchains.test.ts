/**
 * The packed tarball in an empty folder, as a new user has it, with each of the toolchains that people have: from `init` to destroy
 * on a host of a lab. `npm run test:toolchains` runs it: it installs command lines and Nodes from npm, which takes minutes.
 */
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { stringify } from "yaml";
import { defined } from "../support/required";
import { emptyFolder, ROOT } from "../cli/support/run";
import { describeLab } from "../lab/describe-lab";
import { Lab, machine, type RunResult } from "../lab/lab";
import { findBuilt, findCommand } from "../lab/prerequisites";
import { nullProvider } from "../lab/terraform";
import { controllerOnly, hostEntry } from "./support/deployment";
import { lockedHosts } from "./support/tracked-deployment";

const OWN = "cdktf-ssh-only-firewall";
const ARCHITECTURE = process.arch === "arm64" ? "arm64" : "x64";
const SYSTEM = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

interface Toolchain {
  readonly node: 22 | 24;
  /** What is on the PATH, and nothing else that reads states. */
  readonly engine: "terraform" | "tofu";
  /** The command line that deploys; where there is none, the engine does. */
  readonly cli?: "cdktf" | "cdktn";
  /** An app of one's own instead of a fleet file. */
  readonly app?: { readonly framework: string; readonly entry: string; readonly packageJson: object };
}

const CDKTN = { constructs: "10.6.0", cdktn: "0.24.0" };
const OVERRIDDEN = { cdktf: "npm:cdktn@0.24.0", constructs: "10.6.0", "@cdktf/provider-null": "11.0.0" };

const TOOLCHAINS: Readonly<Record<string, Toolchain>> = {
  "cdktf 0.21, Node 22 and cdktf-cli": { node: 22, engine: "terraform", cli: "cdktf" },
  "cdktn, Node 24 and cdktn-cli": { node: 24, engine: "terraform", cli: "cdktn" },
  "an app of cdktn's own entry, Node 24 and cdktn-cli": {
    node: 24,
    engine: "terraform",
    cli: "cdktn",
    app: {
      framework: "cdktn",
      entry: `${OWN}/cdktn`,
      packageJson: { dependencies: { ...CDKTN, "cdktn-cli": "0.24.0" } },
    },
  },
  "cdktn by overrides, and terraform alone": {
    node: 24,
    engine: "terraform",
    app: {
      framework: "cdktf",
      entry: OWN,
      packageJson: { dependencies: OVERRIDDEN, overrides: { cdktf: "$cdktf" } },
    },
  },
  "tofu alone on the PATH, bare": { node: 24, engine: "tofu" },
  "tofu alone on the PATH, with cdktf-cli": { node: 22, engine: "tofu", cli: "cdktf" },
};

const APP = ({ framework, entry }: NonNullable<Toolchain["app"]>): string => `
const { App, TerraformStack } = require("${framework}");
const { SshOnlyFirewall } = require("${entry}");
const app = new App();
new SshOnlyFirewall(new TerraformStack(app, "fleet"), "fleet", require("./props.json"));
app.synth();
`;

/** One project of a user's. */
class Project {
  public readonly folder = emptyFolder();
  private readonly stack = join(this.folder, "cdktf.out/stacks/fleet");

  public constructor(
    private readonly lab: Lab,
    private readonly toolchain: Toolchain,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  /** Installs it. There is a network outside of the lab only. */
  public async make(tarball: string, fleet: object): Promise<void> {
    const { app, cli = "cdktf" } = this.toolchain;
    if (app === undefined) {
      await this.outside(`npm exec --yes --package='${tarball}' -- ${OWN} init --cli ${cli}`);
      writeFileSync(join(this.folder, "fleet.yaml"), stringify({ tracker: "terraform_data", ...fleet }));
    } else {
      writeFileSync(join(this.folder, "app.js"), APP(app));
      writeFileSync(join(this.folder, "props.json"), JSON.stringify({ tracker: "null_resource", ...fleet }));
      writeFileSync(
        join(this.folder, "cdktf.json"),
        JSON.stringify({ language: "typescript", app: "node app.js", projectId: "own", sendCrashReports: "false" }),
      );
    }
    const file = join(this.folder, "package.json");
    const own = (app?.packageJson ?? JSON.parse(readFileSync(file, "utf8"))) as { dependencies: object };
    const dependencies = { ...own.dependencies, [OWN]: `file:${tarball}` };
    writeFileSync(file, JSON.stringify({ private: true, ...own, dependencies }));
    await this.outside("npm install --no-audit --no-fund --prefer-offline");
  }

  public async synth(): Promise<void> {
    const { app, cli } = this.toolchain;
    await this.run(
      cli !== undefined
        ? `npx --no -- ${cli} synth`
        : app !== undefined
          ? "node app.js"
          : "npx --no -- ssh-only-firewall-fleet",
    );
  }

  /** The review of a plan that the engine makes by itself. */
  public async review(): Promise<RunResult> {
    const { engine } = this.toolchain;
    await this.run(`${engine} -chdir=${this.stack} init -input=false`);
    await this.run(`${engine} -chdir=${this.stack} plan -input=false -out=plan.tfplan`);
    return this.command("review", join(this.stack, "plan.tfplan"));
  }

  public async change(what: "deploy" | "destroy"): Promise<void> {
    const { app, engine, cli } = this.toolchain;
    const verb = what === "deploy" ? "apply" : "destroy";
    await this.run(
      cli === undefined
        ? `${engine} -chdir=${this.stack} ${verb} -input=false -auto-approve`
        : `npx --no -- ${cli} ${what} --auto-approve${app === undefined ? "" : NO_REGISTRY}`,
    );
  }

  public command(...args: readonly string[]): Promise<RunResult> {
    return this.run(`npx --no -- ssh-only-firewall ${args.join(" ")}`, false);
  }

  /** In the controller, which reaches the hosts. */
  private run(command: string, check = true): Promise<RunResult> {
    return this.lab.controller.exec(["sh", "-c", command], {
      cwd: this.folder,
      env: this.env,
      timeoutSeconds: 300,
      check,
    });
  }

  private outside(command: string): Promise<RunResult> {
    return machine.exec(["sh", "-c", command], { cwd: this.folder, env: this.env, timeoutSeconds: 600 });
  }
}

/** A folder for the PATH, with a Node of that version and one engine. */
async function tools({ node, engine }: Toolchain): Promise<string> {
  const folder = emptyFolder();
  const name = `node-linux-${ARCHITECTURE}`;
  writeFileSync(join(folder, "package.json"), '{ "private": true }');
  await machine.exec(`npm install --no-audit --no-fund --prefer-offline ${name}@${node}`, {
    cwd: folder,
    timeoutSeconds: 300,
  });
  const bin = join(folder, "bin");
  mkdirSync(bin);
  symlinkSync(join(folder, "node_modules", name, "bin/node"), join(bin, "node"));
  symlinkSync(defined(engine === "tofu" ? findBuilt("tofu") : findCommand(engine)), join(bin, engine));
  return bin;
}

/** A lab reaches no registry, and nothing else knows the sum of a provider. */
const NO_REGISTRY = " --skip-provider-lock";

/** What would be found besides. */
const OTHER = { terraform: "tofu", tofu: "terraform" } as const;

/** Asks nobody for newer versions, and reads no settings of this machine. */
const QUIET = {
  CHECKPOINT_DISABLE: "1",
  DISABLE_VERSION_CHECK: "1",
  FORCE_COLOR: "0",
  NO_UPDATE_NOTIFIER: "1",
  npm_config_update_notifier: "false",
} as const;

function testToolchains(): void {
  let lab: Lab;
  let tarball: string;
  /** What the first toolchain loaded on the host. */
  let rules: string | undefined;

  beforeAll(async () => {
    lab = await Lab.create({ hosts: [{ name: "web-1" }] });
    const folder = emptyFolder();
    await machine.exec(["npm", "pack", "--silent", "--pack-destination", folder], { cwd: ROOT, timeoutSeconds: 300 });
    tarball = join(folder, defined(readdirSync(folder)[0]));
  });
  afterAll(() => lab?.destroy());

  test.each(Object.entries(TOOLCHAINS))(
    "locks a host, and unlocks it: %s",
    async (_name, toolchain) => {
      const provider = await nullProvider(lab);
      const PATH = [await tools(toolchain), ...SYSTEM].join(delimiter);
      // cdktf-cli looks for no other program by itself; this package does.
      const named = toolchain.cli === undefined ? "" : toolchain.engine;
      const env = { ...QUIET, ...provider.env, PATH, TERRAFORM_BINARY_NAME: named };
      const other = OTHER[toolchain.engine];
      expect((await machine.exec(`command -v ${other}`, { env, check: false })).stdout).toBe("");

      const host = lab.host("web-1");
      const open = await host.rules();
      const project = new Project(lab, toolchain, env);
      await project.make(tarball, { allowFrom: controllerOnly, hosts: { "web-1": hostEntry(lab, host) } });
      await project.synth();
      const { code, stdout, stderr } = await project.review();
      expect({
        code,
        stderr,
        harmless: stdout.includes("**Nothing dangerous. Of 1 host: 1 locked for the first"),
      }).toEqual({
        code: 0,
        stderr: "",
        harmless: true,
      });
      await project.change("deploy");
      expect(await lockedHosts(lab.hosts)).toEqual(["web-1"]);
      rules ??= await host.rules();
      expect(await host.rules()).toBe(rules);

      expect(await project.command("status", "--live", "--no-probe")).toMatchObject({ code: 0, stderr: "" });
      const report = await project.command("report", "--json");
      expect([report.code, (JSON.parse(report.stdout) as { asked: number }).asked]).toEqual([0, 1]);

      await project.change("destroy");
      expect(await lockedHosts(lab.hosts)).toEqual([]);
      expect(await host.rules()).toBe(open);
      provider.stop();
    },
    900_000,
  );
}

describeLab("the packed tarball", testToolchains, { needs: "terraform" });
