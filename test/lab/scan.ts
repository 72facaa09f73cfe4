/** Port scans with nmap, and what its answers mean. */
import type { Place } from "./run";

export interface Target {
  readonly ipv4: string;
  readonly ipv6: string;
}

export type Family = 4 | 6;

export interface TcpScan {
  /** Ports that accepted a connection. */
  readonly open: number[];
  /** Ports that answered with a reset: nothing listens, and no firewall hides it. */
  readonly closed: number[];
  /** Number of ports that gave no answer, or were refused by a firewall. */
  readonly filteredCount: number;
}

export interface UdpScan {
  /** Ports that sent something back. */
  readonly open: number[];
  /** Ports for which the host said "port unreachable". */
  readonly closed: number[];
  /** Ports that gave no answer. */
  readonly unanswered: number[];
}

export async function scanTcp(from: Place, target: Target, family: Family, ports: string): Promise<TcpScan> {
  const found = await nmap(from, target, family, ["-sS", "-p", ports, "--min-rate", "15000", "--max-retries", "3"]);
  return {
    open: found.get("open") ?? [],
    closed: found.get("closed") ?? [],
    filteredCount: (found.get("filtered") ?? []).length,
  };
}

export async function scanUdp(from: Place, target: Target, family: Family, ports: string): Promise<UdpScan> {
  const found = await nmap(from, target, family, ["-sU", "-p", ports, "--max-retries", "2"]);
  return {
    open: found.get("open") ?? [],
    closed: found.get("closed") ?? [],
    unanswered: [...(found.get("open|filtered") ?? []), ...(found.get("filtered") ?? [])].sort((a, b) => a - b),
  };
}

/** Scans, and returns the ports in each state as nmap names it. */
async function nmap(
  from: Place,
  target: Target,
  family: Family,
  options: readonly string[],
): Promise<Map<string, number[]>> {
  const to = family === 6 ? ["-6", target.ipv6] : [target.ipv4];
  const fast = ["-Pn", "-n", "-T5", "--max-rtt-timeout", "200ms", "--initial-rtt-timeout", "50ms"];
  const { stdout } = await from.exec(["nmap", ...fast, ...options, "-oX", "-", ...to], { timeoutSeconds: 120 });
  return parse(stdout);
}

/** nmap lists the ports of rare states one by one, and those of the most common ones as ranges. */
function parse(xml: string): Map<string, number[]> {
  const found = new Map<string, number[]>();
  const add = (state: string, ports: number[]): void => {
    found.set(
      state,
      [...(found.get(state) ?? []), ...ports].sort((a, b) => a - b),
    );
  };
  for (const [, port, state] of xml.matchAll(/<port protocol="\w+" portid="(\d+)"><state state="([^"]+)"/g)) {
    add(state, [Number(port)]);
  }
  for (const [, state, count, reasons] of xml.matchAll(
    /<extraports state="([^"]+)" count="(\d+)">(.*?)<\/extraports>/gs,
  )) {
    const ports = [...reasons.matchAll(/ ports="([^"]+)"/g)].flatMap(([, ranges]) => expand(ranges));
    if (ports.length !== Number(count)) {
      throw new Error(`nmap names ${ports.length} of ${count} ports that are ${state}; nmap 7.92 or later is needed`);
    }
    add(state, ports);
  }
  if (!xml.includes("<finished ") || found.size === 0) {
    throw new Error(`nmap did not finish a scan:\n${xml}`);
  }
  return found;
}

function expand(ranges: string): number[] {
  return ranges.split(",").flatMap((range) => {
    const [first, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
