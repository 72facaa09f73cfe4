/** What a command starts on a host. */
import type { Host } from "./lab";

/** Until the command has ended: what it leaves behind goes on. A wait (`sleep`) is not counted, because a busy machine waits longer. */
export interface Started {
  readonly processes: number;
  /** Those that are a program of their own, and not the shell once more. */
  readonly programs: number;
}

/** @param command of which strace shows the processes */
export async function startedBy(host: Host, command: string): Promise<Started> {
  const { stdout } = await host.exec(`
    rm -f /tmp/trace
    strace -f -q -e trace=process -o /tmp/trace ${command} >/dev/null 2>&1 &
    until read -r first _ 2>/dev/null </tmp/trace && grep -q "^$first *+++ exited" /tmp/trace; do sleep 0.1; done
    cat /tmp/trace`);
  const [first = ""] = stdout.split(" ");
  const trace = stdout.slice(0, stdout.search(new RegExp(`^${first} *\\+\\+\\+ exited`, "m")));
  const waiting = numbers(trace, /^(\d+) +execve\("[^"]*\/sleep"/gm);
  const born = numbers(trace, / (?:<\.\.\. )?(?:clone3?|v?fork)\b.* = ([1-9]\d*)$/gm);
  const programs = numbers(trace, /^(\d+) +(?:<\.\.\. )?execve\b.* = 0$/gm);
  const counted = (pids: ReadonlySet<string>): number => [...pids].filter((pid) => !waiting.has(pid)).length;
  // The command itself is one that was not started by it.
  return { processes: counted(born), programs: counted(programs) - 1 };
}

function numbers(trace: string, pattern: RegExp): ReadonlySet<string> {
  return new Set([...trace.matchAll(pattern)].map(([, pid = ""]) => pid));
}
