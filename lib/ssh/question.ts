/** Gives the root shell of a host a question. */
import { existsSync, readFileSync } from "node:fs";
import { shellWord } from "../output/shell-word";
import { type Answer, answerOf } from "./answer";
import { runSsh, type RunOptions } from "./process";

/** For the login shell, whichever it is: a shell that reads what it is to do. */
const SHELL = "exec sh -s";

/**
 * Text for a shell: the question to root, by as few processes as that takes. Its words are what sudo would hide: the SSH_CONNECTION
 * of the login, and who logged in.
 */
function toRoot(question: string): string {
  const isRoot = '[ -O /proc/sys ] 2>/dev/null || [ "$(id -u)" -eq 0 ]';
  const from = '"${SSH_CONNECTION-}"';
  const toSudo = `printf '%s\\n' "$question" | sudo -n /bin/sh -s ${from} "$(id -un)"`;
  return `question=${shellWord(question)}\nif ${isRoot}; then set -- ${from} root; eval "$question"; else ${toSudo}; fi\n`;
}

/** What came back from a host, and what that says of its state. */
export interface Reply {
  readonly answer: Answer;
  readonly stdout: string;
  readonly stderr: string;
  /** What ssh logged. */
  readonly log: string;
  /** From the start of ssh to its end. */
  readonly milliseconds: number;
}

/** @param logFile where ssh writes its log, apart from what the host prints. */
export async function ask(
  args: readonly string[],
  logFile: string,
  question: string,
  options: Omit<RunOptions, "input">,
): Promise<Reply> {
  const logged = ["-E", logFile, "-o", "LogLevel=VERBOSE"];
  const ended = await runSsh([...logged, ...args, SHELL], { ...options, input: toRoot(question) });
  const log = existsSync(logFile) ? readFileSync(logFile, "utf8") : "";
  const { stdout, stderr, milliseconds } = ended;
  return { answer: answerOf({ ...ended, log }, options.timeoutSeconds), stdout, stderr, log, milliseconds };
}
