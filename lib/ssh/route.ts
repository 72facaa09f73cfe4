/**
 * The words of the ssh command for a host. First what keeps the check honest, then what the operator says, then what the
 * state knows of the machine; for all else there is the user's own configuration. Values of a state are checked: ssh puts
 * some of them into a shell.
 */
import { existsSync } from "node:fs";
import { isIP } from "node:net";
import { homedir } from "node:os";
import { shellWord } from "../output/shell-word";
import type { Connection, Host } from "../state/hosts";
import { messages } from "../state/messages";

export interface SshSettings {
  /** Who logs in, whatever the state says. */
  readonly user?: string;
  readonly identity?: string;
  /** Instead of ~/.ssh/config. */
  readonly config?: string;
  /** Further options, as behind ssh -o; for bastions too. */
  readonly options: readonly string[];
  readonly connectSeconds: number;
}

/** A pinned key, under the name by which ssh looks it up. */
export interface Pin {
  readonly name: string;
  readonly key: string;
}

/** How a host is asked: the words in front of the command, and the keys that must be in the file of pinned ones. */
export interface Route {
  readonly args: readonly string[];
  readonly pins: readonly Pin[];
}

/** Where ssh connects to. */
export interface Destination {
  readonly host: string;
  readonly port: number | undefined;
  readonly isDirect: boolean;
}

const PATTERNS = {
  address: /^[A-Za-z0-9_:][A-Za-z0-9_.:%-]*$/,
  user: /^[A-Za-z0-9_][A-Za-z0-9_.@+\\-]*\$?$/,
  port: /^[1-9][0-9]{0,4}$/,
  key: /^[a-z0-9@.-]+ +[A-Za-z0-9+/]+=*(?: |$)/,
} as const;

const CHECKS: ReadonlyArray<readonly [keyof Connection, string, RegExp]> = [
  ["port", "port", PATTERNS.port],
  ["user", "user", PATTERNS.user],
  ["hostKey", "host key", PATTERNS.key],
  ["bastionHost", "bastion", PATTERNS.address],
  ["bastionPort", "bastion's port", PATTERNS.port],
  ["bastionUser", "bastion's user", PATTERNS.user],
  ["bastionHostKey", "bastion's host key", PATTERNS.key],
];

/** What of a host cannot be given to ssh; undefined when all can. */
export function unusable({ address, connection }: Host): string | undefined {
  if (address === undefined || address === "") {
    return messages.noAddress();
  }
  const bad: ReadonlyArray<readonly [string, string]> = [
    ...(PATTERNS.address.test(address) ? [] : [["address", address] as const]),
    ...CHECKS.filter(
      ([name, , pattern]) => !pattern.test(connection[name] ?? "") && connection[name] !== undefined,
    ).map(([name, word]) => [word, connection[name] as string] as const),
  ];
  return bad.length === 0 ? undefined : messages.badValue(...bad[0]);
}

/** @param pinned the file in which the pins will be; `name` tells this host from all others. */
export function routeTo(host: Host, settings: SshSettings, pinned: string, name: string): Route {
  const { connection } = host;
  const pins: Pin[] = [];
  const pin = (key: string | undefined, under: string): string[] => {
    if (key === undefined) {
      return [];
    }
    pins.push({ name: under, key });
    return pinnedTo(under, pinned);
  };
  const file = settings.config === undefined ? [] : ["-F", settings.config];
  const first = (key: string | undefined, under: string): string[] => [
    ...file,
    ...options(ALWAYS),
    ...pin(key, under),
    ...options(settings.options),
    ...options([`ConnectTimeout=${settings.connectSeconds}`]),
  ];
  const proxy = (bastion: string): string[] => {
    const words = [
      "ssh",
      ...first(connection.bastionHostKey, `${name}-bastion`),
      ...identity(settings.identity ?? connection.bastionPrivateKeyPath ?? connection.privateKeyPath),
      ...login(connection.bastionUser ?? connection.user),
      ...dial(connection.bastionPort),
      "-W",
      "[%h]:%p",
      "--",
      bastion,
    ];
    return [`ProxyCommand=${words.map((word) => (word === "[%h]:%p" ? `'${word}'` : proxyWord(word))).join(" ")}`];
  };
  const own = first(connection.hostKey, name);
  return {
    args: [
      ...own,
      ...identity(settings.identity ?? connection.privateKeyPath),
      ...login(settings.user ?? connection.user),
      ...dial(connection.port),
      ...options(connection.bastionHost === undefined ? [] : proxy(connection.bastionHost)),
      "-T",
      "--",
      host.address ?? "",
    ],
    pins,
  };
}

/** The file of pinned keys. A key may also be that of an authority which signs the host's. */
export function pinnedKeys(pins: readonly Pin[]): string {
  return pins
    .map(({ name, key }) => ({ name, key: key.trim().split(/ +/).slice(0, 2).join(" ") }))
    .map(({ name, key }) => `${name} ${key}\n@cert-authority ${name} ${key}\n`)
    .join("");
}

/** From what ssh logs of a login, at level VERBOSE; undefined where it uses a connection that is there already. */
export function connectedTo(log: string): Destination | undefined {
  const [, host, port] = /^Authenticated to \S+ \(\[(\S+)\]:(\d+)\)/m.exec(log) ?? [];
  if (host !== undefined) {
    return { host, port: Number(port), isDirect: true };
  }
  return /^Authenticated to \S+ \(via proxy\)/m.test(log) ? { host: "", port: undefined, isDirect: false } : undefined;
}

/** What of a log is for people. */
export function wordsOf(log: string): string {
  return log.replace(/^(Authenticated to|Transferred|Bytes per second|Warning)\b.*\n/gm, "");
}

/** From what `ssh -G` prints. */
export function destinationOf(settings: string): Destination | undefined {
  const lines = settings.split("\n").map((line) => line.split(" "));
  const of = (name: string): string | undefined => {
    const words = lines
      .find(([word]) => word === name)
      ?.slice(1)
      .join(" ");
    return words === "" || words === "none" ? undefined : words;
  };
  const host = of("hostname");
  const port = Number(of("port"));
  return host === undefined
    ? undefined
    : {
        host,
        port: Number.isInteger(port) ? port : undefined,
        isDirect: of("proxycommand") === undefined && of("proxyjump") === undefined,
      };
}

/** ssh reads files and asks people, tells a host more than it needs, and leaves processes behind, unless told not to. */
const ALWAYS = [
  "BatchMode=yes",
  "LogLevel=ERROR",
  "ControlMaster=no",
  "RemoteCommand=none",
  "PermitLocalCommand=no",
  "ClearAllForwardings=yes",
  "ForwardAgent=no",
  "ForwardX11=no",
  "ServerAliveInterval=5",
  "ServerAliveCountMax=3",
] as const;

/** Only that key, whatever address, file, DNS record or earlier connection says otherwise. */
function pinnedTo(name: string, file: string): string[] {
  return options([
    "StrictHostKeyChecking=yes",
    `HostKeyAlias=${name}`,
    `UserKnownHostsFile="${file.replace(/%/g, "%%")}"`,
    "GlobalKnownHostsFile=/dev/null",
    "CheckHostIP=no",
    "UpdateHostKeys=no",
    "VerifyHostKeyDNS=no",
    "NoHostAuthenticationForLocalhost=no",
    "ControlPath=none",
  ]);
}

const options = (words: readonly string[]): string[] => words.flatMap((word) => ["-o", word]);
const login = (user: string | undefined): string[] => (user === undefined ? [] : ["-l", user]);
const dial = (port: string | undefined): string[] => (port === undefined ? [] : ["-p", port]);

/** A file that only the machine of the deploy has is left out: the agent, or the user's configuration, may know better. */
function identity(path: string | undefined): string[] {
  const file = path?.replace(/^~(?=\/)/, homedir());
  return file === undefined || !existsSync(file) ? [] : ["-i", file];
}

/** A word of a ProxyCommand: ssh expands %, then gives the rest to a shell. */
function proxyWord(word: string): string {
  return shellWord(word.replace(/%/g, "%%"));
}

/** `USER@ADDRESS:PORT` as people write it: user and port may be left out, and an IPv6 address has brackets before a port. */
export function parseDestination(text: string): { address: string; user?: string; port?: string } | undefined {
  const { user, bracketed, name, port } =
    /^(?:(?<user>[^@]+)@)?(?:\[(?<bracketed>[^\]]+)\]|(?<name>[^:@]+))(?::(?<port>[0-9]+))?$/.exec(
      isIP(text) === 6 ? `[${text}]` : text,
    )?.groups ?? {};
  const address = bracketed ?? name;
  const fits =
    address !== undefined &&
    PATTERNS.address.test(address) &&
    (user === undefined || PATTERNS.user.test(user)) &&
    (port === undefined || PATTERNS.port.test(port));
  return fits ? { address, user, port } : undefined;
}
