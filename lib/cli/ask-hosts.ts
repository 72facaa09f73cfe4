/** Asks all hosts, with a line of progress on a terminal; leaves nothing behind, whatever ends it. */
import { setMaxListeners } from "node:events";
import { Progress } from "../output/progress";
import type { Visit } from "../ssh/reach";

const SIGNALS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

export interface ProgressOptions<T> {
  /** How many hosts there are. */
  readonly count: number;
  /** Whether what was found of a host is worth counting in the line of progress; the words for such hosts. */
  readonly isNotable: (found: T) => boolean;
  readonly notableAs: string;
}

export async function withProgress<T>(
  { count, isNotable, notableAs }: ProgressOptions<T>,
  ask: (visit: Visit<T>) => Promise<readonly T[]>,
): Promise<readonly T[]> {
  const progress = new Progress(count, notableAs);
  const controller = new AbortController();
  const { signal } = controller;
  // Each process that runs listens to it.
  setMaxListeners(0, signal);
  const abort = (): void => controller.abort();
  const handlers = Object.entries(SIGNALS).map(([name, number]) => {
    const handler = (): void => {
      abort();
      progress.clear();
      process.stderr.write("Stopped: not all hosts were asked, and no process or key was left behind.\n");
      process.exit(128 + number);
    };
    return [name, handler] as const;
  });
  handlers.forEach(([name, handler]) => process.on(name, handler));
  process.on("exit", abort);
  try {
    return await ask({ signal, onResult: (found) => progress.add(isNotable(found)) });
  } finally {
    abort();
    process.off("exit", abort);
    handlers.forEach(([name, handler]) => process.off(name, handler));
    progress.clear();
  }
}
