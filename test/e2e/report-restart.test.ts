/** What a host that boots has to report: who was denied before a flood and before a restart is not forgotten. */
import * as path from "node:path";
import { defined } from "../support/required";
import type { HostUsage } from "../../lib/report/usage-report";
import type { Host, Peer } from "../lab/lab";
import { describeBooted, type SystemOptions } from "../lab/systemd-root";
import { lockedStatus, Subject } from "./support/booted-host";
import { named, reported } from "./support/report-command";
import { eventually } from "../support/eventually";

jest.setTimeout(300_000);

const PORTS = [25, 80, 443, 3306, 8080];
const TRIED = ["192.0.2.8", "198.51.100.9"];
const FLOOD = 100_000;
/** What a host keeps on its disk, whatever comes. */
const MOST_KEPT = 5_000;
const EVIDENCE = "/var/lib/ssh-only-firewall/evidence";
const system: SystemOptions = { network: "networkd" };

describeBooted("the report of a host that boots", [system], () => {
  let subject: Subject;
  let host: Host;
  let peer: Peer;
  let first: HostUsage["denied"];

  beforeAll(async () => {
    subject = await Subject.create({ system });
    host = subject.host;
    peer = await subject.lab.peer();
    await subject.mustDeploy();
  });
  afterAll(() => subject?.lab.destroy());

  const usage = async (): Promise<HostUsage> => defined((await reported(subject.lab, subject.deployment))[0]);
  const ofPeer = ({ denied }: HostUsage): HostUsage["denied"] =>
    denied.filter((one) => (one.direction === "in" ? one.peer === peer.ipv4 : TRIED.includes(one.peer)));
  /** As the host has written it down by itself; nobody asks it for a report. */
  const kept = async (line: RegExp): Promise<void> =>
    eventually(`${EVIDENCE} has ${line}`, async () =>
      line.test((await host.exec(["cat", EVIDENCE], { check: false })).stdout),
    );

  test("lists the five ports that a peer tried and the two addresses that a program tried, with counts and times", async () => {
    const from = Date.now();
    await peer.exec(`nft 'table inet sent { chain out { type filter hook output priority 0;
      ${PORTS.map((port) => `ip daddr ${host.ipv4} tcp dport ${port} counter;`).join("\n")} }; }'`);
    await connect(PORTS);
    await connect(PORTS.slice(0, 2));
    for (const address of TRIED) {
      await host.exec(`bash -c 'echo >/dev/tcp/${address}/443' 2>/dev/null || :`);
    }
    const { stdout } = await peer.exec("nft list table inet sent");
    const sent = [...stdout.matchAll(/tcp dport (\d+) counter packets (\d+)/g)];
    expect(sent.map(([, port]) => Number(port))).toEqual(PORTS);

    await kept(/^out .*198\.51\.100\.9 443 /m);
    const found = await usage();
    first = ofPeer(found);
    expect(first.map((one) => `${named(one)}: ${one.packets}`).sort()).toEqual(
      [
        ...sent.map(([, port, packets]) => `in tcp ${peer.ipv4} ${port}: ${packets}`),
        ...TRIED.map((address) => `out tcp ${address} 443: 1`),
      ].sort(),
    );
    for (const { first: begin, last } of first) {
      const times = [from - 1000, Date.parse(begin as string), Date.parse(last as string), Date.now()];
      expect(times).toEqual([...times].sort((a, b) => a - b));
    }
    expect(found).toMatchObject({ state: "locked", asked: true, unread: [] });
  });

  test("lists them after a flood of random peers and ports, which uses no more memory than the sets allow", async () => {
    const flood = path.join(__dirname, "support/flood.pl");
    await peer.exec(["perl", flood, host.ipv4, host.ipv6, String(FLOOD), "1"]);
    const found = await usage();
    expect(ofPeer(found)).toEqual(first);
    const inbound = found.totals.find(({ direction }) => direction === "in");
    // A busy machine may drop a few frames before any firewall sees them.
    expect(inbound?.packets).toBeGreaterThan(FLOOD * 0.95);
    const inwards = found.denied.filter(({ direction }) => direction === "in").length;
    expect(inwards).toBeGreaterThan(MOST_KEPT / 2);
    expect(inwards).toBeLessThanOrEqual(MOST_KEPT);
    expect(found.denied.length - inwards).toBeLessThan(100);
    expect(await sizes()).toEqual({
      denied_in_ipv4: "4096 of 4096",
      denied_in_ipv4_others: "1024 of 1024",
      denied_in_ipv6: "4096 of 4096",
      denied_in_ipv6_others: "1024 of 1024",
      denied_out_ipv4: expect.stringMatching(/^\d+ of 4096$/),
      denied_out_ipv4_others: expect.stringMatching(/^\d+ of 1024$/),
      denied_out_ipv6: expect.stringMatching(/^\d+ of 4096$/),
      denied_out_ipv6_others: expect.stringMatching(/^\d+ of 1024$/),
    });
    // Nor does the kernel track what was dropped.
    const tracked = Number(
      (await host.exec("cat /proc/sys/net/netfilter/nf_conntrack_count 2>/dev/null || echo 0")).stdout,
    );
    expect(tracked).toBeLessThan(1000);
    expect(Number((await host.exec(`wc -c <${EVIDENCE}`)).stdout)).toBeLessThan(500_000);
    expect(await subject.status()).toMatchObject(lockedStatus);
  });

  test("lists them after a power cut, and keeps counting", async () => {
    const { since } = await usage();
    await subject.reboot("power cut");
    const found = await usage();
    // Closed before it had a network: no time in between is left out.
    expect(found).toMatchObject({ since, gaps: [] });
    expect(ofPeer(found)).toEqual(first);
    expect(found.totals.find(({ direction }) => direction === "in")?.packets).toBeGreaterThan(FLOOD * 0.95);
    await connect(PORTS);
    const again = ofPeer(await usage());
    expect(again.map(named).sort()).toEqual(first.map(named).sort());
    for (const one of again) {
      const before = first.find((other) => named(other) === named(one));
      expect(one.first).toBe(before?.first);
      expect(one.packets > (before?.packets ?? NaN)).toBe(one.direction === "in");
    }
  });

  test("lists packets from the last seconds before a shutdown", async () => {
    const denied = async (): Promise<string> => (await host.exec(["cat", EVIDENCE])).stdout;
    const before = await denied();
    await connect(PORTS.slice(0, 1));
    // The guard has just looked, and looks again in five seconds.
    await eventually("the guard has written it down", async () => (await denied()) !== before);
    const packets = (found: HostUsage): number =>
      ofPeer(found).find(({ port, direction }) => direction === "in" && port === PORTS[4])?.packets ?? NaN;
    const until = Number(/^in 6 \S+ 8080 (\d+)/m.exec(await denied())?.[1]);
    await connect(PORTS.slice(4));
    await subject.reboot("clean");
    expect(packets(await usage())).toBeGreaterThan(until);
  });

  /** One connection to each of the ports, given up soon. */
  const connect = (ports: readonly number[]): Promise<unknown> =>
    peer.exec([process.execPath, "-e", CONNECT, host.ipv4, JSON.stringify(ports)]);

  /** Of each set how many members it has, and how many it may have. */
  async function sizes(): Promise<Record<string, string>> {
    const { stdout } = await host.exec("nft -j list table inet ssh_only_firewall");
    const { nftables } = JSON.parse(stdout) as {
      nftables: ReadonlyArray<{ set?: { name: string; size: number; elem?: readonly unknown[] } }>;
    };
    return Object.fromEntries(
      nftables.flatMap(({ set }) => (set === undefined ? [] : [[set.name, `${set.elem?.length ?? 0} of ${set.size}`]])),
    );
  }
});

const CONNECT = `
const [address, ports] = process.argv.slice(1);
for (const port of JSON.parse(ports)) {
  const socket = require("node:net").connect({ host: address, port });
  socket.on("error", () => undefined);
  setTimeout(() => socket.destroy(), 600);
}
`;
