/** Real Terraform and real cdktf in a lab's controller. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { stripVTControlCharacters } from "node:util";
import { App, LocalBackend, TerraformBackend, TerraformStack } from "cdktf";
import { defined } from "../support/required";
import { findBuilt } from "./prerequisites";
import { machine, type Lab, type RunOptions, type RunResult } from "./lab";
import { externalProviderSource, type RunProgram, startExternalProvider } from "./external-provider";
import { nullProviderSource, startNullProvider } from "./null-provider";
import { StandIn } from "./provider";

/**
 * What labs call Terraform. SSH_ONLY_LAB_TERRAFORM=tofu: OpenTofu, as it is on the PATH or was built by `npm run setup:tofu`;
 * or any other program.
 */
export function terraformProgram(): string {
  const { SSH_ONLY_LAB_TERRAFORM: wish = "terraform" } = process.env;
  return wish === "tofu" ? defined(findBuilt("tofu"), "tofu that npm run setup:tofu builds") : wish;
}

/** What labs call Terraform from now on, in this test file. */
export function useProgram(name: string): void {
  process.env.SSH_ONLY_LAB_TERRAFORM = name;
}

/** A stack that was synthesised by the real cdktf. */
export interface SynthesisedStack {
  readonly name: string;
  /** cdktf's output folder, with manifest.json. */
  readonly outdir: string;
  /** Where cdk.tf.json is, and where Terraform runs. */
  readonly folder: string;
  /** The text of cdk.tf.json. */
  readonly json: string;
}

export interface Plan {
  readonly stdout: string;
  /** Whether anything would be done. */
  readonly hasChanges: boolean;
  /** For `apply` and `showJson`. */
  readonly file: string;
}

/**
 * Synthesises a stack with cdktf, into a new folder of the lab, or again into the `outdir` of an earlier one.
 * Its state is in that folder too (cdktf's default is the working directory), unless `build` sets a backend.
 */
export function synthStack(
  lab: Lab,
  build: (stack: TerraformStack) => void,
  options: { name?: string; outdir?: string | undefined } = {},
): SynthesisedStack {
  const name = options.name ?? "fleet";
  const outdir = options.outdir ?? path.join(lab.makeFolder("cdktf"), "cdktf.out");
  const project = path.dirname(outdir);
  const app = new App({ outdir });
  const stack = new TerraformStack(app, name);
  build(stack);
  if (!stack.node.children.some((child) => TerraformBackend.isBackend(child))) {
    new LocalBackend(stack, { path: path.join(project, `terraform.${name}.tfstate`) });
  }
  app.synth();
  // What the cdktf command looks for. The app is not run again.
  fs.writeFileSync(path.join(project, "cdktf.json"), JSON.stringify({ language: "typescript", app: "true" }));
  const folder = path.join(outdir, "stacks", name);
  return { name, outdir, folder, json: fs.readFileSync(path.join(folder, "cdk.tf.json"), "utf8") };
}

const announced = new Set<string>();

/** The program and the providers, each with its version, by `version -json`. */
function partsIn(json: string, provider: ProviderChoice | undefined): string {
  const { terraform_version: version, provider_selections: providers } = JSON.parse(json) as {
    readonly terraform_version: string;
    readonly provider_selections: Readonly<Record<string, string>>;
  };
  const real = Object.entries(providers).map(([source, own]) => `${source} ${own}`);
  const standIns = provider?.kind === "stand-in" ? ["stand-ins for other providers"] : [];
  return [`${path.basename(terraformProgram())} ${version}`, ...real, ...standIns].join(", ");
}

/** Terraform in one folder. A command that fails throws, unless told `{ check: false }`. */
export class Terraform {
  public constructor(
    private readonly lab: Lab,
    public readonly folder: string,
    private readonly provider?: ProviderChoice,
  ) {}

  public get environment(): Record<string, string> {
    return terraformEnvironment(this.lab, this.provider);
  }

  public run(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return this.lab.controller.exec([terraformProgram(), ...args], {
      timeoutSeconds: 300,
      cwd: this.folder,
      ...options,
      env: { ...this.environment, ...options.env },
    });
  }

  public async init(options?: RunOptions): Promise<RunResult> {
    const result = await this.run(["init", "-no-color", "-input=false"], options);
    await this.announce();
    return result;
  }

  /** Prints what the tests of this file run on, once for each kind. */
  private async announce(): Promise<void> {
    const key = `${terraformProgram()} ${this.provider?.kind}`;
    if (!announced.has(key)) {
      announced.add(key);
      process.stderr.write(`Runs on ${partsIn((await this.run(["version", "-json"])).stdout, this.provider)}.\n`);
    }
  }

  public async plan(args: readonly string[] = [], options: RunOptions = {}): Promise<Plan> {
    const file = path.join(this.folder, "lab.tfplan");
    const command = ["plan", "-no-color", "-input=false", "-detailed-exitcode", `-out=${file}`, ...args];
    const result = await this.run(command, { ...options, check: false });
    if (result.code !== 0 && result.code !== 2) {
      throw new Error(`terraform plan: exit code ${result.code}\n${result.stdout}${result.stderr}`);
    }
    return { stdout: result.stdout, hasChanges: result.code === 2, file };
  }

  /** Applies the folder as it is, or a plan. */
  public apply(args: readonly string[] = [], options?: RunOptions): Promise<RunResult> {
    return this.run(["apply", "-no-color", "-input=false", "-auto-approve", ...args], options);
  }

  public destroy(args: readonly string[] = [], options?: RunOptions): Promise<RunResult> {
    return this.run(["destroy", "-no-color", "-input=false", "-auto-approve", ...args], options);
  }

  /** The state, or the plan in the file, as `terraform show -json` tells it. */
  public async showJson<T = Record<string, unknown>>(planFile?: string): Promise<T> {
    const { stdout } = await this.run(["show", "-json", ...(planFile === undefined ? [] : [planFile])]);
    return JSON.parse(stdout) as T;
  }

  /** Addresses of all resources in the state, as `terraform state list` prints them. */
  public async stateList(): Promise<string[]> {
    const { code, stdout, stderr } = await this.run(["state", "list"], { check: false });
    if (code !== 0 && !stderr.includes("No state file was found")) {
      throw new Error(`terraform state list: exit code ${code}\n${stderr}`);
    }
    return stdout.split("\n").filter((line) => line !== "");
  }

  /**
   * The hosts in the state: the for_each keys of resources, sorted.
   * @param name which resources count, by their name in the stack. @default - all
   */
  public async stateHosts(name?: RegExp): Promise<string[]> {
    const keys = (await this.stateList()).flatMap((address) => {
      const [, resource = "", key] = /^[\w-]+\.([\w-]+)\["(.*)"\]$/.exec(address) ?? [];
      return key !== undefined && (name === undefined || name.test(resource)) ? [key] : [];
    });
    return [...new Set(keys)].sort();
  }
}

/** Runs a cdktf command in the controller, on a stack that was synthesised: `cdktf(lab, stack, "deploy")`. */
export async function cdktf(
  lab: Lab,
  stack: SynthesisedStack,
  command: "deploy" | "destroy" | "diff",
  options: RunOptions & { provider?: ProviderChoice; args?: readonly string[] } = {},
): Promise<RunResult> {
  const program = require.resolve("cdktf-cli/bundle/bin/cdktf");
  const approve = command === "diff" ? [] : ["--auto-approve"];
  const synthesised = ["--skip-synth", "--skip-provider-lock", "--output", stack.outdir];
  const args = [command, stack.name, ...approve, ...synthesised, ...(options.args ?? [])];
  const result = await lab.controller.exec([process.execPath, program, ...args], {
    timeoutSeconds: 300,
    cwd: path.dirname(stack.outdir),
    ...options,
    env: {
      ...terraformEnvironment(lab, options.provider),
      DISABLE_VERSION_CHECK: "1",
      FORCE_COLOR: "0",
      ...options.env,
    },
  });
  // It moves the cursor about to show its progress.
  return { ...result, stdout: stripVTControlCharacters(result.stdout) };
}

/** Keeps the machine's own Terraform settings, and everything that needs the internet, out of it. */
export function terraformEnvironment(lab: Lab, provider?: Pick<ProviderChoice, "env">): Record<string, string> {
  return {
    CHECKPOINT_DISABLE: "1",
    TF_IN_AUTOMATION: "1",
    ...(terraformProgram() === "terraform" ? {} : { TERRAFORM_BINARY_NAME: terraformProgram() }),
    TF_CLI_CONFIG_FILE: emptyFile(lab),
    ...provider?.env,
  };
}

function emptyFile(lab: Lab): string {
  const file = path.join(lab.folder, "terraform.rc");
  fs.writeFileSync(file, "", { flag: "a" });
  return file;
}

/** Where `null_resource` comes from. */
export interface ProviderChoice {
  readonly kind: "registry" | "stand-in";
  /** What Terraform needs in its environment. */
  readonly env: Record<string, string>;
  /** Ends it before the lab ends. */
  stop(): void;
}

/**
 * The null provider: the real one of the folder that SSH_ONLY_LAB_PROVIDERS names, in the layout of a filesystem mirror; or that of
 * the registry, if this machine can reach it; else the stand-in, which ends with the lab.
 *
 * SSH_ONLY_LAB_NULL_PROVIDER=stand-in or =registry decides it beforehand.
 */
export function nullProvider(lab: Lab): Promise<ProviderChoice> {
  return chosen(lab, async () => [await startNullProvider(lab.folder)]);
}

/**
 * The null provider and the external one, in the same way.
 * @param cwd where Terraform runs, once it does: programs run there
 */
export function nullAndExternalProvider(lab: Lab, cwd: () => string): Promise<ProviderChoice> {
  return chosen(lab, async () => {
    const nothing = await startNullProvider(lab.folder);
    const run: RunProgram = (program, input) =>
      lab.controller.exec(program, { input, cwd: cwd(), check: false, env: terraformEnvironment(lab, nothing) });
    return [nothing, await startExternalProvider(lab.folder, run)];
  });
}

async function chosen(lab: Lab, start: () => Promise<readonly StandIn[]>): Promise<ProviderChoice> {
  const mirror = await providerMirror();
  if (mirror === undefined) {
    const standIns = await start();
    const stop = (): void => standIns.forEach((one) => one.stop());
    lab.onDestroy(stop);
    return { kind: "stand-in", env: StandIn.env(...standIns), stop };
  }
  const config = path.join(lab.folder, "mirror.rc");
  fs.writeFileSync(
    config,
    `provider_installation {\n  filesystem_mirror {\n    path = ${JSON.stringify(mirror)}\n  }\n}\n`,
  );
  return { kind: "registry", env: { TF_CLI_CONFIG_FILE: config }, stop: () => undefined };
}

const decisionVariable = "SSH_ONLY_LAB_NULL_PROVIDER";
const folderVariable = "SSH_ONLY_LAB_PROVIDERS";
/** How long "it cannot be downloaded" is believed; each test file would ask again. */
const beliefMs = 3600 * 1000;

/** A folder with the real providers; undefined when they cannot be had. The answer is kept for other test files. */
async function providerMirror(): Promise<string | undefined> {
  const wish = process.env[decisionVariable];
  const given = process.env[folderVariable] ?? "";
  const sources = [nullProviderSource, externalProviderSource].map(ofRegistry);
  const isIn = (folder: string): boolean => sources.every((source) => fs.existsSync(path.join(folder, source)));
  if (wish === "stand-in") {
    return undefined;
  }
  if (given !== "") {
    if (!isIn(given)) {
      throw new Error(`${folderVariable}: ${given} has not ${sources.join(" and ")}.`);
    }
    return path.resolve(given);
  }
  const folder = ownFolder(path.join(os.tmpdir(), `ssh-only-lab-providers-${process.getuid?.()}`));
  const mirror = path.join(folder, `null-and-external-${path.basename(terraformProgram())}`);
  const refusal = path.join(folder, "not-available");
  if (isIn(mirror)) {
    return mirror;
  }
  if (wish !== "registry" && fs.existsSync(refusal) && Date.now() - fs.statSync(refusal).mtimeMs < beliefMs) {
    return undefined;
  }
  const scratch = fs.mkdtempSync(path.join(folder, "try-"));
  try {
    const [nothing = "", external = ""] = sources;
    const needs = { terraform: { required_providers: { null: { source: nothing }, external: { source: external } } } };
    fs.writeFileSync(path.join(scratch, "main.tf.json"), JSON.stringify(needs));
    const result = await machine.exec([terraformProgram(), "init", "-no-color", "-input=false"], {
      cwd: scratch,
      timeoutSeconds: 10,
      check: false,
      env: { CHECKPOINT_DISABLE: "1" },
    });
    if (result.code === 0) {
      // Renamed, so that nobody sees half of it; whoever comes second keeps the first one's.
      fs.renameSync(path.join(scratch, ".terraform", "providers"), mirror);
    } else if (wish === "registry") {
      throw new Error(`${decisionVariable}=registry, but: ${result.stderr}`);
    } else {
      fs.writeFileSync(refusal, result.stderr);
    }
  } catch (error) {
    if (!fs.existsSync(mirror)) {
      throw error;
    }
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
  return fs.existsSync(mirror) ? mirror : undefined;
}

/** OpenTofu has a registry of its own. */
function ofRegistry(source: string): string {
  return path.basename(terraformProgram()) === "tofu" ? source.replace("terraform.io", "opentofu.org") : source;
}

/** Providers in it are run as this user, so nobody else may have made it. */
function ownFolder(folder: string): string {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = fs.lstatSync(folder);
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0) {
    throw new Error(`${folder} belongs to somebody else, or others may write to it. Remove it.`);
  }
  return folder;
}
