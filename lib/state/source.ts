/** Where a state comes from: a directory in which Terraform is asked, a file, or standard input. */
import { constants } from "node:buffer";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { readFileOrStandardInput } from "../input/standard-input";
import { parseJson } from "./json";
import { engineOf, programFor } from "./program";
import { stateErrorAt, stateProblems } from "./state-error";

/** The text of a state, and what to call it in messages. */
export interface Source {
  readonly place: string;
  readonly text: string;
  /** The program that printed it; undefined where it came by another way. */
  readonly program?: string;
}

/** @param named a directory, a file, or `-` */
export function readSource(named: string): Source {
  if (named !== "-" && attempt(named, () => statSync(named).isDirectory())) {
    const place = stackIn(named);
    refuseUnwritten(place);
    return { place, text: terraform(place, ["show", "-json"]), program: programFor(place) };
  }
  const place = named === "-" ? "standard input" : named;
  const text = attempt(place, () => readFileOrStandardInput(named));
  if (text === undefined) {
    throw stateErrorAt(place, stateProblems.nothingPiped());
  }
  return { place, text: text.toString("utf8") };
}

/** The state of the directory that Terraform runs in; its text is empty until there is one. */
export function pullState(folder: string): Source {
  refuseUnwritten(folder);
  return { place: folder, text: terraform(folder, ["state", "pull"]) };
}

/** Terraform leaves a state that it could not write in the directory in which it ran. */
const UNWRITTEN = "errored.tfstate";

/** The state says nothing of what a run did that could not write it. A file that was written since stays in the directory. */
function refuseUnwritten(folder: string): void {
  const file = join(folder, UNWRITTEN);
  if (!existsSync(file)) {
    return;
  }
  const unwritten = versionOf(attempt(folder, () => readFileSync(file, "utf8")));
  const written = versionOf(terraform(folder, ["state", "pull"]));
  if (unwritten.lineage !== written.lineage ? written.lineage === undefined : unwritten.serial > written.serial) {
    throw stateErrorAt(folder, stateProblems.unwritten(programFor(folder), UNWRITTEN));
  }
}

function versionOf(state: string): { readonly lineage: unknown; readonly serial: number } {
  const { lineage, serial } = (state.trim() === "" ? {} : parseJson(state)) as { lineage?: unknown; serial?: unknown };
  return { lineage, serial: typeof serial === "number" ? serial : 0 };
}

function attempt<T>(place: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw stateErrorAt(place, stateProblems.cannotRead((error as Error).message));
  }
}

/** The directory that Terraform runs in: this one, or that of the only stack that cdktf has written below it. */
function stackIn(folder: string): string {
  if (attempt(folder, () => isStack(folder))) {
    return folder;
  }
  const stacks = ["cdktf.out/stacks", "stacks", "."]
    .map((below) => join(folder, below))
    .filter((path) => existsSync(path))
    .flatMap((path) =>
      attempt(path, () => readdirSync(path, { withFileTypes: true }).filter((one) => one.isDirectory()))
        .map((one) => join(path, one.name))
        .filter((one) => existsSync(join(one, "cdk.tf.json"))),
    );
  const [stack, ...others] = new Set(stacks);
  if (stack === undefined || others.length > 0) {
    throw stateErrorAt(
      folder,
      stack === undefined ? stateProblems.noStack() : stateProblems.severalStacks([stack, ...others]),
    );
  }
  return stack;
}

/** What the program prints for a command. @param folder in which it runs */
function terraform(folder: string, command: readonly string[]): string {
  const printed = runTerraform(folder, command);
  if (printed.length > constants.MAX_STRING_LENGTH) {
    throw stateErrorAt(folder, stateProblems.tooLong());
  }
  return printed.toString("utf8");
}

/** As it is printed: a plan may be longer than a text can be. @param folder in which it runs */
export function runTerraform(folder: string, command: readonly string[]): Buffer {
  const program = programFor(folder);
  const { status, stdout, stderr, error } = spawnSync(program, [`-chdir=${folder}`, ...command, "-no-color"], {
    maxBuffer: 1024 * 1024 * 1024,
    // Its own log may say what is in the state, and options may be meant for another command.
    env: { ...process.env, CHECKPOINT_DISABLE: "1", TF_IN_AUTOMATION: "1", TF_CLI_ARGS: "", TF_LOG: "" },
  });
  if (error !== undefined) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw stateErrorAt(folder, missing ? stateProblems.noTerraform(program) : stateProblems.cannotRead(error.message));
  }
  if (status !== 0) {
    const lines = stderr
      .toString("utf8")
      .split("\n")
      .map((line) => line.replace(/^[│╷╵\s]+/, "").trim())
      .filter((line) => line !== "");
    const failed = stateProblems.terraformFailed(program, command.join(" "), lines.join(" "), engineOf(folder));
    throw stateErrorAt(folder, failed);
  }
  return stdout;
}

/** Whether the program can be asked in a directory: it has a configuration, or was initialized. */
export function isStack(folder: string): boolean {
  return (
    existsSync(join(folder, ".terraform")) || readdirSync(folder).some((file) => /\.(?:tf|tofu)(?:\.json)?$/.test(file))
  );
}
