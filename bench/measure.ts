/** Clocks, medians, and commands with their time and memory. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, release, tmpdir, totalmem } from "node:os";
import { join } from "node:path";

/** In one line, what the figures depend on. */
export function machine(): string {
  const [terraform = ""] = spawnSync("terraform", ["version"], { env: TERRAFORM_ENVIRONMENT })
    .stdout.toString()
    .split("\n");
  const hardware = `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `${hardware}, Linux ${release()}, Node ${process.version}, ${terraform}`;
}

/** Keeps the machine's own Terraform settings, and the network, out of it. */
export const TERRAFORM_ENVIRONMENT = {
  ...process.env,
  CHECKPOINT_DISABLE: "1",
  TF_CLI_CONFIG_FILE: "/dev/null",
  TF_IN_AUTOMATION: "1",
};

export interface Cost {
  readonly seconds: number;
  readonly megabytes: number;
}

/** Runs a program to its end. One that fails throws, unless its exit code is among `codes`. */
export function costOf(
  command: readonly string[],
  options: { readonly cwd: string; readonly codes?: readonly number[]; readonly timeoutSeconds?: number },
): Cost & { readonly stdout: string; readonly code: number } {
  const folder = mkdtempSync(join(tmpdir(), "bench-time-"));
  try {
    const file = join(folder, "time");
    const { cwd, codes = [0], timeoutSeconds = 900 } = options;
    const argv = [
      "--quiet",
      "--format=%e %M",
      `--output=${file}`,
      "timeout",
      "--signal=KILL",
      String(timeoutSeconds),
      ...command,
    ];
    const run = spawnSync("/usr/bin/time", argv, { cwd, env: TERRAFORM_ENVIRONMENT, maxBuffer: 2 ** 30 });
    const code = run.status ?? 255;
    if (!codes.includes(code)) {
      throw new Error(
        `exit code ${code} from: ${command.join(" ")}\n${run.stdout.toString().slice(-2000)}${run.stderr.toString().slice(-4000)}`,
      );
    }
    const [seconds = 0, kilobytes = 0] = readFileSync(file, "utf8").trim().split(" ").map(Number);
    return { seconds, megabytes: kilobytes / 1024, stdout: run.stdout.toString(), code };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** In seconds. */
export async function timed(action: () => Promise<unknown>): Promise<number> {
  const begin = process.hrtime.bigint();
  await action();
  return Number(process.hrtime.bigint() - begin) / 1e9;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** Of runs that were made in pairs, so that what slows the machine down slows both. */
export function medianRatio(values: readonly number[], others: readonly number[]): number {
  return median(values.map((value, index) => value / (others[index] as number)));
}
