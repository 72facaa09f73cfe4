/** What a user says of an exception, besides its kind. */
import type { AllowedSource } from "./source";

export type Protocol = "tcp" | "udp";

/** An address or range, or a list of them. */
export type Peers = string | AllowedSource | ReadonlyArray<string | AllowedSource>;

export interface PingOptions {
  /**
   * Who may ping the host.
   * @default - the sources that may reach SSH
   */
  readonly from?: Peers;
}

export interface SyslogOptions {
  /** The log servers. */
  readonly to: Peers;
  /** @default 514 */
  readonly port?: number;
  /** @default "udp" */
  readonly protocol?: Protocol;
}

export interface EgressOptions {
  /** The addresses that the host may connect to. */
  readonly to: Peers;
  /** The port there. */
  readonly port: number;
  /** @default "tcp" */
  readonly protocol?: Protocol;
}

export interface IngressOptions {
  /** The addresses that may connect to the host. */
  readonly from: Peers;
  /** The port of the host. */
  readonly port: number;
  /** @default "tcp" */
  readonly protocol?: Protocol;
}

/** One of `peers` and `group`, or both. */
export interface ProtocolOptions {
  /**
   * A protocol beside TCP, UDP and ICMP: its number (1 to 254), or its name: igmp, ipip, 6in4, gre, esp, ah, eigrp, ospf, pim, vrrp,
   * l2tp, sctp.
   */
  readonly protocol: number | string;
  /**
   * The machines at the far end, which may send it to the host, also by a multicast group, and get it.
   * @default - whoever sends it to the group
   */
  readonly peers?: Peers;
  /**
   * The multicast groups, or a list of them, that it is sent to: "224.0.0.18" for VRRP.
   * @default - none
   */
  readonly group?: string | readonly string[];
}

export interface WireguardOptions {
  /** The addresses of the other ends, outside of the tunnel. */
  readonly peers: Peers;
  /**
   * The `ListenPort` of the host itself, which must be set there: without it, the host takes another one each time.
   * @default 51820
   */
  readonly port?: number;
}
