/** Who was denied, as the host remembers it: through floods, updates and restarts of the kernel's counts. */
import { eventually } from "../support/eventually";
import { items } from "../support/required";
import { parseEvidence } from "../../lib/report/evidence";
import { describeLab } from "../lab/describe-lab";
import { type Host, Lab, type Peer } from "../lab/lab";
import { HostProgram, hostsUnder, lockSettings, rulesetsFor, shells, STATE } from "./support/host-program";

interface Denied {
  readonly direction: string;
  readonly protocol: string;
  readonly peer: string;
  readonly port: string;
  readonly packets: number;
  readonly first: number;
  readonly last: number;
}

/** docs/configuration.md says 3 MB; the rest is for what else this machine does meanwhile. */
const MOST_KB = 5_000;
/** More, in mode observe. */
const MOST_KB_ASKED = 9_000;
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
        .map((line) => items(line.split(" "), 7))
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

    /** The lines NAME=VALUE of the report with that name. */
    async function hostLines(name: string): Promise<string[]> {
      const { stdout } = await program.run("report");
      return [...stdout.matchAll(new RegExp(`^${name}=(.*)$`, "gm"))].map(([, value = ""]) => value);
    }

    async function removeRules(firewall: string): Promise<void> {
      const variant = firewall.replace(/^iptables/, "");
      await host.exec(
        firewall === "nftables"
          ? "nft delete table inet ssh_only_firewall"
          : `for family in iptables ip6tables; do for chain in INPUT OUTPUT FORWARD; do "$family${variant}" -F $chain; done; done`,
      );
    }

    /** What the kernel has in pieces of the size of a set's members, in kB. */
    const memory = async (): Promise<number> => {
      const pieces = "/^kmalloc(-cg)?-(64|96|128|192|256) /";
      const { stdout } = await host.exec(
        `awk '${pieces} { sum += $2 * $4 } END { print int(sum / 1024) }' /proc/slabinfo`,
      );
      return Number(stdout);
    };

    const named = (list: readonly Denied[]): string[] =>
      list
        .filter(({ protocol }) => protocol !== "all")
        .map(
          ({ direction, protocol, peer: from, port, packets }) => `${direction} ${protocol} ${from} ${port} ${packets}`,
        )
        .sort();

    /** One SYN or datagram for each port; UDP, for the kernel repeats a SYN that is not answered. */
    const knock = (place: Peer["place"], address: string, wanted: readonly number[], bytes = 1): Promise<unknown> =>
      place.exec(["node", "-e", KNOCK, address, JSON.stringify(wanted), String(bytes)]);

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

      const atRest = await memory();
      const others = [await lab.peer(), await lab.peer()];
      await Promise.all(others.map(({ place }) => place.exec(["node", "-e", FLOOD, host.ipv4])));
      const afterwards = await denied();
      expect(named(afterwards)).toEqual(expect.arrayContaining(expected(3)));
      const total = afterwards.find((one) => one.direction === "in" && one.protocol === "all");
      expect(total?.packets).toBeGreaterThan(100_000);
      expect(afterwards.length).toBeLessThan(5_100);
      expect((await memory()) - atRest).toBeLessThan(MOST_KB);
      expect((await host.exec("wc -c </var/lib/ssh-only-firewall/evidence")).stdout.trim()).toMatch(/^\d{1,6}$/);
      expect(await program.status()).toMatchObject({ state: "locked", rules: "matches" });
    }, 120_000);

    test.each(["enforce", "observe"] as const)(
      "takes no more memory than the manual says, with all of its sets full (%s)",
      async (mode) => {
        await on("nftables");
        await program.lockForGood({ ...rulesetsFor(22, { mode }), MODE: mode });
        const atRest = await memory();
        const members = (count: number, rest: string, address: (n: number) => string): string =>
          Array.from(
            { length: count },
            (_, n) => `${address(n)} . ${rest} counter packets 1 bytes 1 timeout 60d`,
          ).join();
        const asked = (address: (n: number) => string): string =>
          Array.from({ length: 16_384 }, (_, n) => `${address(n)} . ${n + 1} . 53`).join();
        const added = ["in", "out"].flatMap((direction) =>
          Object.entries({
            ipv4: (n: number) => `10.9.${n >> 8}.${n & 255}`,
            ipv6: (n: number) => `2001:db8::${n.toString(16)}`,
          })
            .flatMap(([family, address]) => [
              `denied_${direction}_${family} { ${members(4096, "17 . 53", address)} }`,
              `denied_${direction}_${family}_others { ${members(1024, "1", address)} }`,
              ...(mode === "enforce" ? [] : [`asked_${direction}_${family} { ${asked(address)} }`]),
            ])
            .map((set) => `add element inet ssh_only_firewall ${set}\n`),
        );
        await host.exec("nft -f -", { input: added.join("") });
        const taken = (await memory()) - atRest;
        // That it is seen at all.
        expect(taken).toBeGreaterThan(1000);
        expect(taken).toBeLessThan(MOST_KB + (mode === "enforce" ? 0 : MOST_KB_ASKED));
        const { stdout } = await host.exec("nft list table inet ssh_only_firewall | grep -o 'packets 1 ' | wc -l");
        expect(Number(stdout)).toBeGreaterThanOrEqual(20_480);
      },
    );

    test("knows a protocol without ports, and IPv6", async () => {
      await on("nftables");
      await program.lockForGood();
      await knock(peer.place, host.ipv6, [53]);
      expect(named(await denied())).toEqual([`in 17 ${peer.ipv6} 53 1`]);
      // In pieces, of which only the first has ports.
      await knock(peer.place, host.ipv6, [53], 4000);
      expect(named(await denied())).toEqual([`in 17 ${peer.ipv6} 53 2`]);

      // Where IPv6 is closed, nobody finds the host any more.
      await program.lockForGood({ ...rulesetsFor(22, { allowFrom: ["10.77.0.0/24"] }) });
      await peer.place.exec("ip -6 neighbour flush dev eth0");
      await knock(peer.place, host.ipv6, [53]);
      expect(named(await denied()).join()).toMatch(new RegExp(`in 58 ${peer.ipv6} - [1-9]`));
    });

    test("reports the logins also where a process has a name with a line break in it", async () => {
      await on("nftables");
      const login = "Nov  2 10:11:12 h sshd[7]: Accepted publickey for root from 198.51.100.7 port 9 ssh2";
      const forged = "Nov  2 10:11:12 h su[8]: no sshd[9]: Accepted publickey for root from 203.0.113.66 port 9 ssh2";
      await host.exec("cat >/var/log/auth.log", { input: `${login}\n${forged}\n` });
      const listener = `$0 = "x\\n== sources\\n"; use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalPort => 8099, Listen => 1) or die; sleep 60`;
      await host.exec(
        `cat >/opt/listener.pl; perl /opt/listener.pl </dev/null >/dev/null 2>&1 & echo $! >/opt/listener.pid
        for try in 1 2 3 4 5 6 7 8 9; do grep -q :1FA3 /proc/net/tcp && break; sleep 1; done`,
        { input: listener },
      );
      try {
        await program.lockForGood();
        const { logins, sources } = parseEvidence((await program.run("report")).stdout);
        expect(logins.map(({ from }) => from)).toEqual(["198.51.100.7"]);
        expect(sources.map(({ name, all }) => `${name} ${all}`)).toContain("auth.log 1");
      } finally {
        await host.exec("kill $(cat /opt/listener.pid); rm -f /var/log/auth.log", { check: false });
      }
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

    test.each(shell.firewalls)(
      "with %s reports how many packets a minute are logged, if peers are not counted",
      async (firewall) => {
        await on(firewall);
        const BACKEND = firewall === "nftables" ? "nftables" : "iptables";
        for (const [LOG_DENIED, logged] of [
          ["7", firewall === "nftables" ? "" : "7"],
          ["", ""],
          // From a configuration that does not have the setting.
          [null, ""],
        ]) {
          await program.lockForGood({ BACKEND, LOG_DENIED: LOG_DENIED as string | null });
          expect(await hostLines("logged")).toEqual([logged]);
        }
      },
    );

    test("begins anew after a lock that was rolled back: the host was open since", async () => {
      await on("nftables");
      await program.lock();
      await program.run("rollback");
      expect(await program.stateFile("baseline/taken_at")).toBeUndefined();
      expect(await hostLines("baseline_at")).toEqual([""]);
      // A restart undoes it too.
      await program.lock();
      await host.exec(["sed", "-i", "s/ .*/ another-boot/", `${STATE}/pending`]);
      await program.run("rollback");
      expect(await program.stateFile("baseline/taken_at")).toBeUndefined();
    });

    test.each(shell.firewalls)("with %s names the time until which its rules were gone", async (firewall) => {
      await on(firewall);
      const settings = { BACKEND: firewall === "nftables" ? "nftables" : "iptables" };
      const begin = Math.floor(Date.now() / 1000);
      await program.lockForGood(settings);
      await program.lockForGood({ ...settings, ...rulesetsFor(22, { exceptions: [] }) });
      await program.run("boot");
      expect(await hostLines("gap")).toEqual([]);

      await removeRules(firewall);
      await program.lockForGood(settings);
      await removeRules(firewall);
      await program.run("boot");
      const gaps = await hostLines("gap");
      expect(gaps).toEqual([expect.stringMatching(/^1 - \d+$/), expect.stringMatching(/^2 - \d+$/)]);
      expect(gaps.map((gap) => Number(gap.split(" ")[2]) >= begin)).toEqual([true, true]);
      // What is there is compared: a gap in the rules counts, too.
      if (firewall === "nftables") {
        await host.exec("nft insert rule inet ssh_only_firewall input tcp dport 8080 accept");
        await program.lockForGood(settings);
        expect(await hostLines("gap")).toHaveLength(3);
      }
    });

    test("knows of the guard how long its rules were gone", async () => {
      await on("nftables");
      await program.lockForGood();
      // That of the pending lock, which would keep the evidence before ours has seen the rules.
      await eventually("its guard has ended", () => !host.processes().some((line) => line.includes("host.sh guard")));
      await knock(peer.place, host.ipv4, [99]);
      await host.exec(["sh", "-c", GUARD]);
      expect(await program.status()).toMatchObject({ state: "locked", rules: "matches" });
      const [gap] = items(await hostLines("gap"), 1);
      const [, from, until] = items(gap.split(" ").map(Number), 3);
      expect(until - from).toBeGreaterThanOrEqual(0);
      expect(until - from).toBeLessThan(60);
    });

    test("does not guess when the first of several came", async () => {
      await on("nftables");
      await program.lockForGood();
      const twice = async (port: number): Promise<void> => {
        await knock(peer.place, host.ipv4, [port]);
        await knock(peer.place, host.ipv4, [port]);
      };
      const firstAt = async (port: number): Promise<number | undefined> =>
        (await denied()).find((one) => one.port === String(port))?.first;
      await twice(53);
      expect(await firstAt(53)).toBeGreaterThan(Date.now() / 1000 - 90);
      await twice(54);
      await knock(peer.place, host.ipv4, [55]);
      await host.exec(["touch", "-d", "2020-01-01", `${STATE}/evidence`]);
      expect(await firstAt(54)).toBeNaN();
      expect(await firstAt(55)).toBeGreaterThan(Date.now() / 1000 - 90);
    });

    test("remembers five thousand of each direction, so that neither hides the other", async () => {
      await on("nftables");
      await program.lockForGood();
      await attempts();
      const flood =
        'awk \'BEGIN { for (i = 0; i < 5100; i++) print "in 17 10.0." int(i / 250) "." i % 250 " 53 1 100 100 1" }\'';
      await host.exec(`${flood} >${STATE}/evidence`);
      const found = await denied();
      expect(named(found).filter((line) => line.startsWith("out"))).toHaveLength(2);
      expect(named(found).filter((line) => line.startsWith("in"))).toHaveLength(5100);
    });

    test("shows when it was only observed", async () => {
      await on("nftables");
      await program.lockForGood({ ...rulesetsFor(22, { mode: "observe" }), MODE: "observe" });
      await program.lockForGood();
      expect(await hostLines("mode_from")).toEqual([
        expect.stringMatching(/^observe \d+$/),
        expect.stringMatching(/^enforce \d+$/),
      ]);
      await program.reset();
      await program.lockForGood();
      expect(await hostLines("mode_from")).toEqual([]);
    });

    test("has the last logins of each log, and how many there are and since when", async () => {
      await on("nftables");
      const line = (number: number): string =>
        `Nov  2 10:11:12 h sshd[${number}]: Accepted publickey for root from 198.51.100.7 port 9 ssh2`;
      const lines = Array.from({ length: 700 }, (_, index) => line(index + 1));
      await host.exec("cat >/var/log/auth.log.1", {
        input: `Oct  1 00:00:00 h cron[1]: began\n${lines.slice(0, 300).join("\n")}\n`,
      });
      await host.exec("cat >/var/log/auth.log", { input: `${lines.slice(300).join("\n")}\n` });
      const inJournal =
        "2026-10-15T09:30:00+0000 h sshd[9999]: Accepted password for root from 198.51.100.7 port 1 ssh2";
      await host.exec(`cat >/usr/local/sbin/journalctl && chmod 0755 /usr/local/sbin/journalctl`, {
        input: `#!/bin/sh\ncase $* in *sshd*) ;; *) echo '2026-10-01T00:00:00+0000 h kernel: began' ;; esac\necho '${inJournal}'\n`,
      });
      await program.lockForGood();
      const { stdout } = await program.run("report");
      const [, logins, sources] = items(/^== logins\n([^]*)^== sources\n([^]*)^== sampled$/m.exec(stdout) ?? [], 3);
      expect(logins.trimEnd().split("\n")).toEqual([inJournal, ...lines.slice(200)].map((one) => `| ${one}`));
      expect(sources.trimEnd().split("\n")).toEqual([
        "journal 1 2026-10-01T00:00:00+0000 h kernel: began",
        "auth.log 700 Oct  1 00:00:00 h cron[1]: began",
      ]);
      await host.exec("rm -f /usr/local/sbin/journalctl /var/log/auth.log /var/log/auth.log.1");
    });

    test.each(shell.firewalls.filter((firewall) => firewall !== "nftables"))(
      "with %s reads whom the kernel's log names, since the lock",
      async (firewall) => {
        await on(firewall);
        const logged = (time: string, peerAddress: string, port: number): string =>
          `${time} ssh-only-firewall in: IN=eth0 OUT= MAC=00 SRC=${peerAddress} DST=10.77.0.10 LEN=60 PROTO=TCP SPT=9 DPT=${port} SYN`;
        const out = (time: string): string =>
          `${time} ssh-only-firewall out: IN= OUT=eth0 SRC=10.77.0.10 DST=2001:0db8:: LEN=9 PROTO=ICMPv6 TYPE=1 [SRC=:: DST=::1 PROTO=UDP DPT=7 ]`;
        const sampled = async (tool: string, text: string): Promise<string[]> => {
          await host.exec(
            `printf '#!/bin/sh\\nexit 1\\n' >/usr/local/sbin/journalctl && chmod 0755 /usr/local/sbin/journalctl`,
          );
          await host.exec(`cat >/usr/local/sbin/${tool} && chmod 0755 /usr/local/sbin/${tool}`, {
            input: `#!/bin/sh\ncat <<'END'\n${text}\nEND\n`,
          });
          const { stdout } = await program.run("report");
          return (/^== sampled\n([^]*)$/m.exec(stdout)?.[1] ?? "").trimEnd().split("\n");
        };
        await program.lockForGood({ BACKEND: "iptables" });
        const [boot, now] = items(
          (await host.exec("echo $(($(date +%s) - $(cut -d. -f1 /proc/uptime))) $(date +%s)")).stdout
            .split(" ")
            .map(Number),
          2,
        );
        const journal = [now - 5000, now + 1, now + 2]
          .map((time, index) => logged(`${time}.5 h kernel:`, "192.0.2.1", index === 0 ? 25 : 80))
          .concat(out(`${now + 3}.0 h kernel:`));
        expect(await sampled("journalctl", journal.join("\n"))).toEqual([""]);

        await program.lockForGood({
          BACKEND: "iptables",
          LOG_DENIED: "10",
          ...rulesetsFor(22, { logDeniedPerMinute: 10 }),
        });
        expect(await sampled("journalctl", journal.join("\n"))).toEqual([
          `in 6 192.0.2.1 80 2 ${now + 1} ${now + 2}`,
          `out 58 2001:0db8:: - 1 ${now + 3} ${now + 3}`,
        ]);
        const [line] = items(await sampled("dmesg", logged(`[${now - boot + 9}.123456]`, "192.0.2.7", 443)), 1);
        expect(line).toMatch(/^in 6 192\.0\.2\.7 443 1 \d+ \d+$/);
        expect(Math.abs(Number(line.split(" ")[5]) - now - 9)).toBeLessThan(3);
        await host.exec("rm -f /usr/local/sbin/journalctl /usr/local/sbin/dmesg");
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

    test.each(shell.firewalls)(
      "observes with %s: denies nothing, reports that, and then enforces",
      async (firewall) => {
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
      },
    );
  });
});

/** A guard that has seen the rules, for it has kept who was denied at port 99, and then that they are gone. */
const GUARD = `
sh ${STATE}/host.sh guard </dev/null >/dev/null 2>&1 &
guard=$!
await() { i=0; until "$@" || [ $i -gt 60 ]; do sleep 0.5; i=$((i + 1)); done; }
await grep -qs '^in 17 .* 99 ' ${STATE}/evidence
nft delete table inet ssh_only_firewall
await test -s ${STATE}/baseline/gaps
await nft list table inet ssh_only_firewall >/dev/null
kill $guard
# It ends when it has slept, and looks once more.
wait $guard || :
`;

const KNOCK = `
const [address, ports, bytes] = process.argv.slice(1);
const socket = require("node:dgram").createSocket(address.includes(":") ? "udp6" : "udp4");
const all = JSON.parse(ports).map((port) => new Promise((done) => socket.send("x".repeat(bytes), port, address, done)));
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
