/** Rules of other programs, on hosts without systemd: those that remove ours, those that stay beside, those that drop SSH. */
import { type Backend, PolicyException } from "../../lib/index";
import { describeLab } from "../lab/describe-lab";
import { Lab, machine, type Host, type HostFirewall, type Peer, type RunResult } from "../lab/lab";
import { firewalls, isAtRest, lockdowns, saidBy, STATE, statusOf, withoutEmptyTables } from "./support/drill";
import { loadDocker, syncKubeProxy } from "./support/container-rules";
import { controllerOnly, Deployment, hostEntry, lock } from "./support/deployment";
import { eventually } from "../support/eventually";
import { allRules, foreignPart } from "./support/foreign-rules";

/** How long it may take until all is well again: the guard looks every 5 s; the rest is for a busy machine. */
const guardSeconds = 30;

async function login(host: Host): Promise<string> {
  return (await host.ssh("echo in", { check: false, options: ["ConnectTimeout=2"] })).stdout;
}

/** Locked, by what it says itself and by what a scan sees, and SSH works. */
async function isWell(lab: Lab, host: Host): Promise<boolean> {
  const { state, rules } = await statusOf(host);
  if (state !== "locked" || rules !== "matches" || (await login(host)) !== "in\n") {
    return false;
  }
  const scans = await Promise.all(([4, 6] as const).map((family) => lab.scanTcp(host, { ports: "22,80", family })));
  return scans.every(({ open, filteredCount }) => open.join() === "22" && filteredCount === 1);
}

describeLab(
  "the ruleset that another program removes",
  () => {
    /** With every kind of tool, whatever the host itself has: it is another program's. */
    const removals: Record<string, string> = {
      "nft flush ruleset": "nft flush ruleset",
      "iptables-nft -F": "iptables-nft -F; ip6tables-nft -F",
      "iptables-legacy -F and -X": "iptables-legacy -F; iptables-legacy -X; ip6tables-legacy -F; ip6tables-legacy -X",
      "iptables-nft -P INPUT DROP and -F": policies("nft", "INPUT"),
      "iptables-legacy -P INPUT DROP and -F": policies("legacy", "INPUT"),
      "iptables-nft -P OUTPUT DROP and -F": policies("nft", "OUTPUT"),
      "iptables-legacy -P OUTPUT DROP and -F": policies("legacy", "OUTPUT"),
    };
    const hosts = firewalls.flatMap((firewall) =>
      Object.entries(removals).map(([what, command], index) => ({
        name: `${firewall}-${index}`,
        firewall,
        what,
        command,
        backend: undefined as Backend | undefined,
      })),
    );
    // Whoever names the backend has the iptables rulesets all the same, for the tables of others.
    hosts.push(
      ...hosts
        .filter(({ firewall, what }) => firewall === "nftables" && what.includes("-P INPUT"))
        .map((host) => ({
          ...host,
          name: `${host.name}-named`,
          what: `${host.what}, chosen by name`,
          backend: "nftables" as const,
        })),
    );
    const took: Record<string, number> = {};
    let lab: Lab;

    beforeAll(async () => {
      lab = await Lab.create({ hosts: hosts.map(({ name, firewall }) => ({ name, firewall, listeners: true })) });
      const entries = hosts.map(({ name, backend }) => [name, hostEntry(lab, lab.host(name), { backend })]);
      await lock(lab, { hosts: Object.fromEntries(entries) });
      await Promise.all(
        hosts.map(async ({ name, command }) => {
          const host = lab.host(name);
          const start = Date.now();
          await machine.exec(["nsenter", "--target", String(host.initPid), "--net", "/bin/sh", "-c", command], {
            env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
          });
          await eventually("all is well", () => isWell(lab, host), { seconds: guardSeconds }).catch(() => undefined);
          took[name] = (Date.now() - start) / 1000;
        }),
      );
      if (process.env.SHOW_TIMES !== undefined) {
        process.stderr.write(`${JSON.stringify(took, undefined, 1)}\n`);
      }
    }, 300_000);
    afterAll(() => lab?.destroy());

    describe.each(firewalls)("with %s", (firewall) => {
      test.each(hosts.filter((one) => one.firewall === firewall))(
        "is restored after $what, and SSH works",
        async ({ name }) => {
          expect(await statusOf(lab.host(name))).toMatchObject({ state: "locked", rules: "matches" });
          expect(await login(lab.host(name))).toBe("in\n");
          expect(await isWell(lab, lab.host(name))).toBe(true);
        },
      );
    });

    test("is gone after unlock, and the policies of other firewalls are unchanged", async () => {
      // On the console: some of these policies drop SSH, as they would have without us.
      await Promise.all(hosts.map(({ name }) => lab.host(name).exec(["sh", `${STATE}/host.sh`, "unlock"])));
      for (const { name, command } of hosts) {
        const rules = await lab.host(name).rules();
        expect(rules).not.toMatch(/ssh_only|SSH_ONLY|SSH_CHECK/);
        const [, chain] = /-P (\w+) DROP/.exec(command) ?? [];
        expect(
          chain === undefined || new RegExp(`:${chain} DROP|hook ${chain.toLowerCase()} .*policy drop`).test(rules),
        ).toBe(true);
      }
    });
  },
  { needs: "terraform" },
);

describeLab(
  "rules of Docker and kube-proxy",
  () => {
    let lab: Lab;
    let stranger: Peer;
    let deployment: Deployment;
    const behind = new Map<string, Peer>();
    const before = new Map<string, string>();

    beforeAll(async () => {
      lab = await Lab.create({ hosts: firewalls.map((firewall) => ({ name: firewall, firewall, listeners: true })) });
      stranger = await lab.peer();
      for (const host of lab.hosts) {
        const peer = await lab.behind(host);
        behind.set(host.name, peer);
        await loadDocker(host, peer);
        await syncKubeProxy(host, peer);
        before.set(host.name, await allRules(host));
      }
      deployment = new Deployment(lab);
    });
    afterAll(() => lab?.destroy());

    const of = (firewall: HostFirewall): { host: Host; inner: Peer } => ({
      host: lab.host(firewall),
      inner: behind.get(firewall) as Peer,
    });
    /** Whether anything comes through the host: to the machine behind, to its published port and its node port. */
    async function through(firewall: HostFirewall): Promise<string[]> {
      const { host, inner } = of(firewall);
      const found = await Promise.all(
        ([4, 6] as const).flatMap((family) => [
          lab.scanTcp(inner, { ports: "80", family }),
          lab.scanTcp(host, { ports: "8088,30080", family }),
          lab.scanTcp(host, { ports: "80,8080", family, from: stranger }),
        ]),
      );
      return found.map(({ open, closed }) => [...open, ...closed].join());
    }
    const seen = ["80", "8088,30080", "80,8080"];
    const nothing = Array<string>(6).fill("");

    test.each(firewalls)("let traffic through before (%s)", async (firewall) => {
      expect(await through(firewall)).toEqual([...seen, ...seen]);
    });

    test.each(["lock", "update"])("are as they were after %s, and nothing comes through", async (verb) => {
      await deployment.apply(verb === "lock" ? {} : { exceptions: [PolicyException.ping()] });
      for (const firewall of firewalls) {
        const { host } = of(firewall);
        expect(foreignPart(await allRules(host))).toBe(foreignPart(before.get(firewall) as string));
        expect(await isWell(lab, host)).toBe(true);
        expect(await through(firewall)).toEqual(nothing);
      }
    });

    test.each(firewalls)("open nothing when kube-proxy loads them again (%s)", async (firewall) => {
      const { host, inner } = of(firewall);
      await syncKubeProxy(host, inner);
      expect(foreignPart(await allRules(host))).toBe(foreignPart(before.get(firewall) as string));
      expect(await through(firewall)).toEqual(nothing);
      expect(await isWell(lab, host)).toBe(true);
    });

    test.each(firewalls)("open nothing for long if they are put first again and again (%s)", async (firewall) => {
      const { host, inner } = of(firewall);
      for (const round of ["first", "second"]) {
        await host.exec(
          `for family in iptables ip6tables; do
             $family -w 5 -D INPUT -j KUBE-FIREWALL
             $family -w 5 -D FORWARD -j KUBE-FORWARD
           done`,
        );
        await syncKubeProxy(host, inner);
        await eventually(
          `closed for the ${round} time`,
          async () => (await isWell(lab, host)) && (await through(firewall)).join("") === "",
          { seconds: guardSeconds },
        );
        expect(foreignPart(await allRules(host))).toBe(foreignPart(before.get(firewall) as string));
        if (firewall !== "nftables") {
          const jumps = (await host.exec("iptables-save -t filter; ip6tables-save -t filter")).stdout;
          expect(jumps.match(/^-A (INPUT|OUTPUT|FORWARD) -j SSH_ONLY_/gm)).toHaveLength(6);
        }
      }
    });

    test("are as they were after unlock", async () => {
      await deployment.destroy();
      for (const firewall of firewalls) {
        expect(await allRules(of(firewall).host)).toBe(before.get(firewall));
      }
    });
  },
  { needs: "terraform" },
);

describeLab(
  "a rule of another program that drops new SSH connections",
  () => {
    /** Loaded when the deploy has logged in to lock: what is connected then stays so. `says` is what names the rule. */
    const drops: ReadonlyArray<{ what: string; firewall: HostFirewall; rule: string; says: string }> = [
      {
        what: "a table that drops what it does not know",
        firewall: "nftables",
        rule: nft(`table inet edge { chain inbound { type filter hook input priority 5; policy drop;
          ct state established,related accept
          iif lo accept
          icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
          tcp dport { 80, 443, 2222 } accept } }`),
        says: "table inet edge, chain inbound: policy drop, and nothing there accepts port 22",
      },
      {
        what: "a rule in a raw chain",
        firewall: "nftables",
        rule: nft(`table inet edge { chain early { type filter hook prerouting priority raw; policy accept;
          tcp dport 22 tcp flags & (syn | ack) == syn drop } }`),
        says: "table inet edge, chain early: tcp dport 22 tcp flags syn / syn,ack drop",
      },
      {
        what: "a rule for new connections, in a chain after connection tracking",
        firewall: "nftables",
        rule: nft(`table ip edge { chain early { type filter hook prerouting priority mangle; policy accept;
          tcp dport 22 ct state new drop } }`),
        says: "table ip edge, chain early: tcp dport 22 ct state new drop",
      },
      {
        what: "a rule for a range of ports",
        firewall: "nftables",
        rule: nft(`table inet edge { chain inbound { type filter hook input priority 0; policy accept;
          tcp dport 1-1023 ct state new reject } }`),
        says: "table inet edge, chain inbound: tcp dport 1-1023 ct state new reject",
      },
      {
        what: "a rule for a set of ports",
        firewall: "nftables",
        rule: nft(`table inet edge { set shut { type inet_service; elements = { 22, 23 }; }
          chain inbound { type filter hook input priority 0; policy accept; tcp dport @shut ct state new drop } }`),
        says: "table inet edge, chain inbound: tcp dport @shut ct state new drop",
      },
      {
        what: "a netdev rule",
        firewall: "nftables",
        rule: nft(`table netdev edge { chain wire { type filter hook ingress device "eth0" priority -500; policy accept;
          tcp dport 22 tcp flags & (syn | ack) == syn drop } }`),
        says: "table netdev edge, chain wire: tcp dport 22 tcp flags syn / syn,ack drop",
      },
      {
        what: "a legacy raw rule",
        firewall: "nftables",
        rule: "iptables-legacy -t raw -A PREROUTING -p tcp --dport 22 --syn -j DROP",
        says: "iptables, table raw: -A PREROUTING -p tcp -m tcp --dport 22 --tcp-flags FIN,SYN,RST,ACK SYN -j DROP",
      },
      {
        what: "a legacy filter rule",
        firewall: "nftables",
        rule: "iptables-legacy -A INPUT -p tcp -m multiport --dports 21,22 -m conntrack --ctstate NEW -j REJECT",
        says: "iptables, table filter: -A INPUT -p tcp -m multiport --dports 21,22 -m conntrack --ctstate NEW -j REJECT",
      },
      {
        what: "a raw rule of the other iptables",
        firewall: "iptables-nft",
        rule: "iptables-legacy -t raw -A PREROUTING -p tcp --dport 22 --syn -j DROP",
        says: "iptables, table raw: -A PREROUTING -p tcp -m tcp --dport 22 --tcp-flags FIN,SYN,RST,ACK SYN -j DROP",
      },
      {
        what: "a raw rule of the same iptables",
        firewall: "iptables-nft",
        rule: "iptables -t raw -A PREROUTING -p tcp --dport 22 --syn -j DROP",
        says: "iptables, table raw: -A PREROUTING -p tcp -m tcp --dport 22 --tcp-flags FIN,SYN,RST,ACK SYN -j DROP",
      },
      {
        what: "a mangle rule for a range",
        firewall: "iptables-legacy",
        rule: "iptables -t mangle -A PREROUTING -p tcp --dport 1:1023 --syn -j DROP",
        says: "iptables, table mangle: -A PREROUTING -p tcp -m tcp --dport 1:1023 --tcp-flags FIN,SYN,RST,ACK SYN -j DROP",
      },
      {
        what: "a filter rule of the other iptables",
        firewall: "iptables-legacy",
        rule: "iptables-nft -A INPUT -p tcp --dport 22 -m conntrack --ctstate NEW -j DROP",
        says: "iptables, table filter: -A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j DROP",
      },
    ];
    const hosts = drops.map((drop, index) => ({ ...drop, name: `${drop.firewall}-${index}` }));
    const rulesBefore = new Map<string, string>();
    let lab: Lab;
    let apply: RunResult;
    let inState: Record<string, string>;

    beforeAll(async () => {
      lab = await Lab.create({ hosts: hosts.map(({ name, firewall }) => ({ name, firewall })) });
      await Promise.all(
        hosts.map(async ({ name, rule }) => {
          const host = lab.host(name);
          // Once, to know what the rules look like; and then at the first login, which is that of lock.
          await host.exec(rule);
          rulesBefore.set(name, await host.rules());
          await host.exec(undo(rule));
          await host.exec(["tee", "/etc/ssh/sshrc"], {
            input: `if mkdir /run/dropped 2>/dev/null; then\n${rule}\nfi >/dev/null 2>&1\n`,
          });
        }),
      );
      const terraform = await new Deployment(lab).prepare({
        allowFrom: controllerOnly,
        confirmWithinSeconds: 10,
        hosts: Object.fromEntries(
          lab.hosts.map((host) => [host.name, hostEntry(lab, host, { connection: { timeoutSeconds: 15 } })]),
        ),
      });
      apply = await terraform.apply([`-parallelism=${hosts.length}`], { check: false });
      inState = await lockdowns(terraform);
      await Promise.all(lab.hosts.map((host) => eventually(`${host.name} is at rest`, () => isAtRest(host))));
    }, 300_000);
    afterAll(() => lab?.destroy());

    describe.each(hosts)("$what, with $firewall", ({ name, says }) => {
      test("fails the deploy, and the host rolls back", async () => {
        expect(apply.code).toBe(1);
        expect(inState[name]).not.toBe("healthy");
        const host = lab.host(name);
        expect(await statusOf(host)).toMatchObject({ state: "open", rules: "none" });
        expect(await login(host)).toBe("");
        expect(withoutEmptyTables(await host.rules())).toBe(withoutEmptyTables(rulesBefore.get(name) as string));
      });

      test("is named in the message", () => {
        expect(saidBy(name, apply.stdout)).toContain(`change that rule: ${says}`);
      });
    });
  },
  { needs: "terraform" },
);

function policies(variant: string, chain: string): string {
  return ["iptables", "ip6tables"]
    .map((family) => `${family}-${variant} -P ${chain} DROP; ${family}-${variant} -F`)
    .join("; ");
}

function nft(text: string): string {
  return `nft -f - <<'END'\n${text.replaceAll(" }", "\n}")}\nEND`;
}

/** The host as it was, but for empty tables of iptables. */
function undo(rule: string): string {
  const [table] = /table \w+ edge/.exec(rule) ?? [];
  return table === undefined ? rule.replace(" -A ", " -D ") : `nft delete ${table}`;
}
