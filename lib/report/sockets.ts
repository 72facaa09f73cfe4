/** The sockets of a host: what `ss -tuanp` prints, or the tables of /proc/net behind each other. */
import { plain } from "../status/text";

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
}

export interface Sockets {
  readonly listening: readonly Listener[];
  readonly connected: readonly Connected[];
  /** Lines that are neither, as they stand: also connections that were ending. */
  readonly other: readonly string[];
}

interface Socket extends Listener {
  readonly kind: "listening" | "connected";
  readonly peer: string;
  readonly peerPort: number;
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
  const heard = new Set(listening.map(({ protocol, port }) => `${protocol} ${port}`));
  return {
    listening: listening.map(listener),
    connected: found
      .filter(({ kind }) => kind === "connected")
      .map((one) => ({
        direction: heard.has(`${one.protocol} ${one.port}`) ? "in" : "out",
        ...listener(one),
        peer: one.peer,
        peerPort: one.peerPort,
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
    return { kind: "listening", ...all, peer, peerPort };
  }
  return state === "ESTAB" ? { kind: "connected", ...all, peer, peerPort } : undefined;
}

/** `10.0.0.1:22`, `[::1]%lo:22`, `*:22`, `0.0.0.0:*`. */
function endOf(text: string): { address: string; port: number } | undefined {
  const { address, port } = /^(?<address>[0-9A-Za-z.:%*[\]@_-]{1,100}):(?<port>\d{1,5}|\*)$/.exec(text)?.groups ?? {};
  return address === undefined
    ? undefined
    : { address: address.replace(/[[\]]/g, ""), port: port === "*" ? 0 : Number(port) };
}

const ESTABLISHED = "01";
const LISTEN: Readonly<Record<"tcp" | "udp", string>> = { tcp: "0A", udp: "07" };

function byProc(line: string, protocol: "tcp" | "udp"): Socket | undefined {
  const [, local = "", remote = "", state] = line.trim().split(/\s+/);
  const [here, there] = [hexEnd(local), hexEnd(remote)];
  if (here === undefined || there === undefined || (state !== ESTABLISHED && state !== LISTEN[protocol])) {
    return undefined;
  }
  const kind = state === ESTABLISHED ? "connected" : "listening";
  return { kind, protocol, ...here, program: null, peer: there.address, peerPort: there.port };
}

/** `0100007F:0016`: words of 32 bits, each with its last byte first, as all machines write it that have Linux today. */
function hexEnd(text: string): { address: string; port: number } | undefined {
  const [, hex, port] = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(text) ?? [];
  if (hex === undefined) {
    return undefined;
  }
  const words = hex.match(/.{8}/g) as string[];
  const bytes = words.flatMap((word) => (word.match(/../g) as string[]).reverse());
  const address =
    bytes.length === 4
      ? bytes.map((byte) => parseInt(byte, 16)).join(".")
      : new URL(`http://[${bytes.join("").match(/.{4}/g)?.join(":")}]`).hostname.slice(1, -1);
  return { address, port: parseInt(port, 16) };
}
