/** `init`: the two files that are a whole project. */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Command } from "commander";
import { CommandError } from "./errors";
import { messages } from "./messages";
import { packageFolder } from "./package";

const FILES = ["cdktf.json", "fleet.yaml"] as const;

const EXAMPLES = `
Examples:
  $ ssh-only-firewall init                here
  $ ssh-only-firewall init old-servers    in a folder, which is made if it is not there
`;

export function addInit(program: Command): void {
  program
    .command("init")
    .summary("write a cdktf.json and a fleet.yaml to start from")
    .description("Writes a cdktf.json and a commented fleet.yaml: a whole project, without a line of code.")
    .argument("[FOLDER]", "where to write them", ".")
    .addHelpText("after", EXAMPLES)
    .action((folder: string) => {
      process.stdout.write(messages.wrote(init(folder), folder));
    });
}

/** Writes both files or none, and never over another; returns their paths. */
function init(folder: string): readonly string[] {
  const paths = FILES.map((file) => join(folder, file));
  const existing = paths.filter((path) => existsSync(path));
  if (existing.length > 0) {
    throw new CommandError(messages.exists(existing), 1);
  }
  const starter = FILES.map((file) => readFileSync(join(packageFolder(), "examples", "starter", file)));
  const written: string[] = [];
  try {
    makeFolder(folder, written);
    paths.forEach((path, index) => writeNew(path, starter[index], written));
    return paths;
  } catch (error) {
    written.reverse().forEach(remove);
    throw new CommandError(messages.cannotWrite(folder, (error as Error).message), 1);
  }
}

function writeNew(path: string, content: Buffer, made: string[]): void {
  const file = openSync(path, "wx");
  made.push(path);
  try {
    writeFileSync(file, content);
  } finally {
    closeSync(file);
  }
}

/** With those above it, each noted in `made`. Not left to mkdirSync, which never comes back from /proc. */
function makeFolder(folder: string, made: string[]): void {
  if (!existsSync(folder)) {
    makeFolder(dirname(folder), made);
    mkdirSync(folder);
    made.push(folder);
  }
}

function remove(path: string): void {
  (statSync(path).isDirectory() ? rmdirSync : unlinkSync)(path);
}
