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
import { lockByHand } from "./by-hand";
import { median, medianRatio } from "./measure";
import { atLeast, type Part, type Section, table } from "./part";

const PORT = 2222;
/** Client and server each on a processor of their own: else it depends on where the kernel puts them. */
const PINNED = (processor: 0 | 1): readonly string[] => ["taskset", "--cpu-list", String(processor)];
const IPERF = [...PINNED(1), "iperf3", "--server", "--port", String(PORT)];
/** Many short ones: what else goes on takes turns that are longer than these, and so slows all firewalls of a round. */
const ROUNDS = { whole: 120, single: 20, latency: 20 } as const;
/** A quarter of a second of each, about. */
const MEGABYTES = { whole: 512, single: 12 } as const;
const ROUND_TRIPS = 1000;

interface Variant {
  readonly name: string;
  readonly firewall: HostFirewall;
  /** @default - no firewall */
  readonly mode?: PolicyProps["mode"];
}

const VARIANTS: readonly Variant[] = [
  { name: "none", firewall: "nftables" },
  { name: "nftables", firewall: "nftables", mode: "enforce" },
  { name: "iptables-nft", firewall: "iptables-nft", mode: "enforce" },
  { name: "iptables-legacy", firewall: "iptables-legacy", mode: "enforce" },
  { name: "observe", firewall: "nftables", mode: "observe" },
];

export const flow: Part = {
  name: "flow",
  about: "throughput and latency of an allowed flow, without a firewall and with each of ours",
  needs: ["iperf3=iperf3"],
  run: measure,
};

async function measure(): Promise<Section> {
  const lab = await Lab.create({ hosts: VARIANTS.map(({ name, firewall }) => ({ name, firewall })) });
  try {
    const open = await measureAll(lab);
    for (const { name, mode } of VARIANTS) {
      if (mode !== undefined) {
        const policy: PolicyProps = { allowFrom: controllerOnly, sshPort: PORT, mode };
        await lockByHand(lab.host(name), policy, { SKIP_PREFLIGHT: true, MODE: mode });
      }
    }
    const locked = await measureAll(lab);
    const ratio = (what: keyof Measurements, name: string): number =>
      toNone(locked[what], name) / toNone(open[what], name);
    const cell = (what: keyof Measurements, name: string, words: (value: number) => string): string =>
      `${words(median(of(locked[what], name)))} (${ratio(what, name).toFixed(3)})`;
    return {
      title: "an allowed flow",
      demands: VARIANTS.slice(1).map(({ name }) =>
        atLeast(
          `an allowed flow has at least 97 % of the throughput without a firewall: ${name}`,
          ratio("whole", name) * 100,
          97,
          " %",
        ),
      ),
      lines: [
        `A plain TCP stream to a listener on the port that the ruleset knows as that of SSH, ${ROUNDS.whole} short ones for each firewall, in`,
        "turns; each end on a processor of its own. Throughput and its ratio to the host without a firewall (median of the rounds'",
        "ratios, over the same before any host was locked, for the hosts differ by some percent): with segments as the kernel makes them, up to 64 kB, as a network card hands them over; and with every",
        `1500 bytes a packet of its own, each of which passes the rules, ${ROUNDS.single} of them. Latency: median of ${ROUND_TRIPS} round trips of a byte.`,
        "`observe` is `mode: observe` on nftables.",
        "",
        ...table(
          ["firewall", "segments of 64 kB", "packets of 1500 bytes", "round trip"],
          VARIANTS.map(({ name }) => [
            name,
            cell("whole", name, (bits) => `${(bits / 1e9).toFixed(1)} Gbit/s`),
            cell("single", name, (bits) => `${(bits / 1e9).toFixed(2)} Gbit/s`),
            cell("latency", name, (microseconds) => `${microseconds.toFixed(1)} µs`),
          ]),
        ),
      ],
    };
  } finally {
    await lab.destroy();
  }
}

type Measured = ReadonlyMap<string, readonly number[]>;
type Measurements = Readonly<Record<"whole" | "single" | "latency", Measured>>;

async function measureAll(lab: Lab): Promise<Measurements> {
  const whole = await inTurns(lab, IPERF, ROUNDS.whole, throughput(MEGABYTES.whole));
  await setSegmentation(lab, 1);
  const single = await inTurns(lab, IPERF, ROUNDS.single, throughput(MEGABYTES.single));
  await setSegmentation(lab, 65535);
  const echo = [process.execPath, join(__dirname, "../test/lab/listeners.mjs"), String(PORT)];
  const latency = await inTurns(lab, echo, ROUNDS.latency, roundTrip);
  return { whole, single, latency };
}

/** A server on each host, and then one measurement of each, again and again; whoever is first changes. */
async function inTurns(
  lab: Lab,
  server: readonly string[],
  rounds: number,
  once: (lab: Lab, host: Host) => Promise<number>,
): Promise<Measured> {
  const measured = new Map(lab.hosts.map((host) => [host.name, [] as number[]]));
  const servers = lab.hosts.map((host) => networkOf(host).spawn(server));
  try {
    await Promise.all(lab.hosts.map(listens));
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < lab.hosts.length; turn++) {
        const host = lab.hosts[(round + turn) % lab.hosts.length] as Host;
        measured.get(host.name)?.push(await once(lab, host));
      }
    }
    return measured;
  } finally {
    servers.forEach((child) => child.kill());
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

function of(measured: Measured, name: string): readonly number[] {
  return measured.get(name) ?? [];
}

function toNone(measured: Measured, name: string): number {
  return medianRatio(of(measured, name), of(measured, "none"));
}
