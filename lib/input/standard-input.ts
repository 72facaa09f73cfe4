/** Reading what is piped in. */
import { readFileSync, readSync } from "node:fs";

/** How long to wait where the other end has nothing to say yet. */
const POLL_MS = 20;

/** The bytes of a file, or of standard input for `-`; undefined where standard input is a terminal. */
export function readFileOrStandardInput(named: string): Buffer | undefined {
  if (named !== "-") {
    return readFileSync(named);
  }
  return process.stdin.isTTY ? undefined : standardInput();
}

/** readFileSync(0) fails where the other end does not block and has nothing to say yet. */
function standardInput(): Buffer {
  const chunks: Buffer[] = [];
  const chunk = Buffer.alloc(1 << 16);
  for (let length = readChunk(chunk); length > 0; length = readChunk(chunk)) {
    chunks.push(Buffer.from(chunk.subarray(0, length)));
  }
  return Buffer.concat(chunks);
}

function readChunk(chunk: Buffer): number {
  for (;;) {
    try {
      return readSync(0, chunk);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EOF") {
        return 0;
      }
      if (code !== "EAGAIN") {
        throw error;
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, POLL_MS);
    }
  }
}
