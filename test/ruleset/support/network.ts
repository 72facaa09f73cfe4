/**
 * A host with a firewall, a client that reaches it through a router, and a machine behind the host:
 *
 *     client 10.2.0.2, fd02::2 -- router -- host 10.1.0.2, fd01::2 -- behind 10.3.0.2
 */
import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { items } from "../../support/required";
import type { PolicyProps } from "../../../lib/policy/policy";
import { renderIptables, renderIptablesFile } from "../../../lib/ruleset/backends/iptables";
import { renderNftables } from "../../../lib/ruleset/backends/nftables";
import { Namespace } from "./namespaces";
import { policyOf } from "./policies";

export const FIREWALLS = ["nftables", "iptables-nft", "iptables-legacy", "whole file"] as const;
export type Firewall = (typeof FIREWALLS)[number];

/** A machine of the network, and the probe that runs in it. */
export class Machine {
  public readonly pid: number;
  private readonly probe: ChildProcess;
  private readonly waiting = new Map<string, (word: string) => void>();
  private orders = 0;

  public constructor(private readonly namespace: Namespace) {
    this.pid = namespace.pid;
    this.probe = namespace.start(`${process.execPath} ${join(__dirname, "probe.mjs")}`);
    createInterface({ input: this.probe.stdout as Readable }).on("line", (line) => {
      const [number, word] = items(line.split(" "), 2);
      this.waiting.get(number)?.(word);
      this.waiting.delete(number);
    });
  }

  /** Gives the probe its orders (see probe.mjs), all at once; what came of each, in one word. */
  public words(...orders: readonly string[]): Promise<string[]> {
    return Promise.all(
      orders.map((order) => {
        const number = String(++this.orders);
        this.probe.stdin?.write(`${number} ${order}\n`);
        return new Promise<string>((resolve) => this.waiting.set(number, resolve));
      }),
    );
  }

  /** Runs a shell text that has to succeed. */
  public must(command: string, input?: string): Promise<string> {
    return this.namespace.must(command, input);
  }

  /** Whether a ping to `address` is answered. */
  public async pings(address: string, from: string): Promise<boolean> {
    return (await this.namespace.run(`timeout 0.3 busybox ping -c 1 -I ${from} ${address}`)).code === 0;
  }

  public close(): void {
    this.namespace.close();
  }
}

export class Network {
  public static async open(): Promise<Network> {
    const [host, router, client, behind] = items(
      await Promise.all([1, 2, 3, 4].map(async () => new Machine(await Namespace.open()))),
      4,
    );
    const network = new Network(host, router, client, behind);
    try {
      await network.connect();
    } catch (error) {
      network.close();
      throw error;
    }
    return network;
  }

  private constructor(
    public readonly host: Machine,
    public readonly router: Machine,
    public readonly client: Machine,
    public readonly behind: Machine,
  ) {}

  public close(): void {
    for (const machine of [this.host, this.router, this.client, this.behind]) {
      machine.close();
    }
  }

  /** Takes every firewall off the host. */
  public async unlock(): Promise<void> {
    const restore = "printf '*filter\\n:INPUT ACCEPT\\n:OUTPUT ACCEPT\\n:FORWARD ACCEPT\\nCOMMIT\\n' |";
    await this.host.must("nft flush ruleset");
    await this.host.must(`${restore} iptables-legacy-restore -w 20 && ${restore} ip6tables-legacy-restore -w 20`);
  }

  /** Loads a ruleset into a host without one. */
  public async lock(firewall: Firewall, props: PolicyProps): Promise<void> {
    await this.unlock();
    await this.update(firewall, props);
  }

  /** Loads a ruleset as the host program would, in the place of a former one. */
  public async update(firewall: Firewall, props: PolicyProps): Promise<void> {
    const policy = policyOf(props);
    if (firewall === "nftables") {
      await this.host.must("nft -f -", renderNftables(policy));
      return;
    }
    for (const [family, command] of [
      ["ipv4", "iptables"],
      ["ipv6", "ip6tables"],
    ] as const) {
      if (firewall === "whole file") {
        await this.host.must(`${command}-nft-restore`, renderIptablesFile(policy, family));
        continue;
      }
      const restore = firewall === "iptables-nft" ? `${command}-nft-restore` : `${command}-legacy-restore -w 20`;
      const overlay = renderIptables(policy, family);
      const jumps = [...overlay.matchAll(/^# {3}(-I .*)$/gm)].map((match) => match[1]);
      await this.host.must(`${restore} --noflush`, overlay);
      await this.host.must(`${restore} --noflush`, `*filter\n${jumps.join("\n")}\nCOMMIT\n`);
    }
  }

  private async connect(): Promise<void> {
    await this.router.must(`
      ip link add toHost type veth peer name eth0 netns ${this.host.pid}
      ip link add toClient mtu 1300 type veth peer name eth0 mtu 1500 netns ${this.client.pid}
      ip addr add 10.1.0.1/24 dev toHost && ip addr add fd01::1/64 dev toHost nodad
      ip addr add 10.2.0.1/24 dev toClient && ip addr add fd02::1/64 dev toClient nodad
      ip link set toHost up && ip link set toClient up
      sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1`);
    await this.host.must(`
      ip link add toBehind type veth peer name eth0 netns ${this.behind.pid}
      ip addr add 10.1.0.2/24 dev eth0 && ip addr add fd01::2/64 dev eth0 nodad
      ip addr add 10.3.0.1/24 dev toBehind
      ip link set eth0 up && ip link set toBehind up
      ip route add default via 10.1.0.1 && ip -6 route add default via fd01::1
      sysctl -qw net.ipv4.ip_forward=1`);
    await this.client.must(`
      ip addr add 10.2.0.2/24 dev eth0 && ip addr add 10.2.0.3/24 dev eth0
      ip addr add fd02::2/64 dev eth0 nodad && ip addr add fd02::3/64 dev eth0 nodad
      ip addr add fd02:0:0:1::1/64 dev eth0 nodad
      ip link set eth0 up
      ip route add default via 10.2.0.1 && ip -6 route add default via fd02::1`);
    await this.router.must("ip route add 10.3.0.0/24 via 10.1.0.2 && ip -6 route add fd02:0:0:1::/64 via fd02::2");
    await this.behind.must(`
      ip addr add 10.3.0.2/24 dev eth0 && ip link set eth0 up && ip route add default via 10.3.0.1`);
    // The kernel brings a link up in its own time.
    for (let tries = 0; tries < 20 && !(await this.client.pings("fd01::2", "fd02::2")); tries++);
  }
}
