/** What is told of each host, by the names under which it travels: in locals, in scripts, and in memory. */
import { Token } from "cdktf";
import type { Host } from "../policy/host";
import { CONNECTION_NAMES, type ConnectionName } from "./connection";
import { type Term, literal, toJson } from "./escape";

/** A value in the configuration: a literal, a template with tokens, or nothing. */
export type Value = string | number | boolean | undefined;

/** What a host is given besides its connection and its ruleset; by its name in the host's entry. */
export const SETTINGS = {
  backend: (host) => host.backend,
  confirm_within: (host) => host.confirmWithinSeconds,
  skip_preflight: (host) => host.skipPreflight,
  take_over: (host) => host.takeOver,
} as const satisfies Record<string, (host: Host) => Value>;

/** What it is given besides, whose change locks it again: all that the host does with it, it does in a lock. */
export const TRIGGERING = {
  persist: (host) => host.persist,
} as const satisfies Record<string, (host: Host) => Value>;

export const CONNECTION: Record<ConnectionName, (host: Host) => Value> = {
  address: (host) => host.address,
  port: (host) => host.connection.port ?? host.policy.sshPort,
  user: (host) => host.connection.user,
  private_key_path: (host) => host.connection.privateKeyPath,
  certificate_path: (host) => host.connection.certificatePath,
  agent: (host) => host.connection.agent,
  host_key: (host) => host.connection.hostKey,
  bastion_host: (host) => host.connection.bastionHost,
  bastion_port: (host) => host.connection.bastionPort,
  bastion_user: (host) => host.connection.bastionUser,
  bastion_private_key_path: (host) => host.connection.bastionPrivateKeyPath,
  bastion_host_key: (host) => host.connection.bastionHostKey,
  script_path: (host) => host.connection.scriptPath,
  timeout: (host) => `${host.connection.timeoutSeconds}s`,
};

/** What a hold remembers for its unlock; the address is its trigger. */
export const MEMORY_NAMES = CONNECTION_NAMES.filter((name) => name !== "address");

/** Those that belong to the machine; all others belong to whoever runs Terraform, who has them now. */
export const OF_THE_MACHINE: ReadonlySet<ConnectionName> = new Set<ConnectionName>([
  "port",
  "user",
  "host_key",
  "bastion_host",
  "bastion_port",
  "bastion_user",
  "bastion_host_key",
]);

/** What of a connection the system's ssh is given. */
export const ASKED_WITH: readonly ConnectionName[] = [
  ...OF_THE_MACHINE,
  "private_key_path",
  "bastion_private_key_path",
];

/** Attributes that are literally the same for all hosts stand once, in the resource. */
export function commonValues(hosts: readonly Host[]): Map<string, Value> {
  const common = new Map<string, Value>();
  for (const [name, valueOf] of Object.entries({ ...CONNECTION, ...SETTINGS, ...TRIGGERING })) {
    const first = hosts.length > 0 ? valueOf(hosts[0] as Host) : undefined;
    if (name !== "address" && isLiteral(first) && hosts.every((host) => valueOf(host) === first)) {
      common.set(name, first);
    }
  }
  return common;
}

export function isLiteral(value: Value): boolean {
  return !Token.isUnresolved(value);
}

/** Of a literal: tokens stand only in the hosts' entries, as the templates that they are. */
export function term(value: Value): Term {
  return literal(value ?? null);
}

export const toTemplate = (value: Term): string => String(toJson(value));
