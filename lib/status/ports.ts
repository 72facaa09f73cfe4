/** Which ports must be closed, and whether they are: plain TCP connections from here. */
import { connect, type Socket } from "node:net";
import type { Answer } from "../ssh/answer";
import type { Outside, PortAnswer } from "./judge";

/** Tried where nothing is known to listen: an open host refuses them at least. */
const USUAL = [80, 443];
const MOST = 4;

/** What of a ruleset's texts matters to whoever knocks. */
export interface Manners {
  /** TCP ports that it lets in, from anywhere or from some. */
  readonly lets: ReadonlySet<number>;
  /** Whether it refuses what it denies, so that a refusal says nothing. */
  readonly refuses: boolean;
}

export function mannersOf(texts: readonly string[]): Manners {
  const inputs = texts.map((text) => /^\tchain input \{\n.*?^\t\}/ms.exec(text)?.[0] ?? text).join("\n");
  const rules = inputs.split("\n").filter((line) => !/^\s*(#|-A SSH_ONLY_(OUT|FWD))/.test(line));
  const lets = rules.flatMap((rule) =>
    [...(/tcp (?:.*--)?dport (\d+)\b.*accept/gi.exec(rule)?.slice(1) ?? [])].map(Number),
  );
  return {
    lets: new Set(lets),
    // Without its text it is not known.
    refuses: texts.length === 0 || rules.some((rule) => /reject/i.test(rule)),
  };
}

/** Those on which something listened tell most: they would be let in, were it not for the ruleset. */
export function portsToTry(
  wanted: readonly number[] | undefined,
  answer: Answer & { kind: "told" },
  manners: Manners,
  dialled: number | undefined,
): readonly number[] {
  const mayAnswer = (port: number): boolean => port === answer.port || port === dialled || manners.lets.has(port);
  const all = wanted ?? [...answer.listened.slice().sort((a, b) => a - b), ...USUAL];
  const closed = [...new Set(all)].filter((port) => !mayAnswer(port));
  return wanted === undefined ? closed.slice(0, MOST) : closed;
}

/** Knocks at all ports at once, and again after half the time, for packets get lost. */
export async function knock(
  address: string,
  ports: readonly number[],
  manners: Manners,
  milliseconds: number,
): Promise<Outside> {
  const answers = await Promise.all(ports.map((port) => tryPort(address, port, milliseconds)));
  return {
    kind: "tried",
    ports,
    answers: answers
      .filter((one): one is PortAnswer => one !== undefined)
      .filter(({ how }) => how === "accepts" || !manners.refuses),
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
