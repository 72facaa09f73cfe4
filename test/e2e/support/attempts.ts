/** What a place on the lab's network can reach: attempts as text, and what came of each. */
import * as path from "node:path";
import { firstLine, letGo, nsenter } from "../../lab/host";
import { listenerPorts, Place, type Host, type Target } from "../../lab/lab";

/** What came of each attempt: "answered", "no answer", or the code of the error (ECONNREFUSED). */
export type Outcomes = Record<string, string>;

/** Long enough for an answer on a busy machine. */
const patience = 5;
/** Long enough to believe that none comes. */
export const silence = 2;

export async function tryAll(from: Place, attempts: readonly string[], seconds = patience): Promise<Outcomes> {
  const program = path.join(__dirname, "try-attempts.mjs");
  const { stdout } = await from.exec([process.execPath, program, String(seconds), ...attempts]);
  return JSON.parse(stdout) as Outcomes;
}

/** The same outcome for all of the attempts, for comparing. */
export function each(attempts: readonly string[], outcome: string): Outcomes {
  return Object.fromEntries(attempts.map((attempt) => [attempt, outcome]));
}

/** Everything that a lab host with listeners answers. */
export function everythingOn(host: Target): string[] {
  return [...tcp(host, ...listenerPorts.tcp), ...udp(host, ...listenerPorts.udp), ...ping(host)];
}

/** What `startListeners` makes a place answer. */
export function everythingOf(peer: Target): string[] {
  return [...tcp(peer, 53, 8000), ...udp(peer, 53, 53535), ...ping(peer)];
}

/** Listeners for what the hosts send. */
export async function startListeners(place: Place): Promise<void> {
  const program = path.join(__dirname, "../../lab/listeners.mjs");
  const child = place.spawn([process.execPath, program, "53", "8000", "53/udp", "53535/udp"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await firstLine(child, "ready");
  letGo(child);
}

export function tcp(target: Target, ...ports: readonly number[]): string[] {
  return ports.flatMap((port) => [`tcp ${target.ipv4} ${port}`, `tcp ${target.ipv6} ${port}`]);
}

export function udp(target: Target, ...ports: readonly number[]): string[] {
  return ports.flatMap((port) => [`udp ${target.ipv4} ${port}`, `udp ${target.ipv6} ${port}`]);
}

export function ping(target: Target): string[] {
  return [`ping ${target.ipv4}`, `ping ${target.ipv6}`];
}

/** On the host's network, with the machine's files: a host need not have Node. */
export function networkOf(host: Host): Place {
  return new Place(
    `network of ${host.name}`,
    () => [...nsenter(host.initPid), "--net"],
    () => ({ PATH: `${process.env.PATH}:/usr/sbin:/sbin` }),
  );
}
