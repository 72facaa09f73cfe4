/**
 * Counts every frame that comes out of a cable, by kind: in nftables at the cable's other end, before anything there
 * can drop it. It changes nothing, and belongs to the lab's private networks.
 */
import type { Host, Place } from "../../lab/lab";

export interface Seen {
  /** TCP from port 22 to one of the clients. */
  readonly ssh: number;
  /** ARP, IPv6 neighbour and router discovery, and multicast listener reports. */
  readonly plumbing: number;
  /** What else there was, such as "ip udp"; each kind once. */
  readonly others: readonly string[];
}

/** The clients of ssh, by family. */
export interface Clients {
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
}

export class Watch {
  /** @param device the end of the cable that frames come out of, in this place */
  public static async start(place: Place, device: string, clients: Clients): Promise<Watch> {
    const watch = new Watch(place, `watch_${device}`);
    const ssh = [...clients.ipv4.map((address) => `ip daddr ${address}`)];
    ssh.push(...clients.ipv6.map((address) => `ip6 daddr ${address}`));
    await place.exec(["nft", "-f", "-"], {
      input: `
        table netdev ${watch.table}
        delete table netdev ${watch.table}
        table netdev ${watch.table} {
          counter ssh { }
          counter plumbing { }
          set others { type ether_type . inet_proto; size 1000; flags dynamic; }
          chain arriving {
            type filter hook ingress device "${device}" priority 0; policy accept;
            meta protocol arp counter name plumbing accept
            icmpv6 type { 131, 132, 133, 135, 136, 143 } counter name plumbing accept
            ${ssh.map((to) => `tcp sport 22 ${to} counter name ssh accept`).join("\n            ")}
            update @others { meta protocol . meta l4proto }
          }
        }`,
    });
    return watch;
  }

  /** Everything that a host sends into the lab's network. */
  public static ofHost(controller: Place, host: Host, clients: Clients): Promise<Watch> {
    return Watch.start(controller, `h${host.ipv4.split(".")[3]}`, clients);
  }

  private constructor(
    private readonly place: Place,
    private readonly table: string,
  ) {}

  /** What has been seen since the start. */
  public async read(): Promise<Seen> {
    const { stdout } = await this.place.exec(["nft", "-j", "list", "table", "netdev", this.table]);
    const { nftables } = JSON.parse(stdout) as { nftables: Listed[] };
    const packets = (name: string): number =>
      nftables.find(({ counter }) => counter?.name === name)?.counter?.packets ?? NaN;
    const others = nftables.find(({ set }) => set?.name === "others")?.set?.elem ?? [];
    return {
      ssh: packets("ssh"),
      plumbing: packets("plumbing"),
      others: others.map(({ concat }) => concat.join(" ")).sort(),
    };
  }
}

/** What of nft's JSON is read here. */
interface Listed {
  readonly counter?: { readonly name: string; readonly packets: number };
  readonly set?: { readonly name: string; readonly elem?: ReadonlyArray<{ readonly concat: readonly string[] }> };
}
