/**
 * Reachability that lasts: hosts whose addresses are leased for two minutes, or announced for one, stay reachable for
 * as long as they are locked. All hosts wait at the same time.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { defined } from "../support/required";
import { type HostProps, PolicyException, type SshOnlyFirewallProps } from "../../lib/index";
import { nsenter } from "../lab/host";
import { type Host, type HostOptions, Lab, machine, type RunResult } from "../lab/lab";
import { describeBooted, type SystemOptions } from "../lab/systemd-root";
import { saidBy, statusOf } from "./support/drill";
import { leaseSeconds, LeaseServer, routerSeconds } from "./support/lease-server";
import { controllerOnly, Deployment, type EntryOverrides, hostEntry } from "./support/deployment";
import { eventually } from "../support/eventually";

/** One root for all; what a host does not use is switched off in it. */
const system: SystemOptions = { packages: ["isc-dhcp-client", "network-manager", "udhcpc"] };

/** Who asks for the addresses of a host. */
type Client = "dhclient" | "udhcpc" | "networkd" | "NetworkManager";

const interfaces = (...stanzas: readonly string[]): string => `
ln -sf /dev/null /etc/systemd/system/NetworkManager.service
printf '%s\\n' 'auto lo eth0' 'iface lo inet loopback' ${stanzas.map((line) => `'iface eth0 ${line}'`).join(" ")} >/etc/network/interfaces
`;

const provisions: Record<Client, (family: 4 | 6) => string> = {
  dhclient: (family) => interfaces("inet dhcp", ...(family === 6 ? ["inet6 dhcp"] : [])),
  udhcpc: () => interfaces("inet dhcp"),
  networkd: () => `
ln -sf /dev/null /etc/systemd/system/NetworkManager.service
printf 'auto lo\\niface lo inet loopback\\n' >/etc/network/interfaces
printf '%s\\n' '[Match]' Name=eth0 '[Network]' DHCP=yes IPv6AcceptRA=yes LinkLocalAddressing=ipv6 >/etc/systemd/network/eth0.network
ln -s /lib/systemd/system/systemd-networkd.service /etc/systemd/system/multi-user.target.wants/
`,
  NetworkManager: () => `
printf 'auto lo\\niface lo inet loopback\\n' >/etc/network/interfaces
printf '%s\\n' '[connection]' id=eth0 type=ethernet interface-name=eth0 '[ipv4]' method=auto '[ipv6]' method=auto addr-gen-mode=eui64 >/etc/NetworkManager/system-connections/eth0.nmconnection
chmod 0600 /etc/NetworkManager/system-connections/eth0.nmconnection
`,
};

interface Subject {
  readonly client: Client;
  /** Over which family Terraform comes, and which of its addresses counts. */
  readonly family: 4 | 6;
  readonly firewall: "nftables" | "iptables-nft";
}

/** Locked with the exception of their family. */
const leased: Readonly<Record<string, Subject>> = {
  "dhclient-4": { client: "dhclient", family: 4, firewall: "nftables" },
  "dhclient-6": { client: "dhclient", family: 6, firewall: "iptables-nft" },
  "networkd-4": { client: "networkd", family: 4, firewall: "nftables" },
  "networkd-4-iptables": { client: "networkd", family: 4, firewall: "iptables-nft" },
  "networkd-6": { client: "networkd", family: 6, firewall: "nftables" },
  "networkmanager-4": { client: "NetworkManager", family: 4, firewall: "iptables-nft" },
  "networkmanager-6": { client: "NetworkManager", family: 6, firewall: "nftables" },
  "udhcpc-4": { client: "udhcpc", family: 4, firewall: "nftables" },
};

/** Locked without, past the pre-flight: what would become of the others. */
const controls: Readonly<Record<string, Subject>> = {
  "control-networkd-4": { client: "networkd", family: 4, firewall: "nftables" },
  "control-networkd-6": { client: "networkd", family: 6, firewall: "iptables-nft" },
  "control-networkmanager-6": { client: "NetworkManager", family: 6, firewall: "nftables" },
};

/** Their IPv6 address comes from router advertisements alone; the last is closed to IPv6, and so to them. */
const announced: Readonly<Record<string, Subject>> = {
  "slaac-kernel": { client: "dhclient", family: 6, firewall: "iptables-nft" },
  "slaac-networkd": { client: "networkd", family: 6, firewall: "nftables" },
};
const closedToIpv6 = "control-slaac";
const slaac: Readonly<Record<string, Subject>> = {
  ...announced,
  [closedToIpv6]: { client: "networkd", family: 6, firewall: "nftables" },
};

const all = { ...leased, ...controls, ...slaac };
const subject = (name: string): Subject => defined(all[name], name);

const exceptionOf = {
  4: { name: "dhcp-client", exception: PolicyException.dhcpClient() },
  6: { name: "dhcpv6-client", exception: PolicyException.dhcpV6Client() },
};

function hostOptions(name: string): HostOptions {
  const { client, family, firewall } = subject(name);
  const ownFamily = client === "dhclient" && name in slaac ? 4 : family;
  return {
    name,
    firewall,
    system,
    without: client === "udhcpc" ? ["dhclient"] : [],
    provision: provisions[client](ownFamily),
  };
}

describeBooted(
  "a host with a leased address",
  [system],
  () => {
    jest.setTimeout(600_000);
    let lab: Lab;
    let server: LeaseServer;
    let deployment: Deployment;
    let refused: RunResult;
    const addresses = new Map<string, string>();
    const renewalsAtLock = new Map<string, number>();

    const host = (name: string): Host => lab.host(name);
    const entry = (name: string, overrides: EntryOverrides = {}): HostProps =>
      hostEntry(lab, host(name), { address: addresses.get(name), ...overrides });

    /** The address that this test is about; DHCPv6 addresses are those of the lab's name for the host. */
    async function findAddress(name: string): Promise<string> {
      const { family } = subject(name);
      const wanted = family === 4 ? host(name).ipv4 : name in slaac ? slaacAddress(host(name)) : host(name).ipv6;
      await eventually(`${name} has ${wanted}`, async () => (await held(name)).includes(` ${wanted}/`));
      return wanted;
    }

    const held = async (name: string): Promise<string> =>
      (await host(name).exec(`ip -o -${subject(name).family} addr show dev eth0`)).stdout;

    /** Since the lock, at the server. */
    const renewalsOf = (name: string): number =>
      server.renewals(host(name), subject(name).family) - (renewalsAtLock.get(name) ?? 0);

    /** Whether the kernel has taken the address away since the lock, for a moment or for good. */
    const wasLost = async (name: string): Promise<boolean> =>
      (await host(name).exec("grep ^Deleted /run/addresses", { check: false })).stdout.includes(
        ` ${addresses.get(name)}/`,
      );

    async function answers(name: string, seconds = 5): Promise<boolean> {
      const { stdout } = await host(name).ssh("echo reached", {
        check: false,
        options: [`HostName=${addresses.get(name)}`, `ConnectTimeout=${seconds}`, `HostKeyAlias=${name}`],
      });
      return stdout === "reached\n";
    }

    beforeAll(async () => {
      lab = await Lab.create();
      server = await LeaseServer.start(lab);
      await lab.addHosts(Object.keys(all).map(hostOptions));
      // In it, the settings of a booted host's network are for reading only, and dhclient leaves routers to the kernel.
      const acceptRa = "echo 1 >/proc/sys/net/ipv6/conf/eth0/accept_ra";
      for (const name of ["dhclient-6", "slaac-kernel"]) {
        await machine.exec([...nsenter(host(name).initPid), "--net", "/bin/sh", "-c", acceptRa]);
      }
      for (const name of Object.keys(all)) {
        addresses.set(name, await findAddress(name));
      }
      deployment = new Deployment(lab);
      const props = (hosts: Record<string, HostProps>): Partial<SshOnlyFirewallProps> => ({
        allowFrom: [...controllerOnly, "fe80::/10"],
        hosts,
      });
      const parallel = [`-parallelism=${Object.keys(all).length}`];
      const without = await deployment.prepare(props(entriesOf(leased, () => ({}))));
      refused = await without.apply(parallel, { check: false });

      const hosts = {
        ...entriesOf(leased, (name) => ({ exceptions: [exceptionOf[subject(name).family].exception] })),
        ...entriesOf(controls, () => ({ skipPreflight: true })),
        ...entriesOf(announced, () => ({})),
        // Terraform comes over IPv4, which stays.
        [closedToIpv6]: entry(closedToIpv6, {
          address: host(closedToIpv6).ipv4,
          allowFrom: ["10.77.0.1"],
          exceptions: [PolicyException.dhcpClient()],
        }),
      };
      await (await deployment.prepare(props(hosts))).apply(parallel);
      for (const name of Object.keys(all)) {
        renewalsAtLock.set(name, server.renewals(host(name), subject(name).family));
        host(name).spawn("exec ip -o monitor address >/run/addresses", { stdio: "ignore" });
      }
      await sleep((3 * leaseSeconds + 10) * 1000);
    }, 600_000);
    afterAll(() => lab?.destroy());

    function entriesOf(
      subjects: Readonly<Record<string, Subject>>,
      overrides: (name: string) => Partial<HostProps>,
    ): Record<string, HostProps> {
      return Object.fromEntries(Object.keys(subjects).map((name) => [name, entry(name, overrides(name))]));
    }

    test.each(Object.keys(leased))("(%s) is refused without the exception, which is named", (name) => {
      const said = saidBy(name, refused.stdout);
      expect(said).toContain(`add the exception ${exceptionOf[subject(name).family].name}`);
      expect(said).toMatch(/The host was not changed\.$/);
    });

    test.each(Object.keys(leased))("(%s) is reachable after three leases, each renewed at the server", async (name) => {
      expect(await held(name)).toContain(` ${addresses.get(name)}/`);
      expect(await wasLost(name)).toBe(false);
      expect(await answers(name)).toBe(true);
      expect(await statusOf(host(name))).toMatchObject({ code: 0, state: "locked", rules: "matches" });
      expect(renewalsOf(name)).toBeGreaterThanOrEqual(3);
    });

    test.each(["control-networkd-6", "control-networkmanager-6"])(
      "(%s) loses its address without the exception, and nobody reaches it there",
      async (name) => {
        expect(await held(name)).not.toContain(` ${addresses.get(name)}/`);
        expect(await answers(name)).toBe(false);
        // It is not the link that is down.
        expect((await host(name).ssh("echo reached")).stdout).toBe("reached\n");
      },
    );

    // Over IPv4 it is rescued by its last try, a broadcast that it sends past the firewall when the lease is nearly over.
    test("renews its lease with the exception, and does not without it", () => {
      expect(renewalsOf("networkd-4")).toBeGreaterThan(renewalsOf("control-networkd-4"));
      expect(renewalsOf("networkd-4-iptables")).toBeGreaterThan(renewalsOf("control-networkd-4"));
    });

    test.each(Object.keys(announced))("(%s) keeps an address that is announced for a minute", async (name) => {
      expect(await held(name)).toMatch(lifetimeOf(addresses.get(name)));
      expect(await wasLost(name)).toBe(false);
      expect(await answers(name)).toBe(true);
      expect(await statusOf(host(name))).toMatchObject({ code: 0, state: "locked", rules: "matches" });
    });

    test("loses it if the firewall is closed to IPv6, which shows that the advertisements carry it", async () => {
      expect(await wasLost(closedToIpv6)).toBe(true);
      expect(await held(closedToIpv6)).not.toContain(addresses.get(closedToIpv6));
      expect(await statusOf(host(closedToIpv6))).toMatchObject({ code: 0, state: "locked", rules: "matches" });
    });
  },
  ["dnsmasq", "radvd"],
);

/** What the kernel makes of the prefix and the hardware address (EUI-64). */
function slaacAddress(host: Host): string {
  return `fd77::77:ff:fe00:${Number(host.ipv4.split(".")[3]).toString(16)}`;
}

/** In `ip -o addr`: this address, and no more than a minute to go. */
function lifetimeOf(address = ""): RegExp {
  const seconds = Array.from({ length: routerSeconds }, (_, index) => index + 1).join("|");
  return new RegExp(` ${address}/64 .* valid_lft (${seconds})sec `);
}
