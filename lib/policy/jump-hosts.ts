/** Hosts that are the bastion of others: once locked, such a host connects to nothing, and whatever is behind it is out of reach. */
import { listed } from "../output/text";
import { hostMessages } from "./host-messages";
import type { Host } from "./host";
import { machineOf } from "./host-name";
import { placeOf } from "../input/keys";
import { Problems } from "../input/problems";
import { AllowedSource } from "./source";

const portOf = ({ connection, policy }: Host): number => connection.port ?? policy.sshPort;

/** Adds a problem for each host, and port, that is the bastion of hosts to which none of its exceptions lets it connect. */
export function checkJumpHosts(hosts: readonly Host[], problems: Problems): void {
  const byPlace = new Map(hosts.map((host) => [`${machineOf(host.address)} ${portOf(host)}`, host]));
  const behind = new Map<Host, Map<number, Host[]>>();
  for (const host of hosts) {
    const { bastionHost, bastionPort = 22 } = host.connection;
    const jump = bastionHost === undefined ? undefined : byPlace.get(`${machineOf(bastionHost)} ${bastionPort}`);
    if (jump !== undefined && jump !== host && jump.policy.mode === "enforce" && !connects(jump, host)) {
      const byPort = behind.get(jump) ?? new Map<number, Host[]>();
      behind.set(jump, byPort.set(portOf(host), [...(byPort.get(portOf(host)) ?? []), host]));
    }
  }
  for (const [{ key }, byPort] of behind) {
    for (const [port, others] of byPort) {
      const literal = others.map(({ address }) => AllowedSource.parse(address, new Problems())?.cidr);
      const to = literal.every((one) => one !== undefined) ? `[${listed(literal, 5)}]` : "[their addresses]";
      const names = listed(
        others.map((other) => other.key),
        5,
      );
      problems.add(`${placeOf(key)}.exceptions`, hostMessages.jumpHost(names, to, port));
    }
  }
}

/** Of an address that is a name or a token nothing is known, so that any exception for its port will do. */
function connects(jump: Host, host: Host): boolean {
  const source = AllowedSource.parse(host.address, new Problems());
  return jump.policy.exceptions
    .filter(
      ({ direction, port, protocols }) => direction === "out" && port === portOf(host) && protocols.includes("tcp"),
    )
    .some(({ peers = [] }) => source === undefined || peers.some((peer) => peer.isToken || peer.covers(source)));
}
