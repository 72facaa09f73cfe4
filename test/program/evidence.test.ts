/** Who was denied, as the host remembers it: through floods, updates and restarts of the kernel's counts. */
import { describeLab } from "../lab/describe-lab";
import { type Host, Lab, type Peer } from "../lab/lab";
import { HostProgram, hostsUnder, lockSettings, rulesetsFor, shells } from "./support";

interface Denied {
  readonly direction: string;
  readonly protocol: string;
  readonly peer: string;
  readonly port: string;
  readonly packets: number;
  readonly first: number;
  readonly last: number;
}

const ports = [25, 80, 443, 3306, 8080];

describe.each(shells)("under $name", (shell) => {
  describeLab("a host that denies", () => {
    let lab: Lab;
    let peer: Peer;
    let host: Host;
    let program: HostProgram;

    beforeAll(async () => {
      lab = await Lab.create({ hosts: hostsUnder(shell) });
      peer = await lab.peer();
    });
    afterAll(() => lab?.destroy());

    async function on(firewall: string): Promise<void> {
      host = lab.host(firewall);
      program = await HostProgram.on(host);
      await program.reset();
    }

    async function denied(): Promise<Denied[]> {
      const { stdout } = await program.run("report");
      const section = /^== denied\n([^]*?)^== sockets$/m.exec(stdout)?.[1] ?? "";
      return section
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => line.split(" "))
        .map(([direction, protocol, peerAddress, port, packets, first, last]) => ({
          direction,
          protocol,
          peer: peerAddress,
          port,
          packets: Number(packets),
          first: Number(first),
          last: Number(last),
        }));
    }

    const named = (list: readonly Denied[]): string[] =>
      list
        .filter(({ protocol }) => protocol !== "all")
        .map(
          ({ direction, protocol, peer: from, port, packets }) => `${direction} ${protocol} ${from} ${port} ${packets}`,
        )
        .sort();

    /** One SYN or datagram for each port; UDP, for the kernel repeats a SYN that is not answered. */
    const knock = (place: Peer["place"], address: string, wanted: readonly number[]): Promise<unknown> =>
      place.exec(["node", "-e", KNOCK, address, JSON.stringify(wanted)]);

    const expected = (times: number): string[] =>
      [
        ...ports.map((port) => `in 17 ${peer.ipv4} ${port} ${times}`),
        ...["192.0.2.8", "198.51.100.9"].map((address) => `out 17 ${address} 53 ${times}`),
      ].sort();

    async function attempts(): Promise<void> {
      await knock(peer.place, host.ipv4, ports);
      await host.exec('for to in 192.0.2.8 198.51.100.9; do bash -c "echo >/dev/udp/$to/53" || :; done', {
        check: false,
      });
    }

    test("remembers peers, protocols, ports, counts and times, through a flood, updates and restarts", async () => {
      await on("nftables");
      await program.lockForGood();
      const before = Math.floor(Date.now() / 1000);
      await attempts();
      const seen = await denied();
      expect(named(seen)).toEqual(expected(1));
      for (const { first, last, protocol } of seen.filter((one) => one.protocol !== "all")) {
        expect([protocol, first - before >= -1 && first <= last && last - before <= 20]).toEqual([protocol, true]);
      }

      // What the kernel counts begins anew with every load; what was kept goes on.
      await program.lockForGood({ ...rulesetsFor(22, { exceptions: [] }) });
      expect(named(await denied())).toEqual(expected(1));
      await attempts();
      expect(named(await denied())).toEqual(expected(2));

      // As a restart leaves it.
      await host.exec("nft delete table inet ssh_only_firewall");
      await program.run("boot");
      expect(named(await denied())).toEqual(expected(2));
      await attempts();
      expect(named(await denied())).toEqual(expected(3));

      const memory = async (): Promise<number> =>
        Number((await host.exec("awk '/^Slab:/ { print $2 }' /proc/meminfo")).stdout);
      const atRest = await memory();
      const others = [await lab.peer(), await lab.peer()];
      await Promise.all(others.map(({ place }) => place.exec(["node", "-e", FLOOD, host.ipv4])));
      const afterwards = await denied();
      expect(named(afterwards)).toEqual(expect.arrayContaining(expected(3)));
      const total = afterwards.find((one) => one.direction === "in" && one.protocol === "all");
      expect(total?.packets).toBeGreaterThan(100_000);
      expect(afterwards.length).toBeLessThan(5_100);
      expect((await memory()) - atRest).toBeLessThan(40_000);
      expect((await host.exec("wc -c </var/lib/ssh-only-firewall/evidence")).stdout.trim()).toMatch(/^\d{1,6}$/);
      expect(await program.status()).toMatchObject({ state: "locked", rules: "matches" });
    }, 120_000);

    test("knows a protocol without ports, and IPv6", async () => {
      await on("nftables");
      await program.lockForGood();
      await knock(peer.place, host.ipv6, [53]);
      expect(named(await denied())).toEqual([`in 17 ${peer.ipv6} 53 1`]);

      // Where IPv6 is closed, nobody finds the host any more.
      await program.lockForGood({ ...rulesetsFor(22, { allowFrom: ["10.77.0.0/24"] }) });
      await peer.place.exec("ip -6 neighbour flush dev eth0");
      await knock(peer.place, host.ipv6, [53]);
      expect(named(await denied()).join()).toMatch(new RegExp(`in 58 ${peer.ipv6} - [1-9]`));
    });

    test.each(shell.firewalls.filter((firewall) => firewall !== "nftables"))(
      "adds up directions with %s",
      async (firewall) => {
        await on(firewall);
        await program.lockForGood({ BACKEND: "iptables" });
        await attempts();
        const sums = async (): Promise<unknown> =>
          Object.fromEntries(
            (await denied()).map(({ direction, protocol, packets }) => [`${direction} ${protocol}`, packets]),
          );
        expect(await sums()).toEqual({ "in all": 5, "out all": 2 });
        await program.lockForGood({ BACKEND: "iptables", ...rulesetsFor(22, { deniedOutbound: "drop" }) });
        await attempts();
        expect(await sums()).toEqual({ "in all": 10, "out all": 4 });
      },
    );

    test("keeps nothing of it once it is unlocked", async () => {
      await on("nftables");
      await program.lockForGood();
      await attempts();
      await program.run("report");
      await program.run("unlock");
      expect(await program.stateFile("evidence")).toBeUndefined();
      expect(await denied()).toEqual([]);
    });

    test.each(shell.firewalls)("observes with %s: denies nothing, says so, and then enforces", async (firewall) => {
      await on(firewall);
      const observing = { ...rulesetsFor(22, { mode: "observe" }), MODE: "observe" };
      const backend = firewall === "nftables" ? "nftables" : "iptables";
      const settings = lockSettings({ ...observing, BACKEND: backend });
      const said = await program.lock(settings);
      expect(said.stdout).toContain("loading rules that only observe");
      expect((await program.confirm(settings)).stdout).toContain("The host is observed: nothing is denied.");
      expect(await program.status()).toMatchObject({ code: 0, state: "observed", rules: "matches" });
      expect(await lab.scanTcp(host, { ports: "22,80" })).toMatchObject({ open: [22], closed: [80] });
      const seen = (await denied()).find((one) => one.direction === "in");
      expect(seen?.packets).toBeGreaterThan(0);
      await program.lockForGood({ BACKEND: backend });
      expect(await program.status()).toMatchObject({ code: 0, state: "locked", rules: "matches" });
      expect(await lab.scanTcp(host, { ports: "22,80" })).toMatchObject({ open: [22], filteredCount: 1 });
    });
  });
});

const KNOCK = `
const [address, ports] = process.argv.slice(1);
const socket = require("node:dgram").createSocket(address.includes(":") ? "udp6" : "udp4");
const all = JSON.parse(ports).map((port) => new Promise((done) => socket.send("x", port, address, done)));
Promise.all(all).then(() => socket.close());
`;

/** A datagram for every port. */
const FLOOD = `
const [address] = process.argv.slice(1);
const socket = require("node:dgram").createSocket("udp4");
let port = 1;
function burst() {
  let left = 500;
  const next = () => { if (--left === 0) setImmediate(port > 65535 ? () => socket.close() : burst); };
  for (let i = 0; i < 500; i++) socket.send("x", Math.min(port++, 65535), address, next);
}
burst();
`;
