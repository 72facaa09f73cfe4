/** Port scans with nmap, and what its answers mean. */
import { defined, items } from "../support/required";
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
  const found = await scan(from, target, family, "-sS", ports);
  return {
    open: found.get("open") ?? [],
    closed: found.get("closed") ?? [],
    filteredCount: (found.get("filtered") ?? []).length,
  };
}

export async function scanUdp(from: Place, target: Target, family: Family, ports: string): Promise<UdpScan> {
  const found = await scan(from, target, family, "-sU", ports);
  return {
    open: found.get("open") ?? [],
    closed: found.get("closed") ?? [],
    unanswered: [...(found.get("open|filtered") ?? []), ...(found.get("filtered") ?? [])].sort((a, b) => a - b),
  };
}

/**
 * How nmap is to hurry. Not by --min-rate: on a busy machine it then sends more than it can listen to, misses
 * answers, and takes ports for filtered that are not. A wide window waits for answers, and loses none.
 */
const hurry = ["-T5", "--min-parallelism", "800", "--initial-rtt-timeout", "50ms", "--max-rtt-timeout", "100ms"];
/** One nmap mostly waits; several in parallel do not. */
const portsPerScan = 16384;

/** Scans, and returns the ports in each state as nmap names it. */
async function scan(
  from: Place,
  target: Target,
  family: Family,
  kind: "-sS" | "-sU",
  ports: string,
): Promise<Map<string, number[]>> {
  const wanted = expand(ports);
  const parts: number[][] = [];
  for (let start = 0; start < wanted.length; start += portsPerScan) {
    parts.push(wanted.slice(start, start + portsPerScan));
  }
  const address = family === 6 ? ["-6", target.ipv6] : [target.ipv4];
  const found = await Promise.all(
    parts.map(async (part) => {
      const what = ["-Pn", "-n", kind, "-p", compress(part), "--max-retries", "2"];
      const { stdout } = await from.exec(["nmap", ...what, ...hurry, "-oX", "-", ...address], { timeoutSeconds: 120 });
      return parse(stdout);
    }),
  );
  const states = new Set(found.flatMap((part) => [...part.keys()]));
  return new Map([...states].map((state) => [state, found.flatMap((part) => part.get(state) ?? [])]));
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
    add(defined(state), [Number(port)]);
  }
  for (const [, state, count, reasons] of xml.matchAll(
    /<extraports state="([^"]+)" count="(\d+)">(.*?)<\/extraports>/gs,
  )) {
    const ports = [...defined(reasons).matchAll(/ ports="([^"]+)"/g)].flatMap(([, ranges]) => expand(defined(ranges)));
    if (ports.length !== Number(count)) {
      throw new Error(`nmap names ${ports.length} of ${count} ports that are ${state}; nmap 7.92 or later is needed`);
    }
    add(defined(state), ports);
  }
  if (!xml.includes("<finished ") || found.size === 0) {
    throw new Error(`nmap did not finish a scan:\n${xml}`);
  }
  return found;
}

function expand(ranges: string): number[] {
  return ranges.split(",").flatMap((range) => {
    const [first, last = first] = items(range.split("-").map(Number), 1);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** Ranges for nmap, from numbers in rising order. */
function compress(ports: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const port of ports) {
    const last = ranges.at(-1);
    if (last !== undefined && port === last[1] + 1) {
      last[1] = port;
    } else {
      ranges.push([port, port]);
    }
  }
  return ranges.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(",");
}
