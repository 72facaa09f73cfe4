export { SshOnlyFirewall, type LockedHost, type SshOnlyFirewallProps } from "./ssh-only-firewall";
export type { OnDestroy } from "./terraform/context";
export type { BastionProps, ConnectionProps } from "./policy/connection";
export {
  type EgressOptions,
  type IngressOptions,
  type Peers,
  type PingOptions,
  PolicyException,
  type Protocol,
  type SyslogOptions,
} from "./policy/exception";
export type { Backend, HostProps, SharedProps } from "./policy/host";
export type { Denial, PolicyProps } from "./policy/policy";
export { AllowedSource } from "./policy/source";
export type { TrackerKind } from "./contract/triggers";
