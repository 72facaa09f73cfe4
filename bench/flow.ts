/**
 * What the ruleset costs a flow that it allows. The flow is a plain TCP stream to a listener on the port that the ruleset
 * knows as that of SSH: through sshd, encryption would hide what a packet costs. Client and host share this machine, so
 * that the processors are busy throughout, and every instruction of the firewall is paid for in throughput.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PolicyProps } from "../lib/policy/policy";
import { type Host, type HostFirewall, Lab } from "../test/lab/lab";
import { controllerOnly } from "../test/e2e/support/deployment";
import { eventually } from "../test/support/eventually";
import { networkOf } from "../test/e2e/support/attempts";
import { lockByHand, unlockByHand } from "./by-hand";
import { median, medianRatio } from "./measure";
import { atLeast, type Part, type Section, table } from "./part";

const PORT = 2222;
/** Client and server each on a processor of its own: else it depends on where the kernel puts them. */
const PINNED = (processor: 0 | 1): readonly string[] => ["taskset", "--cpu-list", String(processor)];
const IPERF = [...PINNED(1), "iperf3", "--server", "--one-off", "--port", String(PORT)];
const ECHO = [process.execPath, join(__dirname, "../test/lab/listeners.mjs"), String(PORT)];
const WINDOWS = { whole: 400, single: 150 } as const;
const ROUNDS = 12;
const ROUND_TRIPS = 1000;

/** What an allowed flow has to pass. */
interface Variant {
  readonly name: string;
  readonly firewall: HostFirewall;
  readonly close: (host: Host) => Promise<unknown>;
  readonly open: (host: Host) => Promise<unknown>;
  /** Both again and again, at once and without what a lock has to do besides: commands on the host's network. */
  readonly again: (host: Host, lab: Lab) => Promise<{ readonly close: string; readonly open: string }>;
}

function ours(name: string, firewall: HostFirewall, mode: PolicyProps["mode"] = "enforce"): Variant {
  const policy: PolicyProps = { allowFrom: controllerOnly, sshPort: PORT, mode };
  const settings = { SKIP_PREFLIGHT: true, MODE: mode };
  const close = (host: Host): Promise<unknown> => lockByHand(host, policy, settings);
  return { name, firewall, close, open: unlockByHand, again: AGAIN[firewall] };
}

/** Of a host that is locked. */
const AGAIN: Readonly<Record<HostFirewall, Variant["again"]>> = {
  nftables: async (host, lab) => ({
    close: `nft -f ${await kept(lab, host, "cat /var/lib/ssh-only-firewall/records/*/nftables")}`,
    open: gone("inet ssh_only_firewall"),
  }),
  "iptables-nft": async (host, lab) => ({
    close: `iptables-nft-restore ${await kept(lab, host, "iptables-nft-save -t filter")}`,
    open: gone("ip filter"),
  }),
  "iptables-legacy": async (host, lab) => ({
    close: `iptables-legacy-restore ${await kept(lab, host, "iptables-legacy-save -t filter")}`,
    open: "printf '*filter\\nCOMMIT\\n' | iptables-legacy-restore",
  }),
};

/** Also where it is gone already. */
function gone(table: string): string {
  return `nft 'table ${table}; delete table ${table}'`;
}

/** What a command prints on the host, in a file of this machine. */
async function kept(lab: Lab, host: Host, command: string): Promise<string> {
  const file = join(lab.makeFolder("rules"), host.name);
  writeFileSync(file, (await host.exec(command)).stdout);
  return file;
}

/** Commands that are the same everywhere. */
function beside(name: string, close: string, open: string): Variant {
  const exec =
    (command: string) =>
    (host: Host): Promise<unknown> =>
      host.exec(command);
  return { name, firewall: "nftables", close: exec(close), open: exec(open), again: async () => ({ close, open }) };
}

/** As little as a firewall can do that knows the connections. */
const TRACKING = `nft -f - <<'END'
table inet tracking
delete table inet tracking
table inet tracking {
  chain input { type filter hook input priority -10
    ct state established accept
  }
  chain output { type filter hook output priority -10
    ct state established accept
  }
}
END`;

const VARIANTS: readonly Variant[] = [
  ours("nftables", "nftables"),
  ours("iptables-nft", "iptables-nft"),
  ours("iptables-legacy", "iptables-legacy"),
  ours("observe", "nftables", "observe"),
];
const ALL = [
  ...VARIANTS,
  beside("no firewall either", ":", ":"),
  beside("connection tracking alone", TRACKING, gone("inet tracking")),
];

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
    const whole = await throughput(lab, WINDOWS.whole);
    await setSegmentation(lab, 1);
    const single = await throughput(lab, WINDOWS.single);
    await setSegmentation(lab, 65535);
    const latency = await roundTrips(lab);
    const bits = (digits: number, { closed, open }: Pairs): string =>
      `${((undisturbed(closed) * 8) / 1e9).toFixed(digits)} Gbit/s (${ratioOf({ closed, open }).toFixed(3)})`;
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
        `While it runs, the host is closed and opened in turns, ${WINDOWS.whole} times each, and what arrives is counted for some`,
        "hundredths of a second. Of these windows nine in ten are slower than what stands here, beside its ratio to the same without",
        "the firewall: machines like this one slow down for tenths of a second, by a fifth and more, whatever runs on them. With",
        `segments as the kernel makes them, up to 64 kB, as a network card hands them over; and with every 1500 bytes a packet of its`,
        `own, ${WINDOWS.single} windows. Latency: median of ${ROUND_TRIPS} round trips of a byte, ${ROUNDS} times each. \`observe\` is`,
        "`mode: observe` on nftables. No firewall either is what this way of measuring makes of two equal hosts, and connection",
        "tracking alone is a table of nftables with `ct state established accept`.",
        "",
        ...table(
          ["firewall", "segments of 64 kB", "packets of 1500 bytes", "round trip"],
          ALL.map(({ name }, index) => {
            const { closed, open } = latency[index] as Pairs;
            return [
              name,
              bits(1, whole[index] as Pairs),
              bits(2, single[index] as Pairs),
              `${median(closed).toFixed(1)} µs (${medianRatio(closed, open).toFixed(3)})`,
            ];
          }),
        ),
      ],
    };
  } finally {
    await lab.destroy();
  }
}

/** Of one host: what was measured in each turn. */
interface Pairs {
  readonly open: readonly number[];
  readonly closed: readonly number[];
}

/** What a tenth of the windows reach. */
const undisturbed = (rates: readonly number[]): number =>
  [...rates].sort((a, b) => a - b)[Math.floor(rates.length * 0.9)] as number;

const ratioOf = ({ open, closed }: Pairs): number => undisturbed(closed) / undisturbed(open);

/** Of each variant, in bytes a second. */
async function throughput(lab: Lab, windows: number): Promise<readonly Pairs[]> {
  const measured: Pairs[] = [];
  for (const [index, variant] of ALL.entries()) {
    const host = lab.hosts[index] as Host;
    await variant.close(host);
    const { close, open } = await variant.again(host, lab);
    await variant.open(host);
    measured.push(
      await withServer(host, IPERF, async () => {
        const options = ["--port", String(PORT), "--time", "3600"];
        const client = lab.controller.spawn([...PINNED(0), "iperf3", "--client", host.ipv4, ...options]);
        try {
          await eventually("the flow is under way", () => flows(host));
          const program = join(__dirname, "traffic/windows.mjs");
          const argv = [...PINNED(0), process.execPath, program, "eth0", String(windows), open, close];
          const { stdout } = await networkOf(host).exec(argv, { timeoutSeconds: 600 });
          const [whileOpen, closed] = JSON.parse(stdout) as readonly [number[], number[]];
          return { open: whileOpen, closed };
        } finally {
          client.kill();
        }
      }),
    );
    await networkOf(host).exec(open);
  }
  return measured;
}

async function flows(host: Host): Promise<boolean> {
  const command = `ss -Htn state established sport = :${PORT} | grep -q .`;
  return (await networkOf(host).exec(command, { check: false })).code === 0;
}

/** Of each variant, in microseconds: in turns, and which is first changes. */
async function roundTrips(lab: Lab): Promise<readonly Pairs[]> {
  const measured = ALL.map(() => ({ open: [] as number[], closed: [] as number[] }));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, { open, close }] of ALL.entries()) {
      const host = lab.hosts[index] as Host;
      const one = (): Promise<number> => withServer(host, ECHO, () => roundTrip(lab, host));
      const { open: whileOpen, closed } = measured[index] as (typeof measured)[number];
      if (round % 2 === 0) {
        whileOpen.push(await one());
      }
      await close(host);
      closed.push(await one());
      await open(host);
      if (round % 2 === 1) {
        whileOpen.push(await one());
      }
    }
  }
  return measured;
}

async function withServer<T>(host: Host, server: readonly string[], measured: () => Promise<T>): Promise<T> {
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
