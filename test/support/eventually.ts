/** The one way in which tests and measurements wait for what happens in its own time. */
import { setTimeout as sleep } from "node:timers/promises";

export interface WaitOptions {
  /** For how long, on a busy machine. @default 60 */
  readonly seconds?: number;
  /** Ends the wait, and fails it, when waiting has become pointless. @default - it lasts its time */
  readonly signal?: AbortSignal;
}

const PAUSE_MS = 50;

/**
 * Asks again and again until the answer is something else than false, and no error: an expectation will do. Fails with what
 * was waited for, and the last error.
 * @param what a clause that is true in the end: "the host is open"
 */
export async function eventually(
  what: string,
  condition: () => unknown,
  { seconds = 60, signal }: WaitOptions = {},
): Promise<void> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const failure = await attempt(condition);
    if (failure === undefined) {
      return;
    }
    if (Date.now() > end) {
      throw new Error(`Not within ${seconds} s: ${what}${failure.message}`, { cause: failure.error });
    }
    await sleep(PAUSE_MS, undefined, { signal }).catch(() => {
      throw new Error(`${String(signal?.reason)}, before this was true: ${what}${failure.message}`);
    });
  }
}

interface Failure {
  readonly message: string;
  readonly error?: unknown;
}

async function attempt(condition: () => unknown): Promise<Failure | undefined> {
  try {
    return (await condition()) === false ? { message: "" } : undefined;
  } catch (error) {
    return { message: `\n${error instanceof Error ? error.message : String(error)}`, error };
  }
}
