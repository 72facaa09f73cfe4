/** The shell and awk files of this folder, joined to what runs on hosts. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { stripAwk, stripShell } from "./strip";

/** Texts by their paths in this folder. */
export type Files = ReadonlyMap<string, string>;

/** What init systems run instead of the host program itself, which may be damaged. It becomes a variable. */
const STARTER = "start.sh";

/**
 * The order in which they are joined. A folder stands for all its files; base comes first, because it has the header, and main
 * last, because it runs.
 */
const PARTS = [
  ...["base.sh", "awk/", "whole.sh", STARTER, "store.sh", "trust.sh", "unrecorded.sh", "backend.sh", "backends/"],
  ...["iptables-chains.sh", "other-firewalls.sh", "conflicts.sh", "bridges.sh"],
  ...[
    "evidence.sh",
    "preflight.sh",
    "places.sh",
    "dependence.sh",
    "watchdog.sh",
    "init.sh",
    "init/",
    "boot.sh",
    "guard.sh",
    "saved.sh",
    "again.sh",
  ],
  ...["owner.sh", "verbs.sh", "check.sh", "unlock.sh", "status.sh", "report.sh", "main.sh"],
];

const LAUNCHER_PARTS = ["whole.sh", "trust.sh", "unrecorded.sh", "launch.sh"];
const QUESTION_PARTS = ["whole.sh", "trust.sh", "unrecorded.sh", "ask-notes.sh", "ask.sh"];

let shipped: Files | undefined;

/** Those of this package. */
export function hostFiles(): Files {
  shipped ??= new Map(
    (readdirSync(__dirname, { recursive: true }) as string[])
      .filter((path) => /\.(sh|awk)$/.test(path))
      .sort()
      .map((path) => [path, readFileSync(join(__dirname, path), "utf8")]),
  );
  return shipped;
}

/** What is installed on a host and does everything there, with the comments that its header consists of. */
export function hostProgram(files = hostFiles()): string {
  return once(files, "program", () => withSize(header(files) + body(files)));
}

/** By the number in its first line, a program knows whether it is whole (whole.sh). A shell drops the line breaks at the end. */
function withSize(program: string): string {
  const width = "NUMBER".length;
  return program.replace("(NUMBER bytes)", `(${String(program.trimEnd().length).padStart(width, "0")} bytes)`);
}

/** The same with all comments, as ShellCheck reads it. */
export const commentedProgram = (files = hostFiles()): string => joined(files, PARTS);
export const commentedLauncher = (files = hostFiles()): string => joined(files, LAUNCHER_PARTS);

/**
 * The host program in pieces of a function each, to be joined by line breaks: Terraform reads a text in a time that grows with
 * the square of its lines, and reads it a dozen times.
 */
export function hostProgramParts(): readonly string[] {
  return hostProgram().split(/\n(?=\w+(?:\(\) |=))/);
}

/**
 * Changes if what runs on a host does, so that hosts get the new program: the SHA-256 of the host program without its header, a
 * line break and the launcher. Terraform works it out likewise (lib/terraform/host-program.ts).
 */
export function hostProgramVersion(files = hostFiles()): string {
  const text = [body(files), launcher(files)].join("\n");
  return createHash("sha256").update(text).digest("hex").slice(0, VERSION_DIGITS);
}

/** The comments in front of a host program, whatever it is. Terraform uses the pattern, too. */
export const HEADER = /^(#[^\n]*\n)+/;

export const VERSION_DIGITS = 12;

/** What every uploaded script ends with: it becomes root and hands over to the host program. */
export function launcher(files = hostFiles()): string {
  return once(files, "launcher", () => stripShell(commentedLauncher(files)));
}

/** What a root shell on a host runs to report what is in force there. */
export function question(files = hostFiles()): string {
  return stripShell(joined(files, QUESTION_PARTS));
}

/** And what came to it since. */
export function reportQuestion(files = hostFiles()): string {
  return stripShell(joined(files, [...QUESTION_PARTS, "ask-report.sh"]));
}

/** And whether lock would refuse it: behind the settings of a lock. */
export function checkQuestion(files = hostFiles()): string {
  return stripShell(joined(files, [...QUESTION_PARTS, "ask-check.sh"]));
}

function header(files: Files): string {
  return HEADER.exec(textsOf("base.sh", files).join())?.[0] ?? "";
}

function body(files: Files): string {
  return once(files, "body", () => stripShell(commentedProgram(files)));
}

const joined = (files: Files, parts: readonly string[]): string =>
  parts.flatMap((part) => textsOf(part, files)).join("\n");

function textsOf(part: string, files: Files): string[] {
  if (part === STARTER) {
    const both = ["whole.sh", STARTER].map((path) => files.get(path) ?? "");
    return [quoted(part, "starter", stripShell(both.join("\n")))];
  }
  return [...files].filter(([path]) => path === part || (part.endsWith("/") && path.startsWith(part))).map(toShell);
}

/** A program for awk is a variable: awk/kernel-log.awk becomes awk_kernel_log. */
function toShell([path, text]: readonly [string, string]): string {
  if (!path.endsWith(".awk")) {
    return text;
  }
  return quoted(path, path.slice(0, -".awk".length).replace(/\W/g, "_"), stripAwk(text));
}

function quoted(path: string, name: string, code: string): string {
  if (code.includes("'")) {
    throw new Error(`${path}: a single quote ends the string that it becomes in the host program`);
  }
  return `# shellcheck disable=SC2016 # of another program, not of this one\n${name}='${code}'\n`;
}

const made = new WeakMap<Files, Map<string, string>>();

function once(files: Files, name: string, make: () => string): string {
  const texts = made.get(files) ?? new Map<string, string>();
  made.set(files, texts);
  const text = texts.get(name) ?? make();
  texts.set(name, text);
  return text;
}
