/** The hosts that a command is about: of a state, of a fleet file, and those that the operator names. */
import { askedConnection } from "../contract/connection";
import { type Host, hostsIn } from "../state/hosts";
import { type NamedHost, withNamed } from "../state/named-hosts";
import { readSource } from "../state/source";
import { readState } from "../state/state";
import { readAt, StateError, stateProblems } from "../state/state-error";
import type { HostOptions } from "./host-options";

export async function readHosts(state: string, { fleet, also = [] }: HostOptions): Promise<readonly Host[]> {
  const source = readSource(state);
  const named = [...(fleet === undefined ? [] : await declaredIn(fleet)), ...also];
  return readAt(source, (text) => {
    const hosts = withNamed(hostsIn(readState(text), source.program), named);
    if (hosts.length === 0) {
      throw new StateError(stateProblems.noHosts());
    }
    return hosts;
  });
}

export async function declaredIn(file: string): Promise<readonly NamedHost[]> {
  // Only now, because it brings cdktf with it, which takes longer than asking a host.
  const { readFleet } = await import("../fleet/fleet-file.js");
  return readFleet(file).firewall.hosts.map(({ key, address, policy, connection }): NamedHost => {
    const values = { ...connection, port: connection.port ?? policy.sshPort };
    const asked = askedConnection((_, property) =>
      values[property] === undefined ? undefined : String(values[property]),
    );
    return { key, address, claim: "declared", connection: asked };
  });
}
