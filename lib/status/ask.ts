/** Runs ssh, gives the root shell of a host the question, and reads the answer. */
import { type ChildProcess, spawn } from "node:child_process";
import { isObject } from "../policy/keys";
import type { Answer } from "./judge";
import { messages, StateError } from "./messages";
import { lastLine } from "./text";

/** For the login shell, whichever it is. */
const BECOME_ROOT = `sh -c 'if [ "$(id -u)" -eq 0 ]; then exec sh -s; else exec sudo -n sh -s; fi'`;

/** A host may send whatever it likes; this much of it is read, unless the question is one for more. */
const MOST_BYTES = 256 * 1024;
/** How long output may stay open behind a process that has ended; where this machine is busy, reading it takes a while. */
const GRACE_MS = 5000;

interface Ended {
  readonly code: number | null;
  readonly timedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** The processes that run, so that all can be ended at once. */
export class Processes {
  private readonly running = new Set<ChildProcess>();

  public killAll(): void {
    this.running.forEach((child) => signal(child, "SIGKILL"));
  }

  /** Runs ssh to its end, or until it has taken too long. */
  public run(args: readonly string[], input: string, seconds: number, mostBytes = MOST_BYTES): Promise<Ended> {
    return new Promise((resolve, reject) => {
      // A process group of its own: what it starts, such as a proxy, ends with it.
      const child = spawn("ssh", args, { stdio: ["pipe", "pipe", "pipe"], detached: true });
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
        resolve({ code, timedOut, stdout: stdout.text, stderr: stderr.text });
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
}

export async function ask(
  processes: Processes,
  args: readonly string[],
  question: string,
  seconds: number,
  mostBytes?: number,
): Promise<Said> {
  const ended = await processes.run([...args, BECOME_ROOT], question, seconds, mostBytes);
  return { answer: answerOf(ended, seconds), stdout: ended.stdout, stderr: ended.stderr };
}

export function answerOf({ code, timedOut, stdout, stderr }: Ended, seconds: number): Answer {
  const [, after] = stdout.replace(/\r/g, "").split(/^ssh-only-firewall-status /m);
  if (after !== undefined) {
    const [status, listens = ""] = after.split(/^ssh-only-firewall-listens/m);
    return told(status.trimEnd(), listens.split("\n")[0]);
  }
  if (timedOut) {
    return { kind: "unreachable", why: messages.timeout(seconds) };
  }
  const words = lastLine(stderr);
  if (code === 255) {
    return { kind: "unreachable", why: messages.noConnection(words) };
  }
  return { kind: "unclear", why: /sudo/.test(stderr) ? messages.noRoot(words) : messages.noAnswer(words) };
}

const STATES = ["open", "pending", "locked", "observed"] as const;
const RULES = ["none", "matches", "drifted", "unrecorded"] as const;

function told(status: string, listens: string): Answer {
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
    port: Number.isInteger(port) && port > 0 ? port : undefined,
    listens: listens
      .split(" ")
      .map((hex) => parseInt(hex, 16))
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
