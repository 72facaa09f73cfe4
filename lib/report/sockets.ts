/** The sockets of a host: what `ss -tuanp` prints, or the tables of /proc/net behind each other. */
import { plain } from "../output/text";

export interface Listener {
  readonly protocol: "tcp" | "udp";
  readonly address: string;
  readonly port: number;
  /** Null where it is not known. */
  readonly program: string | null;
}

export interface Connected extends Listener {
  /** in: to a port on which the host listened. */
  readonly direction: "in" | "out";
  readonly peer: string;
  readonly peerPort: number;
  /** `established`, or that of a connection that began or ended just then, such as `time-wait`. */
  readonly state: string;
}

export interface Sockets {
  readonly listening: readonly Listener[];
  readonly connected: readonly Connected[];
  /** Lines that are neither, as they stand. */
  readonly other: readonly string[];
}

interface Socket extends Listener {
  readonly kind: "listening" | "connected";
  readonly peer: string;
  readonly peerPort: number;
  readonly state: string;
}

export function socketsIn(lines: readonly string[]): Sockets {
  const found: Socket[] = [];
  const other: string[] = [];
  let table: "tcp" | "udp" | undefined;
  for (const line of lines) {
    if (/^\s*sl\s+local_address/.test(line)) {
      table = /\bdrops\b/.test(line) ? "udp" : "tcp";
      continue;
    }
    if (/^Netid\s+State\b/.test(line)) {
      continue;
    }
    const socket = bySs(line) ?? (table === undefined ? undefined : byProc(line, table));
    if (socket === undefined) {
      other.push(plain(line));
    } else {
      found.push(socket);
    }
  }
  const listening = found.filter(({ kind }) => kind === "listening");
  const listenedOn = new Set(listening.map(({ protocol, port }) => `${protocol} ${port}`));
  return {
    listening: listening.map(listener),
    connected: found
      .filter(({ kind }) => kind === "connected")
      .map((one) => ({
        direction: listenedOn.has(`${one.protocol} ${one.port}`) ? "in" : "out",
        ...listener(one),
        peer: one.peer,
        peerPort: one.peerPort,
        state: one.state,
      })),
    other,
  };
}

const listener = ({ protocol, address, port, program }: Socket): Listener => ({ protocol, address, port, program });

function bySs(line: string): Socket | undefined {
  const [protocol, state, , , local = "", remote = "", ...rest] = line.trim().split(/\s+/);
  const [here, there] = [endOf(local), endOf(remote)];
  if ((protocol !== "tcp" && protocol !== "udp") || here === undefined || there === undefined) {
    return undefined;
  }
  const program = /^users:\(\("([^"]{1,100})"/.exec(rest.join(" "))?.[1];
  const all: Listener = { protocol, ...here, program: program === undefined ? null : plain(program) };
  const [peer, peerPort] = [there.address, there.port];
  if (state === "LISTEN" || (state === "UNCONN" && here.port > 0)) {
    return { kind: "listening", ...all, peer, peerPort, state: "listening" };
  }
  const word = state === "ESTAB" ? "established" : STATES.find((one) => one === state?.toLowerCase());
  return word === undefined ? undefined : { kind: "connected", ...all, peer, peerPort, state: word };
}

/** `10.0.0.1:22`, `[::1]%lo:22`, `*:22`, `0.0.0.0:*`. */
function endOf(text: string): { address: string; port: number } | undefined {
  const { address, port } = /^(?<address>[0-9A-Za-z.:%*[\]@_-]{1,100}):(?<port>\d{1,5}|\*)$/.exec(text)?.groups ?? {};
  return address === undefined
    ? undefined
    : { address: address.replace(/[[\]]/g, ""), port: port === "*" ? 0 : Number(port) };
}

/** Of TCP, in the order of the kernel's numbers, from 1 on; as ss has them, but for the first. */
const STATES: ReadonlyArray<string | undefined> = [
  "established",
  "syn-sent",
  "syn-recv",
  "fin-wait-1",
  "fin-wait-2",
  "time-wait",
  undefined,
  "close-wait",
  "last-ack",
  undefined,
  "closing",
];
const LISTEN: Readonly<Record<"tcp" | "udp", string>> = { tcp: "0A", udp: "07" };

function byProc(line: string, protocol: "tcp" | "udp"): Socket | undefined {
  const [, local = "", remote = "", state] = line.trim().split(/\s+/);
  const [here, there] = [hexEnd(local), hexEnd(remote)];
  const listens = state === LISTEN[protocol];
  const word = listens ? "listening" : STATES[parseInt(state ?? "", 16) - 1];
  if (here === undefined || there === undefined || word === undefined) {
    return undefined;
  }
  const kind = listens ? "listening" : "connected";
  return { kind, protocol, ...here, program: null, peer: there.address, peerPort: there.port, state: word };
}

/** `0100007F:0016`: words of 32 bits, each with its last byte first, as all machines write it that have Linux today. */
function hexEnd(text: string): { address: string; port: number } | undefined {
  const [, hex, port] = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(text) ?? [];
  if (hex === undefined) {
    return undefined;
  }
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => (word.match(/../g) ?? []).reverse());
  const address =
    bytes.length === 4
      ? bytes.map((byte) => parseInt(byte, 16)).join(".")
      : new URL(`http://[${bytes.join("").match(/.{4}/g)?.join(":")}]`).hostname.slice(1, -1);
  return { address, port: parseInt(port ?? "", 16) };
}
