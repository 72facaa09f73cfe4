/**
 * Network namespaces to load firewalls in, so that the machine's own is never touched. Each is held open by a process
 * that ends with this one, and is gone with it.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { describeUnless } from "../../support/describe-unless";

const ENVIRONMENT = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };

// cat ends when its standard input does, which happens when this process ends, however it ends.
const HOLD = "ip link set lo up && echo up && exec cat";

/** Tests in a real kernel: run where that is possible, else listed as not run, which in CI is a failure. */
export function describeWithRoot(name: string, commands: readonly string[], body: () => void): void {
  jest.setTimeout(30_000);
  describeUnless(whyNot(commands), name, body);
}

function whyNot(commands: readonly string[]): string | undefined {
  if (process.getuid?.() !== 0) {
    return "it needs root";
  }
  const missing = commands.filter((command) => spawnSync("which", [command], { env: ENVIRONMENT }).status !== 0);
  if (missing.length > 0) {
    return `it needs ${missing.join(", ")}`;
  }
  return spawnSync("unshare", ["--net", "true"]).status === 0 ? undefined : "root may not make namespaces here";
}

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class Namespace {
  /** Resolves once the namespace is there. */
  public static async open(): Promise<Namespace> {
    const holder = spawn("unshare", ["--net", "sh", "-c", HOLD], {
      stdio: ["pipe", "pipe", "inherit"],
      env: ENVIRONMENT,
    });
    await new Promise<void>((resolve, reject) => {
      holder.stdout.once("data", () => resolve());
      holder.once("exit", (code) => reject(new Error(`no network namespace: unshare ended with ${code}`)));
    });
    return new Namespace(holder);
  }

  private readonly services: ChildProcess[] = [];

  private constructor(private readonly holder: ChildProcess) {}

  public get pid(): number {
    return this.holder.pid as number;
  }

  /** Runs a shell text in the namespace; a failure is a result like any other. */
  public run(command: string, input = ""): Promise<Result> {
    return new Promise((resolve) => {
      const child = execFile("nsenter", this.words(command), { env: ENVIRONMENT }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
      });
      child.stdin?.on("error", () => undefined); // A command may end without reading its input.
      child.stdin?.end(input);
    });
  }

  /** Runs a shell text that has to succeed. */
  public async must(command: string, input = ""): Promise<string> {
    const result = await this.run(command, input);
    if (result.code !== 0) {
      throw new Error(`${command}: exit code ${result.code}\n${result.stderr}`);
    }
    return result.stdout;
  }

  /** Starts a program in the namespace that goes on until the namespace is closed. */
  public start(command: string): ChildProcess {
    const service = spawn("nsenter", this.words(`exec ${command}`), {
      stdio: ["pipe", "pipe", "inherit"],
      env: ENVIRONMENT,
    });
    this.services.push(service);
    return service;
  }

  public close(): void {
    for (const child of [...this.services, this.holder]) {
      child.removeAllListeners("exit");
      child.kill("SIGKILL");
    }
  }

  private words(command: string): string[] {
    return ["--target", String(this.pid), "--net", "sh", "-c", command];
  }
}
