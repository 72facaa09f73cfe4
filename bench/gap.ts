/** Whether an allowed flow loses packets while a host is locked, gets another ruleset, and is unlocked. */
import { join } from "node:path";
import { PolicyException } from "../lib/index";
import { CountingSession } from "../test/e2e/support/ssh-sessions";
import { controllerOnly } from "../test/e2e/support/deployment";
import { eventually } from "../test/support/eventually";
import { networkOf } from "../test/e2e/support/attempts";
import { firstLine } from "../test/lab/host";
import { type Host, type HostFirewall, Lab, listenerPorts, type Place } from "../test/lab/lab";
import { lockByHand, unlockByHand } from "./by-hand";
import { type Part, type Section, table } from "./part";

const ROUNDS = 20;
const FIREWALLS: readonly HostFirewall[] = ["nftables", "iptables-nft", "iptables-legacy"];
const [UDP_PORT = 0] = listenerPorts.udp;

const exceptions = [PolicyException.ingress({ from: "10.77.0.1", port: UDP_PORT, protocol: "udp" })];
const POLICIES = [
  { allowFrom: controllerOnly, exceptions },
  { allowFrom: [...controllerOnly, "192.0.2.0/24"], exceptions },
];

export const gap: Part = {
  name: "gap",
  about: "packets of allowed flows that are lost in lock, update and unlock",
  run: measure,
};

async function measure(): Promise<Section> {
  const lab = await Lab.create({ hosts: FIREWALLS.map((firewall) => ({ name: firewall, firewall, listeners: true })) });
  try {
    const rows: string[][] = [];
    let lost = 0;
    for (const host of lab.hosts) {
      const seen = await lockAndUnlock(lab, host);
      lost += seen.lostBytes + seen.retransmitted + seen.lostDatagrams;
      rows.push([
        host.name,
        `${seen.segments}`,
        `${seen.retransmitted}`,
        `${seen.lostBytes}`,
        `${seen.datagrams}`,
        `${seen.lostDatagrams}`,
      ]);
    }
    return {
      title: "the gap",
      demands: [{ what: "0 packets lost in lock, update and unlock", measured: `${lost} lost`, holds: lost === 0 }],
      lines: [
        `${ROUNDS} times lock, update and unlock, each confirmed, while an SSH session streams numbers both ways, and a numbered`,
        "datagram goes every millisecond to an echo that an exception allows. TCP would hide a lost packet, so what it sent",
        "twice is counted, in the kernels of both ends.",
        "",
        ...table(["firewall", "SSH: segments", "sent twice", "bytes lost", "datagrams", "lost (there or back)"], rows),
      ],
    };
  } finally {
    await lab.destroy();
  }
}

async function lockAndUnlock(lab: Lab, host: Host) {
  const ends = [lab.controller, networkOf(host)];
  const session = CountingSession.open(host);
  const program = join(__dirname, "traffic/datagrams.mjs");
  const sender = lab.controller.spawn([process.execPath, program, host.ipv4, String(UDP_PORT)]);
  await firstLine(sender, "ready");
  await eventually("the session is under way", () => session.progress > 0);
  const before = await Promise.all(ends.map(tcpCounters));
  for (let round = 0; round < ROUNDS; round++) {
    for (const policy of POLICIES) {
      await lockByHand(host, policy);
    }
    await unlockByHand(host);
  }
  const after = await Promise.all(ends.map(tcpCounters));
  const { lost, wrong } = await session.finish();
  if (wrong !== undefined) {
    throw new Error(wrong);
  }
  const sum = (name: string): number =>
    ends.reduce((total, _, end) => total + (after[end]?.[name] ?? 0) - (before[end]?.[name] ?? 0), 0);
  const datagrams = await told(sender);
  return {
    segments: sum("OutSegs"),
    retransmitted: sum("RetransSegs"),
    lostBytes: lost,
    datagrams: datagrams.sent,
    lostDatagrams: datagrams.lost,
  };
}

async function told(sender: ReturnType<Place["spawn"]>): Promise<{ sent: number; lost: number }> {
  let text = "";
  sender.stdout?.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const gone = new Promise((resolve) => sender.once("close", resolve));
  sender.stdin?.end();
  await gone;
  return JSON.parse(text) as { sent: number; lost: number };
}

/** By name, of the network of that place. */
async function tcpCounters(place: Place): Promise<Record<string, number>> {
  const { stdout } = await place.exec("grep ^Tcp: /proc/net/snmp");
  const [names = [], values = []] = stdout.split("\n").map((line) => line.split(" ").slice(1));
  return Object.fromEntries(names.map((name, index) => [name, Number(values[index])]));
}
