/**
 * What the ruleset costs a flow that it allows. The flow is a plain TCP stream to a listener on the port that the ruleset
 * knows as that of SSH: through sshd, encryption would hide what a packet costs. Client and host share this machine, so
 * that the processors are busy throughout, and every instruction of the firewall is paid for in throughput.
 */
import { join } from "node:path";
import type { PolicyProps } from "../lib/policy/policy";
import { type Host, type HostFirewall, Lab } from "../test/lab/lab";
import { controllerOnly, eventually } from "../test/e2e/support";
import { networkOf } from "../test/e2e/traffic-probe";
import { lockByHand, unlockByHand } from "./by-hand";
import { median, medianRatio } from "./measure";
import { atLeast, type Part, type Section, table } from "./part";

const PORT = 2222;
/** Client and server each on a processor of its own: else it depends on where the kernel puts them. */
const PINNED = (processor: 0 | 1): readonly string[] => ["taskset", "--cpu-list", String(processor)];
const IPERF = [...PINNED(1), "iperf3", "--server", "--one-off", "--port", String(PORT)];
const ECHO = [process.execPath, join(__dirname, "../test/lab/listeners.mjs"), String(PORT)];
/** Many short ones: what else goes on takes turns that are longer than these, and so slows both of a pair. */
const ROUNDS = { whole: 60, single: 30, latency: 12 } as const;
/** A quarter of a second of each, about. */
const MEGABYTES = { whole: 512, single: 12 } as const;
const ROUND_TRIPS = 1000;

/** What an allowed flow has to pass. */
interface Variant {
  readonly name: string;
  readonly firewall: HostFirewall;
  readonly close: (host: Host) => Promise<unknown>;
  readonly open: (host: Host) => Promise<unknown>;
}

function ours(name: string, firewall: HostFirewall, mode: PolicyProps["mode"] = "enforce"): Variant {
  const policy: PolicyProps = { allowFrom: controllerOnly, sshPort: PORT, mode };
  const settings = { SKIP_PREFLIGHT: true, MODE: mode };
  return { name, firewall, close: (host) => lockByHand(host, policy, settings), open: unlockByHand };
}

/** As little as a firewall can do that knows the connections. */
const TRACKING = `
table inet tracking {
  chain input { type filter hook input priority -10
    ct state established accept
  }
  chain output { type filter hook output priority -10
    ct state established accept
  }
}`;

const VARIANTS: readonly Variant[] = [
  ours("nftables", "nftables"),
  ours("iptables-nft", "iptables-nft"),
  ours("iptables-legacy", "iptables-legacy"),
  ours("observe", "nftables", "observe"),
];
const nothing = (): Promise<void> => Promise.resolve();
const BESIDE: readonly Variant[] = [
  { name: "no firewall either", firewall: "nftables", close: nothing, open: nothing },
  {
    name: "connection tracking alone",
    firewall: "nftables",
    close: (host) => host.exec("nft -f -", { input: TRACKING }),
    open: (host) => host.exec("nft delete table inet tracking"),
  },
];
const ALL = [...VARIANTS, ...BESIDE];

export const flow: Part = {
  name: "flow",
  about: "throughput and latency of an allowed flow, without a firewall and with each of ours",
  needs: ["iperf3=iperf3"],
  run: measure,
};

async function measure(): Promise<Section> {
  const lab = await Lab.create({
    hosts: ALL.map(({ name, firewall }) => ({ name: name.replace(/ /g, "-"), firewall })),
  });
  try {
    const whole = await inTurns(lab, IPERF, ROUNDS.whole, throughput(MEGABYTES.whole));
    await setSegmentation(lab, 1);
    const single = await inTurns(lab, IPERF, ROUNDS.single, throughput(MEGABYTES.single));
    await setSegmentation(lab, 65535);
    const latency = await inTurns(lab, ECHO, ROUNDS.latency, roundTrip);
    const all = { whole, single, latency };
    const cells = (words: (what: keyof typeof all, write: (value: number) => string) => string): readonly string[] => [
      words("whole", (bits) => `${(bits / 1e9).toFixed(1)} Gbit/s`),
      words("single", (bits) => `${(bits / 1e9).toFixed(2)} Gbit/s`),
      words("latency", (microseconds) => `${microseconds.toFixed(1)} µs`),
    ];
    return {
      title: "an allowed flow",
      demands: VARIANTS.map(({ name }, index) =>
        atLeast(
          `an allowed flow has at least 97 % of the throughput without a firewall: ${name}`,
          ratioOf(whole[index] as Pairs) * 100,
          97,
          " %",
        ),
      ),
      lines: [
        "A plain TCP stream to a listener on the port that the ruleset knows as that of SSH; each end on a processor of its own.",
        `${ROUNDS.whole} short ones for each firewall, in turns, and as many to the same host before it is locked or after it was unlocked;`,
        "the median, and that of the ratios: with segments as the kernel makes them, up to 64 kB, as a network card hands them",
        `over; and with every 1500 bytes a packet of its own, ${ROUNDS.single} of them. Latency: median of ${ROUND_TRIPS} round trips of a byte. \`observe\``,
        "is `mode: observe` on nftables. No firewall either is what this way of measuring makes of two equal hosts, and connection",
        "tracking alone is a table of nftables with `ct state established accept`.",
        "",
        ...table(
          ["firewall", "segments of 64 kB", "packets of 1500 bytes", "round trip"],
          [
            ["none", ...cells((what, write) => write(median(all[what].flatMap(({ open }) => open))))],
            ...ALL.map(({ name }, index) => [
              name,
              ...cells((what, write) => {
                const pairs = all[what][index] as Pairs;
                return `${write(median(pairs.closed))} (${ratioOf(pairs).toFixed(3)})`;
              }),
            ]),
          ],
        ),
      ],
    };
  } finally {
    await lab.destroy();
  }
}

/** Of one host: what was measured in each round. */
interface Pairs {
  readonly open: number[];
  readonly closed: number[];
}

const ratioOf = ({ open, closed }: Pairs): number => medianRatio(closed, open);

/** For each variant, in their order: both measurements, one after the other, again and again; which is first changes. */
async function inTurns(
  lab: Lab,
  server: readonly string[],
  rounds: number,
  once: (lab: Lab, host: Host) => Promise<number>,
): Promise<readonly Pairs[]> {
  const measured = ALL.map((): Pairs => ({ open: [], closed: [] }));
  for (let round = 0; round < rounds; round++) {
    for (const [index, { open, close }] of ALL.entries()) {
      const host = lab.hosts[index] as Host;
      const one = (): Promise<number> => withServer(host, server, () => once(lab, host));
      const { open: before, closed } = measured[index] as Pairs;
      const whileOpen = async (): Promise<unknown> => before.push(await one());
      if (round % 2 === 0) {
        await whileOpen();
      }
      await close(host);
      closed.push(await one());
      await open(host);
      if (round % 2 === 1) {
        await whileOpen();
      }
    }
  }
  return measured;
}

async function withServer(host: Host, server: readonly string[], measured: () => Promise<number>): Promise<number> {
  const child = networkOf(host).spawn(server);
  try {
    await listens(host);
    return await measured();
  } finally {
    child.kill();
  }
}

function listens(host: Host): Promise<void> {
  const command = `ss -Hltn sport = :${PORT} | grep -q .`;
  const ask = async (): Promise<boolean> => (await networkOf(host).exec(command, { check: false })).code === 0;
  return eventually(`${host.name} listens on port ${PORT}`, ask);
}

const throughput =
  (megabytes: number) =>
  async (lab: Lab, host: Host): Promise<number> => {
    const options = ["--port", String(PORT), "--bytes", `${megabytes}M`, "--json"];
    const { stdout } = await lab.controller.exec([...PINNED(0), "iperf3", "--client", host.ipv4, ...options]);
    return (JSON.parse(stdout) as { end: { sum_received: { bits_per_second: number } } }).end.sum_received
      .bits_per_second;
  };

async function roundTrip(lab: Lab, host: Host): Promise<number> {
  const program = join(__dirname, "traffic/round-trips.mjs");
  const { stdout } = await lab.controller.exec([
    process.execPath,
    program,
    host.ipv4,
    String(PORT),
    String(ROUND_TRIPS),
  ]);
  return Number(stdout);
}

/** How many packets the kernel may join while they are on their way, at both ends. */
async function setSegmentation(lab: Lab, packets: number): Promise<void> {
  const set = (device: string): string => `ip link set dev ${device} gso_max_segs ${packets}`;
  await lab.controller.exec([set("br0"), ...lab.hosts.map((host) => set(host.port))].join("\n"));
  await Promise.all(lab.hosts.map((host) => networkOf(host).exec(set("eth0"))));
}
