/** Runs ssh, gives the root shell of a host the question, and reads the answer. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { isObject } from "../input/keys";
import { shellWord } from "../output/shell-word";
import type { Answer } from "./answer";
import { messages, StateError } from "../state/messages";
import { wordsOf } from "./route";
import { lastLine } from "../output/plain";

/** For the login shell, whichever it is: a shell that reads what it is to do. */
const SHELL = "exec sh -s";

/** Text for a shell: the question to root, by as few processes as that takes. */
function toRoot(question: string): string {
  const isRoot = '[ -O /proc/sys ] 2>/dev/null || [ "$(id -u)" -eq 0 ]';
  const toSudo = "printf '%s\\n' \"$question\" | sudo -n sh -s";
  return `question=${shellWord(question)}\nif ${isRoot}; then eval "$question"; else ${toSudo}; fi\n`;
}

/** A host may send whatever it likes; this much of it is read, unless the question is one for more. */
const MOST_BYTES = 256 * 1024;
/** How long output may stay open behind a process that has ended; where this machine is busy, reading it takes a while. */
const GRACE_MS = 5000;

interface Ended {
  readonly code: number | null;
  readonly timedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
  readonly milliseconds: number;
}

/** The processes that run, so that all can be ended at once. */
export class Processes {
  private readonly running = new Set<ChildProcess>();
  /** A copy: node asks process.env for each of its names, at each start of a program. */
  private readonly env = { ...process.env };

  public killAll(): void {
    this.running.forEach((child) => signal(child, "SIGKILL"));
  }

  /** Runs ssh to its end, or until it has taken too long. */
  public run(args: readonly string[], input: string, seconds: number, mostBytes = MOST_BYTES): Promise<Ended> {
    return new Promise((resolve, reject) => {
      // A process group of its own: what it starts, such as a proxy, ends with it.
      const child = spawn("ssh", args, { stdio: ["pipe", "pipe", "pipe"], detached: true, env: this.env });
      const begin = performance.now();
      this.running.add(child);
      const stdout = new Output(mostBytes);
      const stderr = new Output(MOST_BYTES);
      child.stdout.on("data", (chunk: Buffer) => stdout.add(chunk) || signal(child, "SIGKILL"));
      child.stderr.on("data", (chunk: Buffer) => stderr.add(chunk));
      // The host may be gone before it has read all.
      child.stdin.on("error", () => undefined);
      child.stdin.end(input);
      let timedOut = false;
      let grace: NodeJS.Timeout | undefined;
      const timer = setTimeout(() => {
        timedOut = true;
        signal(child, "SIGKILL");
      }, seconds * 1000);
      const end = (code: number | null): void => {
        clearTimeout(timer);
        clearTimeout(grace);
        this.running.delete(child);
        child.stdout.destroy();
        child.stderr.destroy();
        const milliseconds = performance.now() - begin;
        resolve({ code, timedOut, stdout: stdout.text, stderr: stderr.text, milliseconds });
      };
      child.once("error", (error: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        this.running.delete(child);
        reject(error.code === "ENOENT" ? new StateError(messages.noSsh()) : error);
      });
      child.once("close", end);
      // Behind the immediate, what has come is read also where this process was held up for longer than that.
      child.once("exit", (code) => (grace = setTimeout(() => setImmediate(end, code), GRACE_MS)));
    });
  }
}

class Output {
  private readonly chunks: Buffer[] = [];
  private length = 0;

  public constructor(private readonly mostBytes: number) {}

  /** Whether there was room for it. */
  public add(chunk: Buffer): boolean {
    const room = this.length + chunk.length <= this.mostBytes;
    if (room) {
      this.chunks.push(chunk);
      this.length += chunk.length;
    }
    return room;
  }

  public get text(): string {
    return Buffer.concat(this.chunks).toString();
  }
}

function signal(child: ChildProcess, name: NodeJS.Signals): void {
  try {
    process.kill(-(child.pid as number), name);
  } catch {
    // It ended just now.
  }
}

/** What a host said, and what that says of its state. */
export interface Said {
  readonly answer: Answer;
  readonly stdout: string;
  readonly stderr: string;
  /** What ssh logged. */
  readonly log: string;
  /** From the start of ssh to its end. */
  readonly milliseconds: number;
}

/** @param logFile where ssh writes what it does, apart from what is said on the host. */
export async function ask(
  processes: Processes,
  args: readonly string[],
  logFile: string,
  question: string,
  seconds: number,
  mostBytes?: number,
): Promise<Said> {
  const logged = ["-E", logFile, "-o", "LogLevel=VERBOSE"];
  const ended = await processes.run([...logged, ...args, SHELL], toRoot(question), seconds, mostBytes);
  const log = existsSync(logFile) ? readFileSync(logFile, "utf8") : "";
  const { stdout, stderr, milliseconds } = ended;
  return { answer: answerOf({ ...ended, log }, seconds), stdout, stderr, log, milliseconds };
}

export function answerOf(
  { code, timedOut, stdout, stderr, log }: Omit<Ended, "milliseconds"> & { readonly log: string },
  seconds: number,
): Answer {
  const [, after] = stdout.replace(/\r/g, "").split(/^ssh-only-firewall-status /m);
  if (after !== undefined) {
    return told((after.split(/^ssh-only-firewall-said$/m)[0] as string).trimEnd());
  }
  if (timedOut) {
    return { kind: "unreachable", why: messages.timeout(seconds) };
  }
  if (code === 255) {
    return { kind: "unreachable", why: messages.noConnection(lastLine(wordsOf(log)) || lastLine(stderr)) };
  }
  const words = lastLine(stderr);
  return { kind: "unclear", why: /sudo/.test(stderr) ? messages.noRoot(words) : messages.noAnswer(words) };
}

const STATES = ["open", "pending", "locked", "observed"] as const;
const RULES = ["none", "matches", "drifted", "unrecorded"] as const;

function told(status: string): Answer {
  const [, code, words] = /^(\d+) (.*)$/s.exec(status) ?? ["", "", status];
  const said = /\{.*\}/.exec(words)?.[0] ?? "";
  const json = parse(said);
  const state = STATES.find((one) => one === json.state);
  const rules = RULES.find((one) => one === json.rules);
  if ((code !== "0" && code !== "10") || state === undefined || rules === undefined) {
    return { kind: "unclear", why: messages.badAnswer(lastLine(words)) };
  }
  const text = (name: string): string => (typeof json[name] === "string" ? json[name] : "");
  const port = Number(text("port"));
  return {
    kind: "told",
    state,
    rules,
    owner: text("owner"),
    ruleset: text("ruleset"),
    program: text("program"),
    lockedAt: text("lockedAt"),
    problem: text("problem"),
    port: Number.isInteger(port) && port > 0 ? port : undefined,
    listened: text("listened")
      .split(" ")
      .map(Number)
      .filter((one) => one > 0 && one < 65536),
  };
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}
