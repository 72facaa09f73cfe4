/**
 * The hosts that a state has, and how each is reached. A lockdown is known by its four triggers and a ruleset by its three
 * texts, whatever a user calls them; a hold by its id in a lockdown, or by its name beside a ruleset.
 */
import { createHash } from "node:crypto";
import { NEVER_DRIFTED } from "../contract/drift";
import { isObject } from "../input/keys";
import { parseResourceName } from "../contract/names";
import { messages } from "./messages";
import { type Instance, type ListedHost, optionalText, type State } from "./state";

/** What the state, or a fleet file, knows of how a host is reached. */
export interface Connection {
  readonly port?: string;
  readonly user?: string;
  readonly hostKey?: string;
  readonly privateKeyPath?: string;
  readonly bastionHost?: string;
  readonly bastionPort?: string;
  readonly bastionUser?: string;
  readonly bastionHostKey?: string;
  readonly bastionPrivateKeyPath?: string;
}

/**
 * locked: by a whole lockdown. observed: by a whole lockdown that denies nothing. unfinished: there is a hold, and no lockdown that is whole. declared: only the fleet file
 * has it. absent: only the operator named it.
 */
export type Claim = "locked" | "observed" | "unfinished" | "declared" | "absent";

export interface Host {
  readonly key: string;
  /** The construct that it belongs to, with its modules; empty where that is not known. */
  readonly firewall: string;
  readonly claim: Claim;
  /** Why it is not locked in the state. */
  readonly why: string | undefined;
  readonly address: string | undefined;
  readonly owner: string | undefined;
  readonly ruleset: string | undefined;
  readonly program: string | undefined;
  readonly connection: Connection;
  /** The texts of its ruleset, where the state has them. */
  readonly texts: readonly string[];
  /** Its lockdown, where the state has one: the resource without the key, and its trigger for drift. */
  readonly lockdown?: { readonly resource: string; readonly drift: string };
}

/** A host that a fleet file or the operator names. */
export type NamedHost = Pick<Host, "key" | "connection"> & {
  readonly address: string;
  readonly claim: "declared" | "absent";
};

const LOCKDOWN = ["address", "hold", "host_program", "ruleset_sha256"] as const;
const TEXTS = ["nftables", "iptables", "ip6tables"] as const;

/** Where the two kinds of resource keep what forces a replacement, and what does not. */
const TRIGGERS: Readonly<Record<string, string>> = { null_resource: "triggers", terraform_data: "triggers_replace" };
const MEMORY: Readonly<Record<string, string>> = { null_resource: "triggers", terraform_data: "input" };

export function hostsIn(state: State): readonly Host[] {
  const parts = state.instances.filter(({ type }) => Object.hasOwn(TRIGGERS, type)).map((one) => new Part(one));
  const lockdowns = parts.filter((part) => part.has(LOCKDOWN));
  const rulesets = parts.filter((part) => part.has(TEXTS));
  const owners = new Set(lockdowns.map((lockdown) => lockdown.trigger("hold")));
  const firewalls = new Set([...lockdowns, ...rulesets].map((part) => part.firewall));
  const holds = parts.filter(
    (part) =>
      part.has(["address"]) &&
      !lockdowns.includes(part) &&
      (owners.has(part.id) || (parseResourceName(part.instance.name)?.part === "hold" && firewalls.has(part.firewall))),
  );
  const texts = new Map(rulesets.map((ruleset) => [ruleset.hash, ruleset.texts]));

  const current = (some: readonly Part[]): readonly Part[] => [
    ...new Map(some.filter(({ instance }) => !instance.deposed).map((part) => [part.slot, part])).values(),
  ];
  const found = joined(current(holds), current(lockdowns)).map(([hold, lockdown]) => hostOf(hold, lockdown, texts));
  const left = holds
    .filter(({ instance }) => instance.deposed)
    .map((hold) => ({ ...hostOf(hold, undefined, texts), why: messages.deposed() }));
  return [...found, ...left, ...state.listed.map(listed)].sort(
    (a, b) => compare(a.firewall, b.firewall) || compare(a.key, b.key),
  );
}

/**
 * Each hold with its lockdown: by its id in the lockdown, whatever both are called; where no hold has that id, by the names
 * that they have in common.
 */
function joined(
  holds: readonly Part[],
  lockdowns: readonly Part[],
): ReadonlyArray<readonly [Part | undefined, Part | undefined]> {
  const byId = new Map(holds.flatMap((hold) => (hold.id === undefined ? [] : [[hold.id, hold] as const])));
  const pairs = new Map<Part, Part>();
  for (const lockdown of lockdowns) {
    const hold = byId.get(lockdown.trigger("hold") ?? "");
    if (hold !== undefined) {
      pairs.set(lockdown, hold);
    }
  }
  const taken = new Set(pairs.values());
  const bySlot = new Map(holds.filter((hold) => !taken.has(hold)).map((hold) => [hold.slot, hold]));
  for (const lockdown of lockdowns.filter((one) => !pairs.has(one))) {
    const hold = bySlot.get(lockdown.slot);
    if (hold !== undefined) {
      pairs.set(lockdown, hold);
      taken.add(hold);
    }
  }
  return [
    ...holds.filter((hold) => !taken.has(hold)).map((hold) => [hold, undefined] as const),
    ...lockdowns.map((lockdown) => [pairs.get(lockdown), lockdown] as const),
  ];
}

/** Hosts of the state first; of the others those that it does not have, and for its own what it does not know of them. */
export function withNamed(hosts: readonly Host[], named: readonly NamedHost[]): readonly Host[] {
  const fits = (one: string | undefined, other: string | undefined): boolean =>
    one === undefined || other === undefined || one === other;
  const same = (host: Host, other: NamedHost): boolean =>
    host.address === other.address &&
    fits(host.connection.port, other.connection.port) &&
    fits(host.connection.bastionHost, other.connection.bastionHost);
  const known = hosts.map((host) => {
    const declared = named.find((other) => other.claim === "declared" && same(host, other));
    return declared === undefined ? host : { ...host, connection: { ...declared.connection, ...host.connection } };
  });
  const own = named.filter(
    (one, index) =>
      !hosts.some((host) => same(host, one)) && named.findIndex(({ address }) => address === one.address) === index,
  );
  return [...known, ...own.map(strange)];
}

class Part {
  public constructor(public readonly instance: Instance) {}

  public get id(): string | undefined {
    return optionalText(this.instance.values.id);
  }

  /** `fleet` of `module.a.null_resource.fleet_hold`. */
  public get firewall(): string {
    const { module, name } = this.instance;
    const own = parseResourceName(name)?.firewall ?? name;
    return module === "" ? own : `${module}.${own}`;
  }

  /** `module.a.null_resource.fleet_hold`: of all instances. */
  public get resource(): string {
    const { module, type, name } = this.instance;
    return `${module === "" ? "" : `${module}.`}${type}.${name}`;
  }

  /** What a hold and the lockdown of the same host have in common, unless they were given other names. */
  public get slot(): string {
    return JSON.stringify([this.firewall, this.instance.type, this.instance.index]);
  }

  public get hash(): string {
    return createHash("sha256").update(this.texts.join("")).digest("hex");
  }

  public get texts(): readonly string[] {
    return TEXTS.map((name) => this.trigger(name) ?? "");
  }

  public has(names: readonly string[]): boolean {
    return names.every((name) => Object.hasOwn(this.at(TRIGGERS), name));
  }

  public trigger(name: string): string | undefined {
    return own(this.at(TRIGGERS), name);
  }

  public memory(name: string): string | undefined {
    return own(this.at(MEMORY), name);
  }

  private at(where: Readonly<Record<string, string>>): Record<string, unknown> {
    const value = this.instance.values[where[this.instance.type]];
    return isObject(value) ? value : {};
  }
}

function own(values: Record<string, unknown>, name: string): string | undefined {
  return Object.hasOwn(values, name) ? optionalText(values[name]) : undefined;
}

function hostOf(
  hold: Part | undefined,
  lockdown: Part | undefined,
  texts: ReadonlyMap<string, readonly string[]>,
): Host {
  // As review has it: the host is called what its lockdown is.
  const part = (lockdown ?? hold) as Part;
  const owner = lockdown?.trigger("hold");
  const why =
    lockdown === undefined
      ? messages.noLockdown()
      : lockdown.instance.tainted
        ? messages.tainted()
        : hold !== undefined && hold.id !== owner
          ? messages.oldHold()
          : undefined;
  const ruleset = lockdown?.trigger("ruleset_sha256");
  return {
    key: part.instance.index ?? part.instance.name,
    firewall: part.firewall,
    claim: why !== undefined ? "unfinished" : lockdown?.trigger("mode") === "observe" ? "observed" : "locked",
    why,
    address: (hold ?? part).trigger("address"),
    owner: hold?.id ?? owner,
    ruleset,
    program: lockdown?.trigger("host_program"),
    connection: hold === undefined ? {} : connectionOf(hold),
    texts: (ruleset === undefined ? undefined : texts.get(ruleset)) ?? [],
    ...(lockdown === undefined
      ? {}
      : { lockdown: { resource: lockdown.resource, drift: lockdown.trigger("drift") ?? NEVER_DRIFTED } }),
  };
}

function connectionOf(hold: Part): Connection {
  return connectionFrom((name) => hold.memory(name));
}

/** By the names that Terraform has for its parts. */
export function connectionFrom(valueOf: (name: string) => string | undefined): Connection {
  const known = {
    port: valueOf("port"),
    user: valueOf("user"),
    hostKey: valueOf("host_key"),
    privateKeyPath: valueOf("private_key_path"),
    bastionHost: valueOf("bastion_host"),
    bastionPort: valueOf("bastion_port"),
    bastionUser: valueOf("bastion_user"),
    bastionHostKey: valueOf("bastion_host_key"),
    bastionPrivateKeyPath: valueOf("bastion_private_key_path"),
  };
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined));
}

function listed(host: ListedHost): Host {
  const { key, output, address, owner, ruleset } = host;
  return {
    ...strange({ key, address: "", claim: "absent", connection: {} }),
    firewall: output,
    claim: "locked",
    address,
    owner,
    ruleset,
  };
}

function strange({ key, address, claim, connection }: NamedHost): Host {
  return {
    key,
    firewall: "",
    claim,
    why: claim === "declared" ? messages.notDeployed() : undefined,
    address,
    owner: undefined,
    ruleset: undefined,
    program: undefined,
    connection,
    texts: [],
  };
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
