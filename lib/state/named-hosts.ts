/** The hosts of a state beside those that a fleet file or the operator names. */
import type { AskedConnection } from "../contract/connection";
import { type Host, unknownHost } from "./hosts";

export interface NamedHost {
  readonly key: string;
  readonly address: string;
  readonly claim: "declared" | "absent";
  readonly connection: AskedConnection;
}

/** The hosts of the state, with what the fleet file knows and the state does not; then the named hosts that it does not have. */
export function withNamed(hosts: readonly Host[], named: readonly NamedHost[]): readonly Host[] {
  const known = hosts.map((host) => {
    const declared = named.find((other) => other.claim === "declared" && isSame(host, other));
    return declared === undefined ? host : { ...host, connection: { ...declared.connection, ...host.connection } };
  });
  const others = named.filter(
    (one, index) =>
      !hosts.some((host) => isSame(host, one)) && named.findIndex(({ address }) => address === one.address) === index,
  );
  return [...known, ...others.map(hostOf)];
}

function isSame(host: Host, other: NamedHost): boolean {
  const fits = (a: string | undefined, b: string | undefined): boolean => a === undefined || b === undefined || a === b;
  return (
    host.address === other.address &&
    fits(host.connection.port, other.connection.port) &&
    fits(host.connection.bastionHost, other.connection.bastionHost)
  );
}

function hostOf({ key, address, claim, connection }: NamedHost): Host {
  const why = claim === "declared" ? "in the fleet file but not in the state" : undefined;
  return { ...unknownHost(key, claim), why, address, connection };
}
