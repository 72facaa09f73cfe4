/** Where a state comes from: a folder in which Terraform is asked, a file, or standard input. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { messages, StateError } from "./messages";
import { plain } from "../output/plain";

/** The text of a state, and what to call it in messages. */
export interface Source {
  readonly place: string;
  readonly text: string;
}

/** @param named a folder, a file, or `-` */
export function readSource(named: string): Source {
  if (named === "-") {
    const place = "standard input";
    if (process.stdin.isTTY) {
      throw at(place, messages.nothingPiped());
    }
    return { place, text: reading(place, standardInput) };
  }
  const isFolder = reading(named, () => statSync(named).isDirectory());
  if (!isFolder) {
    return { place: named, text: reading(named, () => readFileSync(named, "utf8")) };
  }
  const place = stackIn(named);
  return { place, text: terraform(place, ["show", "-json"]) };
}

/** The state of the folder that Terraform runs in; its text is empty as long as there is none. */
export function pullState(folder: string): Source {
  return { place: folder, text: terraform(folder, ["state", "pull"]) };
}

export function at(place: string, message: string): StateError {
  return new StateError(`${plain(place)}: ${message}`);
}

function reading<T>(place: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw at(place, messages.cannotRead(plain((error as Error).message)));
  }
}

/** The folder that Terraform runs in: this one, or that of the only stack that cdktf has written below it. */
function stackIn(folder: string): string {
  const isStack = (path: string): boolean =>
    existsSync(join(path, ".terraform")) || readdirSync(path).some((file) => /\.tf(\.json)?$/.test(file));
  if (reading(folder, () => isStack(folder))) {
    return folder;
  }
  const stacks = ["cdktf.out/stacks", "stacks", "."]
    .map((below) => join(folder, below))
    .filter((path) => existsSync(path))
    .flatMap((path) =>
      reading(path, () => readdirSync(path, { withFileTypes: true }).filter((one) => one.isDirectory()))
        .map((one) => join(path, one.name))
        .filter((one) => existsSync(join(one, "cdk.tf.json"))),
    );
  const distinct = [...new Set(stacks)];
  if (distinct.length !== 1) {
    throw at(folder, distinct.length === 0 ? messages.noStack() : messages.severalStacks(distinct));
  }
  return distinct[0];
}

function terraform(folder: string, command: readonly string[]): string {
  // As cdktf is told which program to run.
  const program = process.env.TERRAFORM_BINARY_NAME ?? "terraform";
  const { status, stdout, stderr, error } = spawnSync(program, [`-chdir=${folder}`, ...command, "-no-color"], {
    encoding: "utf8",
    maxBuffer: 1024 * 1024 * 1024,
    // Its own log may say what is in the state, and options may be meant for another command.
    env: { ...process.env, CHECKPOINT_DISABLE: "1", TF_IN_AUTOMATION: "1", TF_CLI_ARGS: "", TF_LOG: "" },
  });
  if (error !== undefined) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw at(folder, missing ? messages.noTerraform(program) : messages.cannotRead(plain(error.message)));
  }
  if (status !== 0) {
    const words = stderr
      .split("\n")
      .map((line) => line.replace(/^[│╷╵\s]+/, "").trim())
      .filter((line) => line !== "");
    throw at(folder, messages.terraformFailed(command.join(" "), plain(words.join(" "))));
  }
  return stdout;
}

/** readFileSync(0) fails where the other end does not block and has nothing to say yet. */
function standardInput(): string {
  const chunks: Buffer[] = [];
  const chunk = Buffer.alloc(1 << 16);
  for (;;) {
    try {
      const length = readSync(0, chunk);
      if (length === 0) {
        return Buffer.concat(chunks).toString("utf8");
      }
      chunks.push(Buffer.from(chunk.subarray(0, length)));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EOF") {
        return Buffer.concat(chunks).toString("utf8");
      }
      if (code !== "EAGAIN") {
        throw error;
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
}
