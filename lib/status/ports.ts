/** Which ports must be closed, and whether they are: plain TCP connections from here. */
import { connect, type Socket } from "node:net";
import type { RulesetSummary } from "../ruleset/reader";
import type { Answered } from "../ssh/answer";
import type { Outside, PortAnswer } from "./judge";

/** Tried where nothing is known to listen: an open host refuses them at least. */
const COMMON_PORTS = [80, 443];
const MOST = 4;

/** Those on which something listened show most: they would be let in, were it not for the ruleset. */
export function portsToTry(
  wanted: readonly number[] | undefined,
  answer: Answered,
  ruleset: RulesetSummary | undefined,
  dialled: number | undefined,
): readonly number[] {
  const open = [answer.port, dialled, ...openPorts(ruleset)];
  const all = wanted ?? [...answer.listened.slice().sort((a, b) => a - b), ...COMMON_PORTS];
  const closed = [...new Set(all)].filter((port) => !open.includes(port));
  return wanted === undefined ? closed.slice(0, MOST) : closed;
}

/** Which TCP ports a ruleset lets in. */
export function openPorts(ruleset: RulesetSummary | undefined): readonly number[] {
  const others = ruleset?.otherPorts.filter(({ protocol }) => protocol === "tcp").map(({ port }) => port) ?? [];
  return ruleset === undefined ? [] : [ruleset.sshPort, ...others];
}

/** Tries all ports at once, and again after half the time, for packets get lost. */
export async function probe(
  address: string,
  ports: readonly number[],
  ruleset: RulesetSummary | undefined,
  milliseconds: number,
): Promise<Outside> {
  const answers = await Promise.all(ports.map((port) => tryPort(address, port, milliseconds)));
  // Where denied packets are rejected, or nobody knows, a refusal says nothing.
  const mayRefuse = ruleset?.rejectsInbound !== false;
  return {
    kind: "tried",
    ports,
    answers: answers
      .filter((one): one is PortAnswer => one !== undefined)
      .filter(({ how }) => how === "accepts" || !mayRefuse),
  };
}

function tryPort(host: string, port: number, milliseconds: number): Promise<PortAnswer | undefined> {
  return new Promise((resolve) => {
    const sockets: Socket[] = [];
    const end = (answer?: PortAnswer): void => {
      timers.forEach(clearTimeout);
      sockets.forEach((socket) => socket.destroy());
      resolve(answer);
    };
    const begin = (): void => {
      const socket = connect({ host, port });
      sockets.push(socket);
      socket.once("connect", () => end({ port, how: "accepts" }));
      // Anything but a refusal comes from a machine on the way.
      socket.once("error", (error: NodeJS.ErrnoException) =>
        end(error.code === "ECONNREFUSED" ? { port, how: "refuses" } : undefined),
      );
    };
    const timers = [setTimeout(begin, milliseconds / 2), setTimeout(end, milliseconds)];
    begin();
  });
}
