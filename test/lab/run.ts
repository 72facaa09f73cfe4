/** Runs commands: on this machine, in a lab's controller, in a lab host. */
import { spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import { Socket } from "node:net";
import { defined } from "../support/required";

/** What came of a command. */
export interface RunResult {
  /** Exit code; 124 after a timeout, 128 + number when a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Added to the environment; undefined takes a variable out. */
  readonly env?: Record<string, string | undefined>;
  /** @default - the lab's folder in the controller, / in a host */
  readonly cwd?: string;
  /** Standard input. @default - empty */
  readonly input?: string | Buffer | undefined;
  /** After this the command and what it started are killed. @default 60 */
  readonly timeoutSeconds?: number;
  /** Throw when the exit code is not 0. @default true */
  readonly check?: boolean;
}

export interface SpawnOptions {
  readonly env?: Record<string, string | undefined>;
  readonly cwd?: string;
  /** @default - three pipes */
  readonly stdio?: StdioOptions;
}

/** A shell text, or a program and its arguments. */
export type Command = string | readonly string[];

/** How long a command that has ended may leave its output open to a process it started in the background. */
const outputGraceMs = 300;

/** A place where commands run: the words in front of a command that take it there, and its environment. */
export class Place {
  constructor(
    private readonly description: string,
    private readonly enter: () => readonly string[],
    private readonly environment: () => NodeJS.ProcessEnv,
    private readonly defaultFolder?: string,
  ) {}

  /**
   * Starts a command and returns at once. `kill()` of the returned process reaches all processes of the
   * command, except those that made a session of their own.
   */
  public spawn(command: Command, options: SpawnOptions = {}): ChildProcess {
    const folder = options.cwd ?? this.defaultFolder;
    const argv = [
      ...this.enter(),
      ...(folder === undefined ? [] : ["env", "-C", folder]),
      ...(typeof command === "string" ? ["/bin/sh", "-c", command] : command),
    ];
    const child = spawn(defined(argv[0]), argv.slice(1), {
      env: { ...this.environment(), ...options.env },
      stdio: options.stdio ?? "pipe",
      // A process group of its own, so that killing it reaches beyond the nsenter in front.
      detached: true,
    });
    child.kill = (signal = "SIGTERM") => killGroup(child, signal);
    return child;
  }

  /** Runs a command to its end. */
  public async exec(command: Command, options: RunOptions = {}): Promise<RunResult> {
    const child = this.spawn(command, {
      ...options,
      stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    const result = await collect(child, options);
    if (result.code !== 0 && options.check !== false) {
      throw new Error(
        `${this.description}: exit code ${result.code} from: ${typeof command === "string" ? command : command.join(" ")}\n` +
          `(pass { check: false } to look at the code)\n${result.stdout}${result.stderr}`,
      );
    }
    return result;
  }
}

/** The machine itself, outside any lab. */
export const machine = new Place(
  "machine",
  () => [],
  () => process.env,
);

async function collect(child: ChildProcess, options: RunOptions): Promise<RunResult> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => stderr.push(chunk));
  // The command may end without reading its input; its exit code says what is wrong.
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(options.input);

  let timedOut = false;
  const seconds = options.timeoutSeconds ?? 60;
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(child, "SIGKILL");
  }, seconds * 1000);
  try {
    const code = await ended(child);
    if (timedOut) {
      stderr.push(Buffer.from(`(killed: it took longer than ${seconds} s)\n`));
    }
    return {
      code: timedOut ? 124 : code,
      stdout: Buffer.concat(stdout).toString(),
      stderr: Buffer.concat(stderr).toString(),
    };
  } finally {
    clearTimeout(timer);
  }
}

function ended(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let grace: NodeJS.Timeout | undefined;
    const finish = (code: number | null, signal: NodeJS.Signals | null): void => {
      clearTimeout(grace);
      child.stdout?.destroy();
      child.stderr?.destroy();
      resolve(code ?? 128 + signalNumber(signal));
    };
    child.on("error", reject);
    child.on("close", finish);
    child.on("exit", (code, signal) => {
      const received = (): number => bytesRead(child.stdout) + bytesRead(child.stderr);
      const wait = (before: number): void => {
        // Behind the immediate, what has come is read also where this process was held up for longer than that.
        const look = (): void => (received() === before ? finish(code, signal) : wait(received()));
        grace = setTimeout(() => setImmediate(look), outputGraceMs);
      };
      wait(received());
    });
  });
}

const bytesRead = (stream: ChildProcess["stdout"]): number => (stream instanceof Socket ? stream.bytesRead : 0);

function killGroup(child: ChildProcess, signal: NodeJS.Signals | number): boolean {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) {
    return false;
  }
  try {
    return process.kill(-child.pid, signal);
  } catch {
    return false; // It ended just now.
  }
}

function signalNumber(signal: NodeJS.Signals | null): number {
  const numbers: Partial<Record<NodeJS.Signals, number>> = {
    SIGHUP: 1,
    SIGINT: 2,
    SIGKILL: 9,
    SIGPIPE: 13,
    SIGTERM: 15,
  };
  return (signal !== null && numbers[signal]) || 0;
}
