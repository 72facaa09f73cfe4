/** A flood of packets that are denied: what each costs, what they leave in memory, and whether SSH still lets one in. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { controllerOnly } from "../test/e2e/support/deployment";
import { type Host, type HostFirewall, Lab, type Peer } from "../test/lab/lab";
import { lockByHand } from "./by-hand";
import { median, timed } from "./measure";
import { atMost, type Part, type Section, shown, table } from "./part";

const PACKETS = 300_000;
const ROUNDS = 5;
const PACKETS_DURING_LOGINS = 1_000_000;

interface Variant {
  readonly name: string;
  readonly firewall: HostFirewall;
  readonly lock: (host: Host) => Promise<unknown>;
}

/** The shortest ruleset of nftables that closes a host to all but SSH; it remembers and counts nothing. */
const BARE = `
table inet bare {
  chain in {
    type filter hook input priority 0; policy drop;
    iif lo accept
    tcp dport 22 accept
  }
}
`;

const locked = (firewall: HostFirewall): Variant => ({
  name: firewall,
  firewall,
  lock: (host) => lockByHand(host, { allowFrom: controllerOnly }),
});

const VARIANTS: readonly Variant[] = [
  { name: "none", firewall: "nftables", lock: () => Promise.resolve() },
  { name: "drop", firewall: "nftables", lock: (host) => host.exec("nft -f -", { input: BARE }) },
  ...(["nftables", "iptables-nft", "iptables-legacy"] as const).map(locked),
];

export const flood: Part = {
  name: "flood",
  about: "a flood of denied packets: processor time, memory, and SSH logins during it",
  run: measure,
};

async function measure(): Promise<Section> {
  const lab = await Lab.create({ hosts: VARIANTS.map(({ name, firewall }) => ({ name, firewall })) });
  try {
    const stranger = await lab.peer();
    await Promise.all(VARIANTS.map(({ name, lock }) => lock(lab.host(name))));
    const memory = new Map<string, number>();
    const perPacket = new Map(VARIANTS.map(({ name }) => [name, [] as number[]]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const { name } of VARIANTS) {
        const before = kernelMemory();
        const { busy } = await send(stranger, lab.host(name), PACKETS);
        // The first flood fills what is there to be filled.
        memory.set(name, memory.get(name) ?? kernelMemory() - before);
        perPacket.get(name)?.push((busy / PACKETS) * 1e6);
      }
    }
    const logins = new Map<string, readonly number[]>();
    for (const { name } of VARIANTS.filter(({ name }) => name !== "none")) {
      logins.set(name, await loginsDuringFlood(stranger, lab.host(name)));
    }
    const slowest = Math.max(...[...logins].filter(([name]) => name !== "drop").flatMap(([, seconds]) => seconds));
    const none = median(perPacket.get("none") ?? []);
    return {
      title: "a flood of denied packets",
      demands: [atMost("an SSH login succeeds within 2 s throughout a flood", slowest, 2, " s at most")],
      lines: [
        `UDP from random addresses to random ports, as fast as one process can send it: ${ROUNDS} times ${PACKETS.toLocaleString("en")} packets to each host, in`,
        "turns. Processor time of the whole machine for each packet, sending it included (median); kernel memory (slab) that",
        `is in use after the first flood and was not before; and SSH logins, one after the other, while ${PACKETS_DURING_LOGINS.toLocaleString("en")} packets are sent.`,
        "`drop` is the shortest ruleset of nftables that closes a host to all but SSH; `none` answers each packet with an ICMP",
        "error.",
        "",
        ...table(
          ["firewall", "processor time a packet", "memory", "logins: number, median, slowest"],
          VARIANTS.map(({ name }) => {
            const microseconds = median(perPacket.get(name) ?? []);
            const seconds = logins.get(name) ?? [];
            return [
              name,
              `${microseconds.toFixed(2)} µs (${shown(microseconds / none)})`,
              `${((memory.get(name) ?? 0) / 1024).toFixed(1)} MB`,
              seconds.length === 0
                ? ""
                : `${seconds.length}, ${shown(median(seconds))} s, ${shown(Math.max(...seconds))} s`,
            ];
          }),
        ),
      ],
    };
  } finally {
    await lab.destroy();
  }
}

async function send(from: Peer, host: Host, packets: number): Promise<{ seconds: number; busy: number }> {
  const command = ["perl", join(__dirname, "traffic/flood.pl"), host.ipv4, String(packets)];
  const { stdout } = await from.exec(command, { timeoutSeconds: 120 });
  const [seconds = 0, busy = 0] = stdout.trim().split(" ").map(Number);
  return { seconds, busy };
}

/** A login that fails throws. */
async function loginsDuringFlood(stranger: Peer, host: Host): Promise<number[]> {
  let isOver = false;
  const flooding = send(stranger, host, PACKETS_DURING_LOGINS).finally(() => (isOver = true));
  const logins: number[] = [];
  while (!isOver) {
    logins.push(await timed(() => host.ssh("true")));
  }
  await flooding;
  return logins;
}

/** In kilobytes. */
function kernelMemory(): number {
  return Number(/^SUnreclaim: *(\d+)/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1]);
}
