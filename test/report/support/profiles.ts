/** Traffic profiles, each with what is true of it. A seed decides addresses, ports and times. */
import type { Verdict } from "../../../lib/report/verdict-rules";
import { connection, DAY, every, HOUR, login, type Packet, SPAN, SSHD, tcp, type Trace, udp } from "./packets";
import { BASELINE } from "./reports";

export interface Profile {
  readonly name: string;
  readonly truth: Verdict;
  readonly trace: (random: () => number) => Trace;
}

type Random = () => number;

const whole = (random: Random, from: number, to: number): number => from + Math.floor(random() * (to - from + 1));
export const neighbour = (random: Random): string => `192.0.2.${whole(random, 20, 250)}`;
const stranger = (random: Random): string =>
  [203, whole(random, 1, 254), whole(random, 1, 254), whole(random, 1, 254)].join(".");
const times = <T>(number: number, make: (index: number) => T): readonly T[] =>
  Array.from({ length: number }, (_, i) => make(i));
const sometime = (random: Random): number => BASELINE + HOUR + Math.floor(random() * (SPAN - 2 * HOUR));

export const listener = (protocol: "tcp" | "udp", port: number, program: string): string =>
  `${protocol} ${protocol === "tcp" ? "LISTEN" : "UNCONN"} 0 9 0.0.0.0:${port} 0.0.0.0:* users:(("${program}",pid=31,fd=6))`;
const SERVICES = [SSHD, listener("tcp", 80, "nginx"), listener("tcp", 5432, "postgres"), listener("udp", 161, "snmpd")];
const SOME_PORTS = [
  7, 21, 23, 25, 110, 139, 143, 389, 445, 1433, 1521, 2049, 3306, 3389, 5900, 6379, 8080, 8443, 9200, 27017,
];

/** Broadcast and multicast of a usual network, for as long as the host is locked. */
export function neighbours(random: Random): readonly Packet[] {
  const all = times(4, () => neighbour(random));
  const kinds = [5353, 1900, 137, 138, 67, 68, 5355];
  const said = all.flatMap((peer) => kinds.flatMap((port) => every(DAY, random).map((at) => udp(peer, port, at))));
  const router: Packet[] = every(DAY / 2, random).flatMap((at) => [
    { direction: "in" as const, protocol: 112, peer: "192.0.2.2", port: null, at },
    { direction: "in" as const, protocol: 2, peer: "192.0.2.1", port: null, at },
  ]);
  return [...said, ...router];
}

/** One packet a port; some tools send it again. */
function scan(random: Random, ports: readonly number[], peer: string, retries = 0): readonly Packet[] {
  const start = sometime(random);
  return ports.flatMap((port, index) =>
    times(1 + whole(random, 0, retries), (again) => tcp(peer, port, start + Math.floor(index / 50) + again)),
  );
}

const someFrom = (from: number, number: number): readonly number[] => times(number, (index) => from + index);

const NOISE: ReadonlyArray<readonly [string, (random: Random) => Trace]> = [
  ["nothing at all", () => ({})],
  ["nothing at all, with services", () => ({ listening: SERVICES })],
  ["noisy neighbours", (random) => ({ packets: neighbours(random) })],
  ["noisy neighbours, with services", (random) => ({ packets: neighbours(random), listening: SERVICES })],
  [
    "a scan of the first thousand ports",
    (random) => ({ packets: scan(random, someFrom(1, 1000), stranger(random)), listening: SERVICES }),
  ],
  [
    "a scan that sends again",
    (random) => ({ packets: scan(random, someFrom(1, 1000), stranger(random), 2), listening: SERVICES }),
  ],
  [
    "a scan of the usual ports",
    (random) => ({ packets: scan(random, [22, 80, 5432, ...SOME_PORTS], stranger(random)), listening: SERVICES }),
  ],
  [
    "a scan by connections",
    (random) => {
      const [peer, start] = [stranger(random), sometime(random)];
      return { packets: [80, ...SOME_PORTS].flatMap((port) => connection(peer, port, start, 4)), listening: SERVICES };
    },
  ],
  [
    "a scan of UDP",
    (random) => {
      const [peer, start] = [stranger(random), sometime(random)];
      return {
        packets: [161, ...someFrom(1000, 60)].map((port, i) => udp(peer, port, start + i)),
        listening: SERVICES,
      };
    },
  ],
  [
    "a vulnerability scanner every week",
    (random) => {
      const peer = neighbour(random);
      return {
        packets: every(7 * DAY, random).flatMap((at) =>
          [80, 5432, ...SOME_PORTS].map((port, i) => tcp(peer, port, at + i)),
        ),
        listening: SERVICES,
      };
    },
  ],
  [
    "a slow scanner",
    (random) => {
      const peer = stranger(random);
      return { packets: someFrom(2000, 70).map((port, i) => tcp(peer, port, BASELINE + HOUR + i * DAY)) };
    },
  ],
  [
    "one SYN to one port, from many strangers",
    (random) => ({ packets: times(300, () => tcp(stranger(random), 80, sometime(random))), listening: SERVICES }),
  ],
  [
    "backscatter",
    (random) => ({ packets: times(200, () => tcp(stranger(random), whole(random, 1024, 65535), sometime(random))) }),
  ],
  [
    "a few ports, once",
    (random) => ({
      packets: times(9, () => stranger(random)).flatMap((peer) =>
        [23, 2323].map((port, i) => tcp(peer, port, sometime(random) + i)),
      ),
    }),
  ],
  [
    "a ping or two",
    (random) => ({
      packets: times(20, () => ({
        direction: "in" as const,
        protocol: 1,
        peer: stranger(random),
        port: null,
        at: sometime(random),
      })),
    }),
  ],
  [
    "the time, all day",
    (random) => ({ packets: every(HOUR, random).map((at) => udp(`192.0.2.${whole(random, 2, 5)}`, 123, at, "out")) }),
  ],
  [
    "a lease, and what the host announces",
    (random) => ({
      packets: every(DAY, random).flatMap((at) => [
        udp("192.0.2.1", 67, at, "out"),
        udp("224.0.0.251", 5353, at, "out"),
      ]),
    }),
  ],
  [
    "answers of a connection that was open",
    (random) => ({
      packets: times(9, (i) => tcp("203.0.113.80", 50124, BASELINE + 2 ** i, "out")),
      listening: [...SERVICES, "tcp ESTAB 0 0 192.0.2.10:80 203.0.113.80:50124"],
      more: [`${random() < 0 ? "x" : "logged="}`],
    }),
  ],
  ["our own rounds, every night", (random) => ownRounds(random)],
  [
    "our own rounds, among neighbours and scanners",
    (random) => {
      const own = ownRounds(random);
      return {
        ...own,
        packets: [...(own.packets ?? []), ...neighbours(random), ...scan(random, someFrom(1, 900), stranger(random))],
      };
    },
  ],
];

/** Ten nights of status --live, which logs in, and probes. */
export function ownRounds(random: Random, nights = 10, from = "192.0.2.9"): Trace {
  const rounds = times(nights, (night) => ({ at: BASELINE + HOUR + night * DAY, port: whole(random, 40000, 60000) }));
  return {
    listening: SERVICES,
    logins: rounds.map(({ at, port }) => login("root", from, at - 1, port)),
    more: rounds.flatMap(({ at, port }) => [`session=${at} ${from} ${port}`, `probe=${at} ${from} 80,443,5432`]),
    packets: rounds.flatMap(({ at }) =>
      [80, 443, 5432].flatMap((port) => [tcp(from, port, at), tcp(from, port, at + 1)]),
    ),
  };
}

const client = (
  name: string,
  seconds: number,
  make: (peer: string, at: number) => readonly Packet[],
  end = SPAN,
): [string, (random: Random) => Trace] => [
  name,
  (random) => {
    const peer = random() < 0.5 ? neighbour(random) : stranger(random);
    return { packets: every(seconds, random, HOUR, end).flatMap((at) => make(peer, at)), listening: SERVICES };
  },
];
const once = (
  name: string,
  make: (peer: string, at: number) => readonly Packet[],
): [string, (random: Random) => Trace] => [
  name,
  (random) => ({ packets: make(neighbour(random), sometime(random)), listening: SERVICES }),
];

const USES: ReadonlyArray<readonly [string, (random: Random) => Trace]> = [
  client("a client, once an hour", HOUR, (peer, at) => connection(peer, 80, at)),
  client("a client, once a day", DAY, (peer, at) => connection(peer, 5432, at)),
  client("a client, once a week", 7 * DAY, (peer, at) => connection(peer, 5432, at)),
  client("a client, once a month", 30 * DAY, (peer, at) => connection(peer, 80, at)),
  client("a client with no patience, once a day", DAY, (peer, at) => [tcp(peer, 80, at)]),
  client("a client of UDP, once a day", DAY, (peer, at) => [udp(peer, 161, at)]),
  once("one request by UDP", (peer, at) => [udp(peer, 161, at)]),
  once("one client that gives up", (peer, at) => connection(peer, 80, at, 4)),
  once("one client that waits long", (peer, at) => connection(peer, 5432, at, 130)),
  client("a client that gives up after a week", HOUR, (peer, at) => connection(peer, 80, at), 7 * DAY),
  client("monitoring of the service", 300, (peer, at) => [tcp(peer, 80, at)]),
  client("monitoring by ping", 300, (peer, at) => [{ direction: "in", protocol: 1, peer, port: null, at }]),
  client("health checks of a load balancer", 10, (peer, at) => [tcp(peer, 80, at)], DAY),
  client("a backup over SSH from a network that is not allowed", DAY, (peer, at) => connection(peer, 22, at)),
  client("a client of a service that had stopped", DAY, (peer, at) => connection(peer, 8080, at)),
  client("a sender of logs to a port where nothing listens", 60, (peer, at) => [udp(peer, 514, at)], DAY),
  client("a poller of three ports", HOUR, (peer, at) => [9100, 9113, 9187].map((port) => tcp(peer, port, at)), DAY),
  client("a tunnel", HOUR, (peer, at) => [{ direction: "in", protocol: 47, peer, port: null, at }]),
  client("a job that posts every night", DAY, (peer, at) => [tcp(peer, 443, at, "out")]),
  client("a job that posts once a month", 30 * DAY, (peer, at) => [tcp(peer, 443, at, "out")]),
  client("an agent that phones home", 60, (peer, at) => [tcp(peer, 8443, at, "out")], DAY),
  client("logs that are sent by UDP", 600, (peer, at) => [udp(peer, 514, at, "out")], DAY),
  client("a client among noise", DAY, (peer, at) => connection(peer, 80, at)),
  [
    "a client behind the address of a scanner",
    (random) => {
      const peer = stranger(random);
      return {
        packets: [
          ...scan(random, someFrom(1000, 200), peer),
          ...every(DAY, random).flatMap((at) => connection(peer, 80, at)),
        ],
        listening: SERVICES,
      };
    },
  ],
  [
    "one client behind the address of a scanner, another day",
    (random) => {
      const peer = stranger(random);
      const found = scan(random, someFrom(1000, 200), peer, 2);
      const other = (found[0]?.at ?? 0) > BASELINE + SPAN / 2 ? BASELINE + DAY : BASELINE + SPAN - DAY;
      return { packets: [...found, ...connection(peer, 80, other, 2)], listening: SERVICES };
    },
  ],
  [
    "a client among a thousand scanners",
    (random) => ({
      packets: [
        ...times(1000, () => tcp(stranger(random), 80, sometime(random))),
        ...every(7 * DAY, random).flatMap((at) => connection("198.18.0.7", 80, at)),
      ],
      listening: SERVICES,
    }),
  ],
  [
    "a client among neighbours",
    (random) => ({
      packets: [...neighbours(random), ...connection("192.0.2.77", 80, sometime(random))],
      listening: SERVICES,
    }),
  ],
  [
    "the machine of our commands, to a probed port in the same minute",
    (random) => {
      const own = ownRounds(random);
      return {
        ...own,
        packets: [...(own.packets ?? []), ...connection("192.0.2.9", 80, BASELINE + HOUR + 9 * DAY + 5, 4)],
      };
    },
  ],
  [
    "the machine of our commands, to a probed port at another time",
    (random) => {
      const own = ownRounds(random);
      return { ...own, packets: [...(own.packets ?? []), tcp("192.0.2.9", 80, BASELINE + 20 * DAY)] };
    },
  ],
  [
    "the machine of our commands, to a probed port where nothing listens",
    (random) => {
      const own = ownRounds(random);
      return { ...own, packets: [...(own.packets ?? []), tcp("192.0.2.9", 443, BASELINE + HOUR + 9 * DAY + 5)] };
    },
  ],
  [
    "the machine of our commands, to another port",
    (random) => {
      const own = ownRounds(random);
      return { ...own, packets: [...(own.packets ?? []), ...connection("192.0.2.9", 22, BASELINE + 20 * DAY)] };
    },
  ],
  [
    "one connection while it was observed",
    (random) => ({
      packets: [tcp(neighbour(random), 80, BASELINE + 5 * DAY)],
      listening: SERVICES,
      more: [`mode_from=observe ${BASELINE}`, `mode_from=enforce ${BASELINE + 9 * DAY}`],
      parts: { host: { locked_at: new Date((BASELINE + 9 * DAY) * 1000).toISOString() } },
    }),
  ],
];

const LOGINS: ReadonlyArray<readonly [string, (random: Random) => Trace]> = [
  [
    "a login by another key, every night",
    (random) => ({
      logins: every(DAY, random).map((at) =>
        login("backup", "192.0.2.77", at, whole(random, 40000, 60000), "SHA256:other"),
      ),
    }),
  ],
  [
    "our own key from another machine",
    (random) => ({ logins: [login("root", "192.0.2.78", sometime(random), 50000)] }),
  ],
  [
    "our own machine, in a session of somebody else",
    (random) => {
      const own = ownRounds(random);
      return { ...own, logins: [...(own.logins ?? []), login("root", "192.0.2.9", BASELINE + 4 * DAY, 39999)] };
    },
  ],
  [
    "our own address and port, a month later",
    (random) => {
      const own = ownRounds(random, 1);
      const port = Number(/port (\d+)/.exec(own.logins?.[0] ?? "")?.[1]);
      return { ...own, logins: [...(own.logins ?? []), login("root", "192.0.2.9", BASELINE + 30 * DAY, port)] };
    },
  ],
  [
    "a person who logs in now and then, among noise",
    (random) => ({
      packets: neighbours(random),
      logins: every(20 * DAY, random).map((at) =>
        login("ops", "192.0.2.79", at, whole(random, 40000, 60000), "SHA256:ops"),
      ),
    }),
  ],
];

const DOUBTS: ReadonlyArray<readonly [string, (random: Random) => Trace]> = [
  ["a gap last week", () => ({ more: [`gap=1 ${BASELINE + SPAN - 7 * DAY} ${BASELINE + SPAN - 6 * DAY}`] })],
  [
    "more peers than there was memory for",
    () => ({ parts: { denied: `in all - - 9 ${BASELINE + DAY} ${BASELINE + DAY}\n` } }),
  ],
  [
    "sums of iptables",
    () => ({ parts: { host: { backend: "iptables" }, denied: `in all - - 9 ${BASELINE + DAY} ${BASELINE + DAY}\n` } }),
  ],
  [
    "packets that went through it",
    () => ({ packets: [{ direction: "forward", protocol: 6, peer: "x", port: 1, at: BASELINE + DAY }] }),
  ],
  ["rules that another program changed", () => ({ status: { rules: "drifted" } })],
  ["a clock that was a year ahead", () => ({ parts: { host: { baseline_at: "2027-09-01T08:00:00Z" } } })],
  ["a clock that is a year behind", () => ({ parts: { host: { now: BASELINE + SPAN - 365 * DAY } } })],
  ["lines that make no sense", () => ({ parts: { denied: "in 6 192.0.2.7 80 many 1 2\n" } })],
  ["no log of logins", () => ({ parts: { sources: "" } })],
  ["only what last lists", () => ({ parts: { sources: "last 0 Tue Sep  1 08:00:00 2026\n" } })],
  [
    "names that are asked for",
    (random) => ({ packets: every(DAY, random).map((at) => udp("192.0.2.53", 53, at, "out")) }),
  ],
  ["a lock that waits for its confirm", () => ({ status: { state: "pending" } })],
  ["a lock of somebody else", () => ({ status: { owner: "5678" } })],
];

const labelled = (
  truth: Verdict,
  some: ReadonlyArray<readonly [string, (random: Random) => Trace]>,
): readonly Profile[] => some.map(([name, trace]) => ({ name, truth, trace }));

export const PROFILES: readonly Profile[] = [
  ...labelled("unused", NOISE),
  ...labelled("used", USES),
  ...labelled("ssh-only", LOGINS),
  ...labelled("unknown", DOUBTS),
];
