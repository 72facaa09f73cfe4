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
import { packageFolder } from "./package";

const FILES = ["cdktf.json", "fleet.yaml"] as const;

const EXAMPLES = `
Examples:
  $ ssh-only-firewall init                here
  $ ssh-only-firewall init old-servers    in a directory, which is created if needed
`;

export function addInit(program: Command): void {
  program
    .command("init")
    .summary("write a cdktf.json and a fleet.yaml to start from")
    .description("Write a cdktf.json and a commented fleet.yaml: a whole project, without a line of code.")
    .argument("[DIRECTORY]", "where to write them", ".")
    .addHelpText("after", EXAMPLES)
    .action((folder: string) => {
      process.stdout.write(nextSteps(init(folder), folder));
    });
}

const nextSteps = (files: readonly string[], folder: string): string =>
  [
    `Wrote ${files.join(" and ")}.`,
    "",
    "Name your hosts in fleet.yaml, and in allowFrom the addresses that you log in from. Then run",
    "",
    ...(folder === "." ? [] : [`  cd ${folder}`]),
    "  npx cdktf-cli diff      to see what would change",
    "  npx cdktf-cli deploy    to lock the hosts",
    "",
  ].join("\n");

/** Writes both files or none, and never over another; returns their paths. */
function init(folder: string): readonly string[] {
  const paths = FILES.map((file) => join(folder, file));
  const existing = paths.filter((path) => existsSync(path));
  if (existing.length > 0) {
    throw new CommandError(
      `${existing.join(" and ")} ${existing.length === 1 ? "exists" : "exist"} already, and nothing was written; ` +
        "choose another directory, or move them away",
      1,
    );
  }
  const starter = FILES.map(
    (file) => [join(folder, file), readFileSync(join(packageFolder(), "examples", "starter", file))] as const,
  );
  const written: string[] = [];
  try {
    makeFolder(folder, written);
    starter.forEach(([path, content]) => writeNew(path, content, written));
    return paths;
  } catch (error) {
    written.reverse().forEach(remove);
    const reason = (error as Error).message;
    throw new CommandError(`${folder}: ${reason}; nothing was written; choose a directory that you may write to`, 1);
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
