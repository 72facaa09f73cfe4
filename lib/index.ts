export { SshOnlyFirewall, type LockedHost } from "./ssh-only-firewall";
export type { BackendName } from "./contract/backends";
export type { TrackerKind } from "./contract/triggers";
export { InvalidInputError, type Problem } from "./input/problems";
export type { Family } from "./policy/address";
export type { BastionProps, ConnectionProps } from "./policy/connection";
export {
  type Direction,
  type EgressOptions,
  type ExceptionKind,
  type IngressOptions,
  type Peers,
  type PingOptions,
  PolicyException,
  type Protocol,
  type SyslogOptions,
} from "./policy/exception";
export type { OnDestroy, SshOnlyFirewallProps } from "./policy/firewall";
export type { Backend, HostProps, SharedProps } from "./policy/host";
export type { Denial, Mode, PolicyProps } from "./policy/policy";
export { AllowedSource } from "./policy/source";
