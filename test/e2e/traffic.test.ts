import { defined, items } from "../support/required";
import { PolicyException } from "../../lib/index";
import { describeLab } from "../lab/describe-lab";
import { Lab, type Host, type HostFirewall, type Peer, type Place, type Target, type TcpScan } from "../lab/lab";
import { controllerOnly, Deployment, hostEntries, lock } from "./support/deployment";
import { eventually } from "../support/eventually";
import {
  addForeignRules,
  allRules,
  droppedByForeignRules,
  foreignPart,
  notedByForeignRules,
} from "./support/foreign-rules";
import { narrowMtu, narrowPath } from "./support/narrow-path";
import {
  each,
  everythingOf,
  everythingOn,
  networkOf,
  ping,
  silence,
  startListeners,
  tcp,
  tryAll,
  udp,
  type Outcomes,
} from "./support/attempts";
import { Watch, type Clients } from "./support/frame-counter";

const firewalls: readonly HostFirewall[] = ["nftables", "iptables-nft", "iptables-legacy"];
const families = [4, 6] as const;

let lab: Lab;
/** A machine next to the hosts, which no policy allows. */
let stranger: Peer;
/** A machine that the policy allows, and that foreign rules of the hosts ban. */
let banned: Peer;
/** A client that the policy allows, behind a narrow hop. */
let distant: Peer;

describeLab(
  "traffic",
  () => {
    jest.setTimeout(180_000);

    beforeAll(async () => {
      lab = await Lab.create({
        hosts: firewalls.flatMap((firewall) => [
          { name: firewall, firewall, listeners: true, user: firewall === "iptables-legacy" ? "ops" : "root" },
          { name: `${firewall}-bare`, firewall, listeners: true },
        ]),
      });
      [stranger, banned] = await Promise.all([lab.peer(), lab.peer()]);
      distant = await narrowPath(
        lab,
        firewalls.map((firewall) => lab.host(firewall)),
      );
      await Promise.all([startListeners(lab.controller), startListeners(stranger.place)]);
    });

    afterAll(() => lab?.destroy());

    describe.each(firewalls)("a host with %s and rules of its own", (firewall) => {
      let host: Host;
      let behind: Peer;
      let deployment: Deployment;
      /** Everything that the host sends, to the lab and to the machine behind it. */
      let watches: Watch[];
      let before: { rules: string; dropped: number; noted: string[] };

      const attempts = (): Array<[from: Place, attempts: string[]]> => [
        [lab.controller, everythingOn(host)],
        [stranger.place, everythingOn(host)],
        [behind.place, everythingOn(gateway())],
        [networkOf(host), [...everythingOf(controller()), ...everythingOf(stranger)]],
        [lab.controller, everythingOf(behind)],
        [behind.place, everythingOf(controller())],
      ];
      const itself = (): string[] => [...everythingOn({ ipv4: "127.0.0.1", ipv6: "::1" }), ...everythingOn(host)];
      /** The host's own end of the network behind it. */
      const gateway = (): Target => ({
        ipv4: behind.ipv4.replace(/\d+$/, "1"),
        ipv6: behind.ipv6.replace(/\d+$/, "1"),
      });
      const startWatches = async (): Promise<Watch[]> =>
        Promise.all([
          Watch.ofHost(lab.controller, host, clients()),
          Watch.start(behind.place, "eth0", { ipv4: [], ipv6: [] }),
        ]);

      beforeAll(async () => {
        host = lab.host(firewall);
        behind = await lab.behind(host);
        await startListeners(behind.place);
        await addForeignRules(host, banned);
      });

      describe("before the deploy", () => {
        test("answers on every listening port and to ping, forwards both ways, and connects out", async () => {
          const watched = await startWatches();
          expect(await tryEach(attempts())).toEqual(attempts().map(([, tried]) => each(tried, "answered")));
          expect(await tryAll(networkOf(host), itself())).toEqual(each(itself(), "answered"));
          // So that the silence of a locked host, as seen by the same watches, means something.
          const kinds = ["ip icmp", "ip tcp", "ip udp", "ip6 ipv6-icmp", "ip6 tcp", "ip6 udp"];
          expect((await defined(watched[0]).read()).others).toEqual(kinds);
          expect((await defined(watched[1]).read()).others).toEqual(kinds);
        });

        test("has rules that ban one machine and record who connects", async () => {
          expect(await tryAll(banned.place, everythingOn(host), silence)).toEqual(
            each(everythingOn(host), "no answer"),
          );
          expect(await droppedByForeignRules(host)).toBeGreaterThan(0);
          expect(await notedByForeignRules(host)).toEqual(expect.arrayContaining(["10.77.0.1", stranger.ipv4]));
        });
      });

      describe("once deployed", () => {
        beforeAll(async () => {
          before = {
            rules: await allRules(host),
            dropped: await droppedByForeignRules(host),
            noted: await notedByForeignRules(host),
          };
          const { ipv4, ipv6 } = clients();
          deployment = await lock(lab, {
            hosts: hostEntries(lab, [host]),
            allowFrom: [...ipv4, ...ipv6, banned.ipv4, banned.ipv6],
          });
          watches = await startWatches();
        });

        test("answers on no TCP port of 65,535 but SSH, and a peer outside allowFrom on none", async () => {
          const scans = await Promise.all(
            [undefined, stranger].flatMap((from) => families.map((family) => lab.scanTcp(host, { family, from }))),
          );
          const onlySsh: TcpScan = { open: [22], closed: [], filteredCount: 65_534 };
          const nothing: TcpScan = { open: [], closed: [], filteredCount: 65_535 };
          expect(scans).toEqual([onlySsh, onlySsh, nothing, nothing]);
        });

        test("answers to no UDP, ping or connection from anywhere", async () => {
          const inbound = attempts().slice(0, 3);
          expect(await tryEach(inbound, silence)).toEqual(inbound.map(([, tried]) => each(tried, "no answer")));
        });

        test("lets a fresh SSH login in, over IPv4 and IPv6", async () => {
          for (const family of families) {
            const { stdout } = await host.ssh("id -un; echo $SSH_CONNECTION", { family });
            expect(stdout).toMatch(new RegExp(`^${host.user}\n${family === 4 ? "10.77.0.1" : "fd77::1"} `));
          }
        });

        test("forwards nothing, in either direction", async () => {
          const forwarded = attempts().slice(4);
          expect(await tryEach(forwarded, silence)).toEqual(forwarded.map(([, tried]) => each(tried, "no answer")));
        });

        test("rejects all outbound traffic of its own programs at once", async () => {
          for (const target of [controller(), stranger]) {
            expect(await tryAll(networkOf(host), tcp(target, 53, 8000))).toEqual(
              each(tcp(target, 53, 8000), "ECONNREFUSED"),
            );
            expect(await tryAll(networkOf(host), udp(target, 53, 53535))).toEqual(
              each(udp(target, 53, 53535), "EPERM"),
            );
            expect(await tryAll(networkOf(host), ping(target))).toEqual(each(ping(target), "no answer"));
          }
        });

        test("talks to itself, on loopback and on its own addresses", async () => {
          expect(await tryAll(networkOf(host), itself())).toEqual(each(itself(), "answered"));
        });

        test("sends no packet but SSH and neighbor discovery, whatever is tried", async () => {
          await tryEach(attempts(), silence);
          await host.ssh("true");
          const [toLab, toBehind] = items(await Promise.all(watches.map((watch) => watch.read())), 2);
          expect(toLab).toMatchObject({ others: [] });
          expect(toBehind).toMatchObject({ others: [], ssh: 0 });
          expect(toLab.ssh).toBeGreaterThan(0);
        });

        test("accepts SSH over IPv4 and IPv6 even if both ends have no neighbor cache", async () => {
          for (const family of families) {
            await Promise.all([host.exec("ip neigh flush all"), lab.controller.exec("ip neigh flush all")]);
            expect(await host.ssh("echo reached", { family })).toMatchObject({ stdout: "reached\n" });
          }
        });

        test.each(families)("sends large data over a hop with a smaller MTU, over IPv%d", async (family) => {
          const to = family === 4 ? distant.ipv4 : distant.ipv6;
          const mtu = async (): Promise<string> => (await host.exec(["ip", "route", "get", to])).stdout;
          expect(await mtu()).not.toContain(`mtu ${narrowMtu}`);
          const options = ["-F", lab.sshConfigPath, "-o", `HostName=${family === 4 ? host.ipv4 : host.ipv6}`];
          const command = ["ssh", ...options, host.name, "head -c 300000 /dev/zero"];
          const { code, stdout } = await distant.exec(command, { check: false, timeoutSeconds: 20 });
          expect({ code, bytes: stdout.length }).toEqual({ code: 0, bytes: 300_000 });
          // The host has heard of it, and did not send small packets for another reason.
          expect(await mtu()).toContain(`mtu ${narrowMtu}`);
        });

        test("leaves the rules of other firewalls unchanged, and in force", async () => {
          expect(foreignPart(await allRules(host))).toBe(foreignPart(before.rules));
          const ssh = [`tcp ${host.ipv4} 22`, `tcp ${host.ipv6} 22`];
          expect(await tryAll(banned.place, ssh, silence)).toEqual(each(ssh, "no answer"));
          expect(await droppedByForeignRules(host)).toBeGreaterThan(before.dropped);
        });
      });

      describe("after destroy", () => {
        beforeAll(() => deployment.destroy());

        test("has its previous rules, byte for byte, and they kept counting", async () => {
          expect(await allRules(host)).toBe(before.rules);
          expect(await droppedByForeignRules(host)).toBeGreaterThan(before.dropped);
          expect(await notedByForeignRules(host)).toEqual(before.noted);
        });

        test("answers, forwards and connects out as before", async () => {
          expect(await tryEach(attempts())).toEqual(attempts().map(([, tried]) => each(tried, "answered")));
        });

        test("keeps nothing of the package but a log", () => expectOnlyLogLeft(host));

        test("keeps nothing of it in /run and /tmp but the lock file", () => expectOnlyLockFileLeft(host));
      });
    });

    describe.each(firewalls)("a host with %s and no rules", (firewall) => {
      let host: Host;
      let deployment: Deployment;
      const deploy = (props: Parameters<Deployment["apply"]>[0]) =>
        deployment.apply({ hosts: hostEntries(lab, [host]), ...props });

      beforeAll(async () => {
        host = lab.host(`${firewall}-bare`);
        deployment = new Deployment(lab);
        expect(await host.rules()).toBe("");
      });

      describe("with deniedInbound reject", () => {
        beforeAll(() => deploy({ deniedInbound: "reject" }));

        test("rejects denied connections at once, also those to SSH from outside allowFrom", async () => {
          const outcomes = await Promise.all([
            tryAll(lab.controller, [...tcp(host, 80, 443), ...udp(host, 53535)]),
            tryAll(stranger.place, tcp(host, 80, 443, 22)),
            tryAll(lab.controller, ping(host), silence),
          ]);
          expect(outcomes).toEqual([
            {
              ...each(tcp(host, 80, 443), "ECONNREFUSED"),
              [`udp ${host.ipv4} 53535`]: "EHOSTUNREACH",
              [`udp ${host.ipv6} 53535`]: "EACCES",
            },
            each(tcp(host, 80, 443, 22), "ECONNREFUSED"),
            each(ping(host), "no answer"),
          ]);
        });

        test("still accepts SSH, and lets nothing out", async () => {
          expect(await host.ssh("echo reached")).toMatchObject({ stdout: "reached\n" });
          const out = tcp(stranger, 8000);
          expect(await tryAll(networkOf(host), out)).toEqual(each(out, "ECONNREFUSED"));
        });
      });

      describe("with deniedOutbound drop", () => {
        beforeAll(() => deploy({ deniedOutbound: "drop" }));

        test("leaves local TCP clients without an answer, and nothing leaves the host", async () => {
          const watch = await Watch.ofHost(lab.controller, host, clients());
          const outcomes = await tryAll(networkOf(host), everythingOf(stranger), silence);
          expect(outcomes).toMatchObject(each(tcp(stranger, 53, 8000), "no answer"));
          expect(await host.ssh("echo reached")).toMatchObject({ stdout: "reached\n" });
          expect(await watch.read()).toMatchObject({ others: [] });
        });
      });

      describe("with exceptions", () => {
        beforeAll(() =>
          deploy({
            exceptions: [
              PolicyException.ping({ from: [stranger.ipv4, stranger.ipv6] }),
              PolicyException.dns([...controllerOnly]),
              PolicyException.egress({ to: [stranger.ipv4, stranger.ipv6], port: 8000 }),
              PolicyException.ingress({ from: [stranger.ipv4, stranger.ipv6], port: 3306 }),
            ],
          }),
        );

        /** Tries everything, and says what of it was answered. */
        const answered = async (from: Place, attempts: readonly string[]): Promise<string[]> => {
          const outcomes = await tryAll(from, attempts, silence);
          return attempts.filter((attempt) => outcomes[attempt] === "answered");
        };

        test("answers allowed pings and allowed connections, and nobody else", async () => {
          const places = [stranger.place, lab.controller, banned.place];
          expect(await Promise.all(places.map((place) => answered(place, everythingOn(host))))).toEqual([
            [...tcp(host, 3306), ...ping(host)],
            [],
            [],
          ]);
        });

        test("reaches its resolver and the one port outside, and nothing else", async () => {
          const network = networkOf(host);
          expect(await answered(network, everythingOf(controller()))).toEqual([
            ...tcp(controller(), 53),
            ...udp(controller(), 53),
          ]);
          expect(await answered(network, everythingOf(stranger))).toEqual(tcp(stranger, 8000));
        });
      });

      describe("after destroy", () => {
        beforeAll(() => deployment.destroy());

        test("has no rule, chain or policy of the package", async () => {
          const leftover = (await host.rules())
            // What iptables itself makes of a filter table that nobody has used yet.
            .replace(/^\t\ttype filter hook (in|out|for)\w+ priority filter; policy accept;\n/gm, "")
            .replace(/^\tchain (INPUT|OUTPUT|FORWARD) \{\n\t\}\n/gm, "")
            .replace(/^table ip6? filter \{\n\n*\}\n/gm, "")
            .replace(/^\*filter\n(:(INPUT|OUTPUT|FORWARD) ACCEPT\n)+COMMIT\n/gm, "")
            .trim();
          expect(leftover).toBe("");
        });

        test("keeps nothing of the package but a log", () => expectOnlyLogLeft(host));

        test("keeps nothing of it in /run and /tmp but the lock file", () => expectOnlyLockFileLeft(host));
      });
    });
  },
  { needs: "terraform" },
);

function controller(): Target {
  return lab.controllerAddresses;
}

/** Who may use SSH, and does. */
function clients(): Clients {
  return { ipv4: [controller().ipv4, distant.ipv4], ipv6: [controller().ipv6, distant.ipv6] };
}

async function tryEach(
  all: ReadonlyArray<readonly [from: Place, attempts: readonly string[]]>,
  seconds?: number,
): Promise<Outcomes[]> {
  return Promise.all(all.map(([from, attempts]) => tryAll(from, attempts, seconds)));
}

async function expectOnlyLogLeft(host: Host): Promise<void> {
  expect((await host.exec("ls -A /var/lib/ssh-only-firewall")).stdout).toBe("log\n");
  const home = (await host.exec(`getent passwd ${host.user} | cut -d: -f6`)).stdout.trim();
  // The script that Terraform uploads removes itself when Terraform has finished with it.
  await expectSoonNothing(async () => [
    ...(await filesIn(host, home)).filter((file) => file.startsWith(".ssh-only")),
    ...host.processes().filter((line) => /ssh-only|host\.sh/.test(line)),
  ]);
}

/** The lock file stays: whoever removes one may remove it from under another run. */
async function expectOnlyLockFileLeft(host: Host): Promise<void> {
  await expectSoonNothing(async () =>
    (await filesIn(host, "/run", "/tmp")).filter(
      (file) => file.includes("ssh-only") && file !== "ssh-only-firewall.lock",
    ),
  );
}

async function filesIn(host: Host, ...folders: readonly string[]): Promise<string[]> {
  return (await host.exec(["ls", "-A", ...folders])).stdout.split("\n");
}

async function expectSoonNothing(find: () => Promise<string[]>): Promise<void> {
  await eventually("nothing is left", async () => expect(await find()).toEqual([]));
}
