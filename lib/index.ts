export { SshOnlyFirewall, type LockedHost } from "./ssh-only-firewall";
export type { BackendName } from "./contract/backends";
export type { TrackerKind } from "./contract/triggers";
export { InvalidInputError, type Problem } from "./input/problems";
export type { Family } from "./policy/address";
export type { BastionProps, ConnectionProps } from "./policy/connection";
export { type Direction, type ExceptionKind, PolicyException } from "./policy/exception";
export type {
  EgressOptions,
  IngressOptions,
  Peers,
  PingOptions,
  Protocol,
  ProtocolOptions,
  SyslogOptions,
  WireguardOptions,
} from "./policy/exception-options";
export type { OnDestroy, SshOnlyFirewallProps } from "./policy/firewall";
export type { Backend, HostProps, SharedProps } from "./policy/host";
export type { Denial, Mode, PolicyProps } from "./policy/policy";
export { AllowedSource } from "./policy/source";
