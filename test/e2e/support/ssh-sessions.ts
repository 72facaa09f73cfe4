/** SSH sessions that go on while the firewall under them changes. */
import type { ChildProcess } from "node:child_process";
import type { Host } from "../../lab/lab";
import { eventually } from "../../support/eventually";

/** How a session ended; code undefined when it hung and was cut. */
interface Ended {
  readonly code: number | undefined;
  readonly said: string;
}

abstract class Session {
  private readonly closed: Promise<number>;
  private complaints = "";

  protected constructor(protected readonly child: ChildProcess) {
    child.stderr?.on("data", (chunk: Buffer) => (this.complaints += chunk.toString()));
    child.stdin?.on("error", () => undefined);
    this.closed = new Promise((resolve) => child.once("close", (code) => resolve(code ?? 255)));
  }

  protected async ended(): Promise<Ended> {
    let timer: NodeJS.Timeout | undefined;
    const hung = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), 20_000)));
    const code = await Promise.race([this.closed, hung]);
    clearTimeout(timer);
    this.child.kill("SIGKILL");
    return { code, said: this.complaints };
  }
}

/** Counts in both directions: numbers go to the host, which sends them back. */
export class CountingSession extends Session {
  public static open(host: Host): CountingSession {
    return new CountingSession(host.sshSpawn("exec cat", { options: ["ServerAliveInterval=0"] }));
  }

  private sent = 0;
  private received = 0;
  private wrong: string | undefined;
  private readonly timer: NodeJS.Timeout;

  private constructor(child: ChildProcess) {
    super(child);
    child.stdout?.on("data", (chunk: Buffer) => this.check(chunk));
    this.timer = setInterval(() => this.send(), 20);
    // Also when nobody comes to finish it, because the test failed before.
    child.once("close", () => clearInterval(this.timer));
  }

  /** In bytes. */
  public get progress(): number {
    return this.received;
  }

  /** Says goodbye: what was sent until now still comes back. */
  public async finish(): Promise<Ended & { lost: number; wrong: string | undefined }> {
    clearInterval(this.timer);
    this.child.stdin?.end();
    const ended = await this.ended();
    return { ...ended, lost: this.sent - this.received, wrong: this.wrong };
  }

  private send(): void {
    const { stdin } = this.child;
    if (stdin?.writable && !stdin.writableNeedDrain) {
      stdin.write(numbers(this.sent, blockSize));
      this.sent += blockSize;
    }
  }

  private check(chunk: Buffer): void {
    if (!chunk.equals(numbers(this.received, chunk.length))) {
      this.wrong ??= `not what was sent, after ${this.received} bytes`;
    }
    this.received += chunk.length;
  }
}

/** Only the server sends, a numbered line every second; the client says nothing, not even that it is alive. */
export class ListeningSession extends Session {
  public static open(host: Host): ListeningSession {
    const command = "i=0; until [ -e /tmp/enough ]; do i=$((i + 1)); echo line $i; sleep 1; done; echo enough";
    const options = ["ServerAliveInterval=0", "TCPKeepAlive=no"];
    return new ListeningSession(host, host.sshSpawn(command, { options, stdio: ["ignore", "pipe", "pipe"] }));
  }

  private text = "";

  private constructor(
    private readonly host: Host,
    child: ChildProcess,
  ) {
    super(child);
    child.stdout?.on("data", (chunk: Buffer) => (this.text += chunk.toString()));
  }

  public get lines(): string[] {
    return this.text.split("\n").slice(0, -1);
  }

  /** Waits for so many more lines, for as long as it takes a busy machine. */
  public async hear(more: number): Promise<void> {
    const wanted = this.lines.length + more;
    await eventually(`line ${wanted} arrives`, () => this.lines.length >= wanted);
  }

  /** Tells the server that it is enough, by another way than this session. */
  public async finish(): Promise<Ended> {
    await this.host.exec("touch /tmp/enough");
    return this.ended();
  }
}

const blockSize = 32 * 1024;

/** The bytes from this position of an endless row of 32-bit numbers. */
function numbers(position: number, length: number): Buffer {
  const start = position - (position % 4);
  const buffer = Buffer.alloc(length + 8);
  for (let offset = 0; offset + 4 <= buffer.length; offset += 4) {
    buffer.writeUInt32BE((start + offset) / 4, offset);
  }
  return buffer.subarray(position - start, position - start + length);
}
