/** Runs ssh, to its end or until it has taken too long. Nothing of it is left behind. */
import { type ChildProcess, spawn } from "node:child_process";
import { noSsh } from "./ssh-error";

export interface RunOptions {
  readonly input: string;
  readonly timeoutSeconds: number;
  /** A host may send whatever it likes; this much of it is read. */
  readonly maxBytes: number;
  /** Kills what runs at once. */
  readonly signal: AbortSignal;
}

export interface Ended {
  readonly code: number | null;
  readonly timedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
  /** From the start of ssh to its end. */
  readonly milliseconds: number;
}

export const DEFAULT_MAX_BYTES = 256 * 1024;
/** How long output may stay open behind a process that has ended; where this machine is busy, reading it takes a while. */
const GRACE_MS = 5000;

/** A copy: node asks process.env for each of its names, at each start of a program. */
const env = { ...process.env };

export async function runSsh(args: readonly string[], options: RunOptions): Promise<Ended> {
  const { input, timeoutSeconds, maxBytes, signal } = options;
  signal.throwIfAborted();
  // A process group of its own: what it starts, such as a proxy, ends with it.
  const child = spawn("ssh", args, { stdio: ["pipe", "pipe", "pipe"], detached: true, env });
  const begin = performance.now();
  const kill = (): void => killGroup(child);
  signal.addEventListener("abort", kill, { once: true });
  const stdout = new Output(maxBytes);
  const stderr = new Output(DEFAULT_MAX_BYTES);
  child.stdout.on("data", (chunk: Buffer) => stdout.add(chunk) || kill());
  child.stderr.on("data", (chunk: Buffer) => stderr.add(chunk));
  // The host may be gone before it has read all.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    kill();
  }, timeoutSeconds * 1000);
  try {
    const code = await endOf(child);
    return { code, timedOut, stdout: stdout.text, stderr: stderr.text, milliseconds: performance.now() - begin };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", kill);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

/** The exit code, when the output has been read too, or has stayed open for too long. */
function endOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    let grace: NodeJS.Timeout | undefined;
    child.once("error", (error: NodeJS.ErrnoException) => reject(error.code === "ENOENT" ? noSsh() : error));
    child.once("close", (code) => {
      clearTimeout(grace);
      resolve(code);
    });
    // Behind the immediate, what has come is read also where this process was held up for longer than that.
    child.once("exit", (code) => (grace = setTimeout(() => setImmediate(resolve, code), GRACE_MS)));
  });
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) {
      process.kill(-pid, "SIGKILL");
    }
  } catch {
    // It ended just now.
  }
}

class Output {
  private readonly chunks: Buffer[] = [];
  private length = 0;

  public constructor(private readonly maxBytes: number) {}

  /** Whether there was room for it. */
  public add(chunk: Buffer): boolean {
    const fits = this.length + chunk.length <= this.maxBytes;
    if (fits) {
      this.chunks.push(chunk);
      this.length += chunk.length;
    }
    return fits;
  }

  public get text(): string {
    return Buffer.concat(this.chunks).toString();
  }
}
