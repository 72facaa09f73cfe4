/** Runs the real programs as child processes, in folders of their own. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../support/sources";

export { ROOT };

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program and its arguments. */
export type Argv = readonly [string, ...string[]];

export function run([command, ...args]: Argv, cwd: string, env: Readonly<Record<string, string>> = {}): Ended {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: "utf8",
    timeout: 120_000,
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, ...QUIET, ...env },
  });
  if (error !== undefined) {
    throw error;
  }
  return { code: status, stdout, stderr };
}

/** A program of bin/ with its arguments, from its source. */
export function program(name: "fleet" | "ssh-only-firewall", ...args: readonly string[]): Argv {
  return source(`bin/${name}.ts`, ...args);
}

export function source(file: string, ...args: readonly string[]): Argv {
  const tsx = require.resolve("tsx/cli");
  return [process.execPath, tsx, "--tsconfig", join(ROOT, "tsconfig.json"), join(ROOT, file), ...args];
}

export function cdktf(...args: readonly string[]): Argv {
  return [process.execPath, require.resolve("cdktf-cli/bundle/bin/cdktf"), ...args];
}

/** Asks nobody for newer versions, and reads no settings of this machine. */
const QUIET = {
  CHECKPOINT_DISABLE: "1",
  DISABLE_VERSION_CHECK: "1",
  FORCE_COLOR: "0",
  TF_CLI_CONFIG_FILE: "/dev/null",
} as const;

const folders: string[] = [];

/** An empty folder; gone after the tests of the file. */
export function emptyFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "ssh-only-firewall-")));
  folders.push(folder);
  return folder;
}

afterAll(() => {
  folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true, force: true }));
});
