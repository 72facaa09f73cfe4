/** Spin, and what it makes of the model: a program that searches all that can happen. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { MODEL } from "./source";

const run = promisify(execFile);

/** What a search says: the first fault that it met, or none, and of how many states. */
export interface Search {
  readonly fault: string | undefined;
  readonly complete: boolean;
  readonly states: number;
}

export class Checker {
  /** Breadth first, so that what is found is found by the shortest way, and soon. */
  public static async build(): Promise<Checker> {
    const folder = mkdtempSync(join(tmpdir(), "model-"));
    await run("spin", ["-a", MODEL], { cwd: folder });
    const options = ["-w", "-O2", "-DSAFETY", "-DBFS", "-DNOREDUCE", "-DMEMLIM=2000"];
    await run("gcc", [...options, "-o", "pan", "pan.c"], { cwd: folder });
    return new Checker(folder);
  }

  private constructor(private readonly folder: string) {}

  /** Searches all that can happen, without that step or check. */
  public async search(without = 0): Promise<Search> {
    const { stdout } = await run(join(this.folder, "pan"), ["-w24"], {
      cwd: mkdtempSync(join(this.folder, "run-")),
      env: { ...process.env, WITHOUT: String(without) },
    });
    return {
      fault: /^pan:1: (.*)$/m.exec(stdout)?.[1],
      complete: !/Search not completed|max search depth|out of memory/.test(stdout),
      states: Number(/(\d+) states, stored/.exec(stdout)?.[1]),
    };
  }

  public remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
