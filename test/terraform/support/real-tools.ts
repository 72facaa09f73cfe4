/** The real Terraform and the real shells, without root, network or provider. */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { defined } from "../../support/required";
import { describeUnless } from "../../support/describe-unless";

/** The shells that a host may have as /bin/sh. */
export const SHELLS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  dash: ["dash"],
  bash: ["bash"],
  "bash as sh": ["bash", "--posix"],
  busybox: ["busybox", "sh"],
};

/** Tests that need these commands: listed as not run where one is missing, which in CI is a failure. */
export function describeWith(name: string, commands: readonly string[], body: () => void): void {
  const missing = commands.filter((command) => !isThere(command));
  describeUnless(missing.length === 0 ? undefined : `it needs ${missing.join(", ")}`, name, body);
}

/** A folder in which Terraform has one configuration; its own settings and its network stay out of it. */
export class Folder {
  private readonly path = mkdtempSync(join(tmpdir(), "terraform-test-"));

  /** Applies the configuration, from nothing, and returns its outputs. */
  public async outputs<T>(configuration: object): Promise<T> {
    rmSync(join(this.path, "terraform.tfstate"), { force: true });
    this.write(configuration);
    await this.terraform("apply", "-auto-approve", "-no-color");
    const outputs = JSON.parse((await this.terraform("output", "-json")).toString()) as Record<
      string,
      { value: unknown }
    >;
    return Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value])) as T;
  }

  /** Applies the configuration, from nothing, and returns what Terraform says; its code is 0 or 1. */
  public async apply(configuration: object, ...args: string[]): Promise<{ code: number; text: string }> {
    rmSync(join(this.path, "terraform.tfstate"), { force: true });
    this.write(configuration);
    await this.terraform("init", "-no-color");
    const failed = (error: Error & { stdout: Buffer }) => ({
      code: 1,
      text: `${error.stdout.toString()}${error.message}`,
    });
    return this.terraform("apply", "-auto-approve", "-no-color", ...args).then(
      (stdout) => ({ code: 0, text: stdout.toString() }),
      failed,
    );
  }

  /** What Terraform says of the configuration; empty when it takes it. */
  public async complaints(configuration: object): Promise<string> {
    this.write(configuration);
    await this.terraform("init", "-no-color");
    const text = (
      await this.terraform("validate", "-json").catch((error: { stdout: Buffer }) => error.stdout)
    ).toString();
    const { diagnostics } = JSON.parse(text) as { diagnostics: Array<{ summary: string; detail: string }> };
    return diagnostics.map(({ summary, detail }) => `${summary}: ${detail}`).join("\n");
  }

  public file(name: string, text: string): string {
    writeFileSync(join(this.path, name), text);
    return join(this.path, name);
  }

  public remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  private write(configuration: object): void {
    writeFileSync(join(this.path, "main.tf.json"), JSON.stringify(configuration));
  }

  private terraform(...args: string[]): Promise<Buffer> {
    return terraformIn(this.path, ...args);
  }
}

/** Runs Terraform in a folder; its own settings and its network stay out of it. */
export function terraformIn(cwd: string, ...args: string[]): Promise<Buffer> {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith("TF_"));
  const env = { ...Object.fromEntries(own), CHECKPOINT_DISABLE: "1", TF_CLI_CONFIG_FILE: "/dev/null" };
  return run("terraform", args, { cwd, env });
}

/** What the shell makes of the words, in front of which the settings stand. */
export async function wordsIn(shell: string, words: readonly string[], settings = ""): Promise<string[]> {
  const [command, ...args] = defined(SHELLS[shell], "shell");
  const folder = mkdtempSync(join(tmpdir(), "shell-test-"));
  try {
    const file = join(folder, "script.sh");
    writeFileSync(file, `${settings}\n${words.map((word) => `printf '%s\\000' ${word}\n`).join("")}`);
    const printed = await run(command, [...args, file], { cwd: folder });
    return printed.toString().split("\0").slice(0, -1);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function run(command: string, args: readonly string[], options: object): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const limits = { encoding: "buffer" as const, maxBuffer: 1 << 28, timeout: 60_000 };
    execFile(command, args, { ...options, ...limits }, (error, stdout, stderr) => {
      if (error === null) {
        resolve(stdout);
      } else {
        reject(Object.assign(new Error(`${command} ${args[0]}: ${stderr.toString()}`), { stdout }));
      }
    });
  });
}

function isThere(command: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, command)));
}
