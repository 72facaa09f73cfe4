/** How Terraform reaches a host over SSH: read from what the user wrote, and checked. */
import { normalize } from "node:path";
import { Token } from "../framework/framework";
import { hostMessages } from "./host-messages";
import { checkKeys, reader } from "../input/keys";
import { parseHostName } from "./host-name";
import type { Problems } from "../input/problems";
import { literalParts, plainText } from "../input/text";
import { valueMessages } from "../input/value-messages";
import { parseBoolean, parseInteger, parsePort } from "../input/values";

export interface BastionProps {
  /** The address or name of the bastion. */
  readonly host: string;
  /** @default - the user of the host */
  readonly user?: string;
  /** @default 22 */
  readonly port?: number;
  /** The file that holds the private key for the bastion. @default - the private key for the host */
  readonly privateKeyPath?: string;
  /** The bastion's public host key; Terraform before 1.15 and OpenTofu do not check it. @default - not checked */
  readonly hostKey?: string;
}

/** No secret is among these: a private key is named by its path, or stays in an agent. */
export interface ConnectionProps {
  /** The login user: root, or one with password-less sudo. @default "root" */
  readonly user?: string;
  /**
   * The port that Terraform dials; differs from `sshPort` when the host is behind a NAT that changes it.
   * @default - sshPort
   */
  readonly port?: number;
  /**
   * The file that holds the private key, read when Terraform runs. `~/` is the home; a relative path starts from the
   * folder in which the app runs, which is the folder of cdktf.json, and is the same file from every checkout.
   * @default - the agent is asked
   */
  readonly privateKeyPath?: string;
  /** The file that holds the signed certificate of that key, which must be named too. @default - none */
  readonly certificatePath?: string;
  /**
   * Whether an SSH agent is asked; without one there must be a private key. Terraform then also forwards it to the host.
   * @default - only without privateKeyPath
   */
  readonly agent?: boolean;
  /**
   * The host's public key, such as `ssh-ed25519 AAAAC3Nza…`. Behind a bastion it needs Terraform 1.15 or later: earlier ones, and
   * OpenTofu, check the bastion against it, and fail with a key mismatch.
   * @default - not checked, with a warning at synth
   */
  readonly hostKey?: string;
  /** A host to jump over. @default - none */
  readonly bastion?: BastionProps;
  /** How long Terraform tries to connect. @default 300 */
  readonly timeoutSeconds?: number;
  /**
   * Where the script lies while it runs; `%RAND%` becomes a random number. Terraform makes it writable for everybody before
   * it runs it, and it becomes root: so its folder must be one that only the login user can enter. Other users' homes often
   * can be entered by all, and /tmp always, which may be mounted noexec too. Where there is no `~/.ssh` (sshd may have its
   * keys elsewhere), Terraform's upload fails before any change: make it, or name another such folder.
   * @default - "./.ssh/.ssh-only-firewall-%RAND%.sh"; for root "./.ssh-only-firewall-%RAND%.sh", in its home
   */
  readonly scriptPath?: string;
}

/** A checked connection: one value an attribute; text may hold tokens. */
export interface Connection {
  readonly user: string;
  readonly port: number | undefined;
  readonly privateKeyPath: string | undefined;
  readonly certificatePath: string | undefined;
  readonly agent: boolean;
  readonly hostKey: string | undefined;
  readonly bastionHost: string | undefined;
  readonly bastionUser: string | undefined;
  readonly bastionPort: number | undefined;
  readonly bastionPrivateKeyPath: string | undefined;
  readonly bastionHostKey: string | undefined;
  readonly timeoutSeconds: number;
  readonly scriptPath: string;
}

export const CONNECTION_KEYS = [
  "user",
  "port",
  "privateKeyPath",
  "certificatePath",
  "agent",
  "hostKey",
  "bastion",
  "timeoutSeconds",
  "scriptPath",
] as const satisfies ReadonlyArray<keyof ConnectionProps>;

export const BASTION_KEYS = ["host", "user", "port", "privateKeyPath", "hostKey"] as const satisfies ReadonlyArray<
  keyof BastionProps
>;

/** What `props` says, checked; undefined values are left out, so that a host's own connection goes over the shared one. */
export function parseConnection(props: unknown, problems: Problems): Partial<Connection> {
  if (!checkKeys(props, CONNECTION_KEYS, problems)) {
    return {};
  }
  const read = reader(props, problems);
  const privateKeyPath = read("privateKeyPath", parsePath);
  return {
    ...defined({
      user: read("user", parseWord),
      port: read("port", parsePort),
      privateKeyPath,
      certificatePath: read("certificatePath", parsePath),
      agent: read("agent", parseBoolean) ?? (privateKeyPath === undefined ? undefined : false),
      hostKey: read("hostKey", parseHostKey),
      timeoutSeconds: read("timeoutSeconds", (value, at) => parseInteger(value, { min: 1, max: 3600 }, at)),
      scriptPath: read("scriptPath", parseScriptPath),
    }),
    ...read("bastion", parseBastion),
  };
}

export function completeConnection(...layers: ReadonlyArray<Partial<Connection>>): Connection {
  const connection = Object.assign(
    {
      user: "root",
      port: undefined,
      privateKeyPath: undefined,
      certificatePath: undefined,
      agent: true,
      hostKey: undefined,
      bastionHost: undefined,
      bastionUser: undefined,
      bastionPort: undefined,
      bastionPrivateKeyPath: undefined,
      bastionHostKey: undefined,
      timeoutSeconds: 300,
    },
    ...layers,
  ) as Omit<Connection, "scriptPath"> & Partial<Connection>;
  return { ...connection, scriptPath: connection.scriptPath ?? defaultScriptPath(connection.user) };
}

/** Only its user can enter the folder, also where the user is a token, and may turn out to be root. */
function defaultScriptPath(user: string): string {
  return `${user === "root" ? "." : "./.ssh"}/.ssh-only-firewall-%RAND%.sh`;
}

/** Adds what makes no sense together, once all layers have been laid over each other. Tokens may turn out to be anything. */
export function checkConnection(connection: Connection, problems: Problems): void {
  const { privateKeyPath, certificatePath, agent } = connection;
  if (privateKeyPath === undefined && certificatePath !== undefined && !Token.isUnresolved(certificatePath)) {
    problems.add("certificatePath", hostMessages.certificateAlone());
  }
  if (privateKeyPath === undefined && !agent) {
    problems.add("agent", hostMessages.nobodyLogsIn());
  }
}

function parseBastion(props: unknown, problems: Problems): Partial<Connection> | undefined {
  if (!checkKeys(props, BASTION_KEYS, problems)) {
    return undefined;
  }
  const read = reader(props, problems);
  if (props.host === undefined) {
    problems.add("host", hostMessages.noAddress());
  }
  // All five, so that a host's own bastion replaces the shared one as a whole.
  return {
    bastionHost: read("host", (value, at) => parseHostName(value, "bastion.port", at)),
    bastionUser: read("user", parseWord),
    bastionPort: read("port", parsePort),
    bastionPrivateKeyPath: read("privateKeyPath", parsePath),
    bastionHostKey: read("hostKey", parseHostKey),
  };
}

/** Without what is undefined, as the type says. */
function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<
    Record<keyof T, never>
  >;
}

/** Text without spaces, or a token. */
function parseWord(value: unknown, problems: Problems): string | undefined {
  if (!plainText(value, problems)) {
    return undefined;
  }
  if (value === "" || literalParts(value)?.some((part) => /\s/.test(part))) {
    problems.add("", value === "" ? valueMessages.isEmpty() : valueMessages.hasSpaces(value));
    return undefined;
  }
  return value;
}

function parsePath(value: unknown, problems: Problems): string | undefined {
  if (!plainText(value, problems)) {
    return undefined;
  }
  if (value === "") {
    problems.add("", valueMessages.isEmpty());
    return undefined;
  }
  if (Token.isUnresolved(value) || value.startsWith("~/")) {
    return value;
  }
  const message = value.startsWith("~")
    ? hostMessages.otherHome(value)
    : /^\$\w/.test(value)
      ? hostMessages.shellVariable(value)
      : undefined;
  if (message !== undefined) {
    problems.add("", message);
    return undefined;
  }
  // Not the whole path, which would be another one in each checkout.
  return normalize(value);
}

/** The login shell runs it unquoted; a name without a slash it would look for in PATH. */
function parseScriptPath(value: unknown, problems: Problems): string | undefined {
  const path = parseWord(value, problems);
  if (path === undefined || Token.isUnresolved(path) || /^[\w.+%]*\/[\w.+%/-]*[\w.+%-]$/.test(path)) {
    return path;
  }
  problems.add("", hostMessages.badScriptPath(path));
  return undefined;
}

const HOST_KEY =
  /^(ssh-(ed25519|rsa|dss)|ecdsa-sha2-nistp(256|384|521)|sk-[a-z0-9-]+@openssh\.com) [A-Za-z0-9+/]{20,}={0,3}( \S+)*$/;

function parseHostKey(value: unknown, problems: Problems): string | undefined {
  if (!plainText(value, problems)) {
    return undefined;
  }
  if (Token.isUnresolved(value) || HOST_KEY.test(value)) {
    return value;
  }
  const withoutName = value.replace(/^\S+\s+/, "");
  problems.add(
    "",
    HOST_KEY.test(withoutName) ? hostMessages.hostKeyWithName(withoutName) : hostMessages.badHostKey(value),
  );
  return undefined;
}
