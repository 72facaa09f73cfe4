/** Packets and logins over time, and the evidence that a host has of them: sums by peer and port, as the host program keeps them. */
import type { EvidenceReply } from "../../../lib/report/evidence-reply";
import { answered, BASELINE, NOW, type Parts } from "./reports";

export const DAY = 86_400;
export const HOUR = 3_600;
/** How long a host of the corpus has been locked, in seconds. */
export const SPAN = NOW - BASELINE;

export interface Packet {
  readonly direction: "in" | "out" | "forward";
  readonly protocol: number;
  readonly peer: string;
  readonly port: number | null;
  /** Seconds since 1970. */
  readonly at: number;
}

export interface Trace {
  readonly packets?: readonly Packet[];
  /** Lines of the journal. */
  readonly logins?: readonly string[];
  /** Lines of the host section. */
  readonly more?: readonly string[];
  readonly listening?: readonly string[];
  readonly parts?: Partial<Parts>;
  readonly status?: Parameters<typeof answered>[1];
}

export const tcp = (peer: string, port: number, at: number, direction: Packet["direction"] = "in"): Packet => ({
  ...{ direction, protocol: 6, peer, port, at },
});
export const udp = (peer: string, port: number, at: number, direction: Packet["direction"] = "in"): Packet => ({
  ...{ direction, protocol: 17, peer, port, at },
});

/** A connection that is not answered: Linux sends its SYN again after 1, 3, 7, … s, until the program gives up. */
export const connection = (peer: string, port: number, at: number, patience = 10): readonly Packet[] =>
  [0, 1, 3, 7, 15, 31, 63, 127]
    .filter((after) => after === 0 || after < patience)
    .map((after) => tcp(peer, port, at + after));

/** Times from the first lock until now, so many seconds apart, not quite even. */
export function every(seconds: number, random: () => number, begin = HOUR, end = SPAN): readonly number[] {
  const times: number[] = [];
  for (
    let at = begin + random() * Math.min(seconds, end - begin) * 0.5;
    at < end;
    at += seconds * (0.95 + random() * 0.1)
  ) {
    times.push(BASELINE + Math.floor(at));
  }
  return times;
}

export const login = (user: string, from: string, at: number, port: number, key = "SHA256:own"): string =>
  `${new Date(at * 1000).toISOString().slice(0, 19)}+0000 web-1 sshd[7]: Accepted publickey for ${user} from ${from} port ${port} ssh2: ED25519 ${key}`;

export const SSHD = 'tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=12,fd=3))';

/** As awk/evidence-sum.awk adds them up. */
export function evidenceOf(packets: readonly Packet[]): string {
  const sums = new Map<string, { packets: number; first: number; last: number }>();
  for (const { direction, protocol, peer, port, at } of packets) {
    const keys = direction === "forward" ? [] : [`${direction} ${protocol} ${peer} ${port ?? "-"}`];
    for (const key of [...keys, `${direction} all - -`]) {
      const sum = sums.get(key) ?? { packets: 0, first: at, last: at };
      sums.set(key, { packets: sum.packets + 1, first: Math.min(sum.first, at), last: Math.max(sum.last, at) });
    }
  }
  return [...sums].map(([key, sum]) => `${key} ${sum.packets} ${sum.first} ${sum.last}\n`).join("");
}

export function replyOf({
  packets = [],
  logins = [],
  more = [],
  listening = [SSHD],
  parts = {},
  status = {},
}: Trace): EvidenceReply {
  const lines = (all: readonly string[]): string => all.map((line) => `${line}\n`).join("");
  return answered(
    {
      ...{ denied: evidenceOf(packets), sockets: lines(listening), logins: lines(logins), more: lines(more) },
      sources: `journal ${logins.length} 2026-08-01T10:00:00+0000 web-1 kernel: Linux\n`,
      ...parts,
      host: { locked_at: "2026-09-01T08:00:00Z", ...parts.host },
    },
    status,
  );
}
