/** The shell files of this folder, byte for byte. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** In the order in which they are joined: main comes last, and runs. */
const PARTS = [
  "base",
  "store",
  "nftables",
  "iptables",
  "others",
  "suspects",
  "evidence",
  "backend",
  "preflight",
  "watchdog",
  "boot",
  "saved",
  "verbs",
  "status",
  "report",
  "main",
] as const;

const read = (part: string): string => readFileSync(join(__dirname, `${part}.sh`), "utf8");

/** What is installed on a host and does everything there. */
export function hostProgram(): string {
  return PARTS.map(read).join("\n");
}

/**
 * The same in pieces of a function each, to be joined by empty lines: Terraform reads a text in a time that grows with the
 * square of its lines, and reads it a dozen times.
 */
export function hostProgramParts(): readonly string[] {
  return hostProgram().split("\n\n");
}

/** Changes whenever the host program does, or what becomes root and starts it, so that hosts get the new one. */
export function hostProgramVersion(): string {
  return createHash("sha256").update([hostProgram(), launcher()].join("\n")).digest("hex").slice(0, VERSION_DIGITS);
}

/** Of the SHA-256 of the host program, a newline, and the launcher. */
export const VERSION_DIGITS = 12;

/**
 * What every uploaded script ends with: it becomes root and hands over to the host program. Without comments and empty lines,
 * which Terraform would read for each host.
 */
export function launcher(): string {
  return [read("strays"), read("launch")].join("\n").replace(/^ *(#(?! shellcheck ).*)?\n/gm, "");
}

/** The name of the local with the launcher, of which there is one in a stack. */
export const LAUNCHER_LOCAL = "ssh_only_firewall_launcher";

/** What a root shell on a host is given to tell what is in force there. */
export function question(): string {
  return [read("strays"), read("ask")].join("\n");
}

/** And of what came to it since. */
export function reportQuestion(): string {
  return [question(), read("ask-report")].join("\n");
}
