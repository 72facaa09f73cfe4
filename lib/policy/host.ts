/** The hosts of a firewall: read from what the user wrote, checked, each with all that applies to it. */
import {
  checkConnection,
  type Connection,
  type ConnectionProps,
  completeConnection,
  parseConnection,
} from "./connection";
import { BACKEND_NAMES, type BackendName } from "../contract/backends";
import { SAME_STACK } from "../contract/settings";
import { hostMessages } from "./host-messages";
import { machineOf, parseHostName } from "./host-name";
import { checkKeys, isObject, placeOf, reader } from "../input/keys";
import { POLICY_KEYS, type Policy, type PolicyProps, parsePolicy } from "./policy";
import { Problems } from "../input/problems";
import { parseBoolean, parseChoice, parseInteger } from "../input/values";

/** The firewall that a host has: nftables, iptables, or nftables where `nft` works and iptables elsewhere. */
export type Backend = BackendName | "auto";

/** What can be said of all hosts, or of one. */
export interface SharedProps extends PolicyProps {
  /** @default "auto" */
  readonly backend?: Backend;
  /**
   * How long a host waits, once its rules are loaded, for the confirm that comes over a new connection, before it
   * restores its previous rules. From 10 to 3600.
   * @default 120
   */
  readonly confirmWithinSeconds?: number;
  /**
   * Skips those checks before a lock that compare the policy with the way in which Terraform came (port, source, lease,
   * login). Only the watchdog is left then: for drills, and for hosts that hide how they are reached.
   * @default false
   */
  readonly skipPreflight?: boolean;
  /**
   * Whether to lock a host that another owner has locked, whose destroy then no longer opens it.
   *
   * `"same-stack"`: only if the stack, construct, Terraform workspace and host name that locked it are the same as now. Set it
   * for the whole firewall after a deploy that ended before its state was written. It takes over from nobody else; but two states
   * of the same stack would take hosts from each other.
   *
   * `true`: whoever locked it. Set it for one host whose Terraform state is gone, and remove it after that deploy.
   * @default false
   */
  readonly takeOver?: boolean | typeof SAME_STACK;
  /**
   * Whether the host stays locked through a restart, and puts its rules back when another program removes them. Needs
   * systemd, OpenRC or sysvinit; without it, a restart opens the host.
   * @default true
   */
  readonly persist?: boolean;
  /** How Terraform reaches the host. A host's own connection goes over the shared one, property by property. */
  readonly connection?: ConnectionProps;
}

export interface HostProps extends SharedProps {
  /** The IP address or name that Terraform connects to; may be a token. A new address means another machine. */
  readonly address: string;
}

/** The keys of SharedProps. */
export const SHARED_KEYS = [
  ...POLICY_KEYS,
  "backend",
  "confirmWithinSeconds",
  "skipPreflight",
  "takeOver",
  "persist",
  "connection",
] as const satisfies ReadonlyArray<keyof SharedProps>;

export const BACKENDS: readonly Backend[] = [...BACKEND_NAMES, "auto"];

export const TAKE_OVER = [false, true, SAME_STACK] as const;

/** A checked host. */
export interface Host {
  readonly key: string;
  readonly address: string;
  readonly policy: Policy;
  readonly backend: Backend;
  readonly confirmWithinSeconds: number;
  readonly skipPreflight: boolean;
  readonly takeOver: boolean | typeof SAME_STACK;
  readonly persist: boolean;
  readonly connection: Connection;
}

/** The shared part, checked once; hosts are read on top of it. */
export interface Shared {
  readonly props: SharedProps;
  /** Undefined when something is wrong with the shared part. */
  readonly policy: Policy | undefined;
  readonly connection: Partial<Connection>;
}

/** @param otherKeys keys that `props` may have besides the shared ones; they are not looked at. */
export function parseShared(props: unknown, problems: Problems, otherKeys: readonly string[]): Shared {
  if (!checkKeys(props, [...SHARED_KEYS, ...otherKeys], problems)) {
    return { props: {}, policy: undefined, connection: {} };
  }
  const before = problems.count;
  const policy = parsePolicy(pick(props, POLICY_KEYS), problems);
  parseKnobs(props, problems);
  return {
    props: pick(props, SHARED_KEYS),
    policy: problems.count > before ? undefined : policy,
    connection: props.connection === undefined ? {} : parseConnection(props.connection, problems.at("connection")),
  };
}

export const HOST_KEY = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** One host on top of what is shared; undefined after adding what is wrong with its own part. */
export function parseHost(key: string, value: unknown, shared: Shared, problems: Problems): Host | undefined {
  const before = problems.count;
  if (!HOST_KEY.test(key)) {
    problems.add("", hostMessages.badKey(key));
  } else if (key === "shared") {
    problems.add("", hostMessages.reservedKey(key));
  }
  const own = typeof value === "string" ? { address: value } : value;
  if (!isObject(own)) {
    problems.add("", hostMessages.notAHost(value));
    return undefined;
  }
  if (!checkKeys(own, ["address", ...SHARED_KEYS], problems)) {
    return undefined;
  }
  const read = reader(own, problems);
  const address = read("address", (given, at) => parseHostName(given, "connection.port", at));
  if (own.address === undefined) {
    problems.add("address", hostMessages.noAddress());
  }
  const connection = read("connection", parseConnection) ?? {};
  const policy = policyOf(own, shared, problems);
  // What is wrong with the shared part has been said once.
  const knobs = parseKnobs(
    { ...(shared.policy === undefined ? {} : shared.props), ...pick(own, SHARED_KEYS) },
    problems,
  );
  if (problems.count > before || address === undefined || policy === undefined) {
    return undefined;
  }
  return { key, address, policy, ...knobs, connection: completeConnection(shared.connection, connection) };
}

function policyOf(own: Record<string, unknown>, shared: Shared, problems: Problems): Policy | undefined {
  const overrides = pick(own, POLICY_KEYS);
  if (Object.keys(overrides).length === 0) {
    return shared.policy;
  }
  return parsePolicy(
    shared.policy === undefined ? overrides : { ...pick(shared.props, POLICY_KEYS), ...overrides },
    problems,
  );
}

/** Adds what makes no sense together in the hosts' connections, and only once what comes from the shared one. */
export function checkConnections(hosts: readonly Host[], shared: Shared, problems: Problems): void {
  const faultsOf = (connection: Connection): ReadonlyMap<string, string> => {
    const faults = new Problems();
    checkConnection(connection, faults);
    return new Map(faults.list.map(({ path, message }) => [path, message]));
  };
  const ofShared = faultsOf(completeConnection(shared.connection));
  const said = new Set<string>();
  for (const { key, connection } of hosts) {
    for (const [property, message] of faultsOf(connection)) {
      const place = `${ofShared.has(property) ? "" : `hosts.${placeOf(key)}.`}connection.${property}`;
      if (!said.has(place)) {
        said.add(place);
        problems.add(place, message);
      }
    }
  }
}

/** Adds a problem for each host that has the address, port and bastion of another. */
export function checkDistinctAddresses(hosts: readonly Host[], problems: Problems): void {
  const seen = new Map<string, string>();
  for (const { key, address, policy, connection } of hosts) {
    const [machine, bastion] = [address, connection.bastionHost].map(machineOf);
    const place = `${machine} ${connection.port ?? policy.sshPort} ${bastion ?? ""}`;
    const other = seen.get(place);
    if (other === undefined) {
      seen.set(place, key);
    } else {
      problems.add(`${key}.address`, hostMessages.sameAddress(address, other));
    }
  }
}

function parseKnobs(
  props: Record<string, unknown>,
  problems: Problems,
): Pick<Host, "backend" | "confirmWithinSeconds" | "skipPreflight" | "takeOver" | "persist"> {
  const read = reader<keyof SharedProps>(props, problems);
  return {
    backend: read("backend", (value, at) => parseChoice(value, BACKENDS, at)) ?? "auto",
    confirmWithinSeconds:
      read("confirmWithinSeconds", (value, at) => parseInteger(value, { min: 10, max: 3600 }, at)) ?? 120,
    skipPreflight: read("skipPreflight", parseBoolean) ?? false,
    takeOver: read("takeOver", (value, at) => parseChoice(value, TAKE_OVER, at)) ?? false,
    persist: read("persist", parseBoolean) ?? true,
  };
}

/** What is said under those keys; undefined says nothing, and goes over nothing. */
function pick(props: object, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(props).filter(([key, value]) => keys.includes(key) && value !== undefined));
}
