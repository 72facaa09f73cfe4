/**
 * The words of the ssh command for a host. First what keeps the check honest, then what the operator says, then what the
 * state knows of the machine; for all else there is the user's own configuration. Values of a state are checked: ssh puts
 * some of them into a shell.
 */
import { existsSync } from "node:fs";
import { isIP } from "node:net";
import { homedir } from "node:os";
import { isAbsolute, resolve } from "node:path";
import { shellWord } from "../output/shell-word";
import { plain } from "../output/text";
import type { AskedConnection } from "../contract/connection";
import type { Host } from "../state/hosts";

export interface SshSettings {
  /** Who logs in, whatever the state says. */
  readonly user?: string | undefined;
  readonly identity?: string | undefined;
  /** Instead of ~/.ssh/config. */
  readonly config?: string | undefined;
  /** Further options, as behind ssh -o; for bastions too. */
  readonly options: readonly string[];
  readonly connectSeconds: number;
}

/** The pinned key of a machine, if it has one, under the name by which ssh looks it up. */
export interface Pin {
  readonly name: string;
  readonly key: string | undefined;
}

/** How a host is asked: the words in front of the command, and the keys that must be in the file of pinned ones. */
export interface Route {
  readonly args: readonly string[];
  readonly pins: readonly Pin[];
}

const PATTERNS = {
  address: /^[A-Za-z0-9_:][A-Za-z0-9_.:%-]*$/,
  user: /^[A-Za-z0-9_][A-Za-z0-9_.@+\\-]*\$?$/,
  port: /^[1-9][0-9]{0,4}$/,
  key: /^[a-z0-9@.-]+ +[A-Za-z0-9+/]+=*(?: |$)/,
} as const;

/** A path is given to ssh as a word of its own, or quoted. */
const CHECKS: Readonly<Partial<Record<string, RegExp>>> = {
  address: PATTERNS.address,
  port: PATTERNS.port,
  user: PATTERNS.user,
  hostKey: PATTERNS.key,
  bastionHost: PATTERNS.address,
  bastionPort: PATTERNS.port,
  bastionUser: PATTERNS.user,
  bastionHostKey: PATTERNS.key,
} satisfies Partial<Record<keyof AskedConnection | "address", RegExp>>;

/** What of a host cannot be given to ssh; undefined when all can. */
export function unusable({ address, connection }: Host): string | undefined {
  if (address === undefined || address === "") {
    return "the state does not have its address";
  }
  const bad = Object.entries({ address, ...connection }).find(([name, value]) => CHECKS[name]?.test(value) === false);
  return bad && `its ${wordFor(bad[0])} ${plain(JSON.stringify(bad[1]))} is not valid; it was not asked`;
}

/** `bastion host key` of `bastionHostKey`. */
const wordFor = (property: string): string => property.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/** @param pinned the file in which the pins will be; `name` distinguishes this host from all others. */
export function routeTo(host: Host, settings: SshSettings, pinned: string, name: string): Route {
  const { hostKey, bastionHost, bastionHostKey, privateKeyPath, user, port } = host.connection;
  const own: Pin = { name, key: hostKey };
  const bastion: Pin = { name: `${name}-bastion`, key: bastionHost === undefined ? undefined : bastionHostKey };
  const proxy =
    bastionHost === undefined
      ? []
      : [proxyCommand(host.connection, settings, bastionHost, firstWords(sooner(settings), pinned, bastion))];
  return {
    args: [
      ...firstWords(settings, pinned, own),
      ...identity(settings.identity ?? privateKeyPath),
      ...login(settings.user ?? user),
      ...dial(port),
      ...options(proxy),
      "-T",
      "--",
      host.address ?? "",
    ],
    pins: [own, bastion].filter(({ key }) => key !== undefined),
  };
}

/** A bastion that is silent is reported before ssh gives up the host behind it. */
const sooner = (settings: SshSettings): SshSettings => ({
  ...settings,
  connectSeconds: Math.max(1, Math.ceil(settings.connectSeconds * 0.7)),
});

/** As people write it; undefined where the host is reached directly. */
export function bastionOf({ connection }: Host): string | undefined {
  const { bastionHost, bastionUser, bastionPort, user } = connection;
  return bastionHost === undefined
    ? undefined
    : plain(`${bastionUser ?? user ?? "root"}@${bastionHost}${bastionPort === undefined ? "" : `:${bastionPort}`}`);
}

/** ssh takes the first value that it is given for an option. */
function firstWords({ config, options: more, connectSeconds }: SshSettings, pinned: string, pin: Pin): string[] {
  return [
    ...(config === undefined ? [] : ["-F", config]),
    ...options(ALWAYS),
    ...(pin.key === undefined ? [] : pinnedTo(pin.name, pinned)),
    ...options(more),
    ...options([`ConnectTimeout=${connectSeconds}`]),
  ];
}

function proxyCommand(
  connection: AskedConnection,
  settings: SshSettings,
  bastion: string,
  first: readonly string[],
): string {
  const words = [
    "ssh",
    // The least at which ssh prints why it could not go on from the bastion.
    ...options(["LogLevel=INFO"]),
    ...first,
    ...identity(settings.identity ?? connection.bastionPrivateKeyPath ?? connection.privateKeyPath),
    ...login(connection.bastionUser ?? connection.user),
    ...dial(connection.bastionPort),
    "-W",
  ];
  return `ProxyCommand=${[...words.map(proxyWord), "'[%h]:%p'", "'--'", proxyWord(bastion)].join(" ")}`;
}

/** The file of pinned keys. A key may also be that of an authority which signs the host's. */
export function pinnedKeys(pins: readonly Pin[]): string {
  return pins
    .map(({ name, key = "" }) => ({ name, key: key.trim().split(/ +/).slice(0, 2).join(" ") }))
    .map(({ name, key }) => `${name} ${key}\n@cert-authority ${name} ${key}\n`)
    .join("");
}

/** ssh reads files and asks people, reveals more to a host than it needs, and leaves processes behind, unless options prevent it. */
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

/** How far below the folder of the app Terraform runs, in cdktf.out/stacks/NAME. */
const FOLDERS_UP = ["", "..", "../..", "../../.."];

/** A file that only the machine of the deploy has is left out: the agent, or the user's configuration, may know better. */
function identity(path: string | undefined): string[] {
  const file = path?.replace(/^~(?=\/)/, homedir());
  if (file === undefined) {
    return [];
  }
  const found = isAbsolute(file) ? file : FOLDERS_UP.map((up) => resolve(up, file)).find((one) => existsSync(one));
  return found === undefined || !existsSync(found) ? [] : ["-i", found];
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
  return fits
    ? { address, ...(user === undefined ? {} : { user }), ...(port === undefined ? {} : { port }) }
    : undefined;
}
