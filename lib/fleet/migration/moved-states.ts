/**
 * Moves hosts between states, as `terraform state pull` prints them and `state push` takes them (version 4). Terraform's
 * own `state mv` does one instance at a time, and reads and writes the whole state for each.
 */
import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { isObject } from "../../input/keys";
import { messages } from "../messages";
import type { Move } from "./migration";

export class MoveError extends Error {}

interface Instance {
  readonly index_key?: unknown;
  readonly deposed?: unknown;
  readonly attributes?: { readonly id?: unknown };
}

interface Resource {
  readonly module?: string;
  readonly mode: string;
  readonly type: string;
  readonly name: string;
  readonly instances: readonly Instance[];
}

export interface StateFile {
  readonly version: 4;
  readonly terraform_version: string;
  readonly serial: number;
  readonly lineage: string;
  readonly outputs?: Readonly<Record<string, unknown>>;
  readonly resources?: readonly Resource[];
}

/** Undefined of a stack that was never deployed. */
export function readStateFile(text: string, stack: string): StateFile | undefined {
  if (text.trim() === "") {
    return undefined;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The error repeats a piece of the text.
  }
  if (!isObject(value) || value.version !== 4 || typeof value.serial !== "number") {
    throw new MoveError(messages.notStateFile(stack));
  }
  return value as unknown as StateFile;
}

export type States = ReadonlyMap<string, StateFile | undefined>;

/** The hosts of which no state knows: never deployed, or their states are not these. */
export function missingFrom(states: States, moves: readonly Move[]): readonly string[] {
  const instances = indexed(states);
  return moves
    .filter(({ host, from, to }) => [from, to].every((stack) => instances(stack, host).length === 0))
    .map(({ host }) => host);
}

/** The states that hosts come into, with them. They stay where they were, too. */
export function withArrivals(states: States, moves: readonly Move[]): Map<string, StateFile> {
  if (missingFrom(states, moves).length === moves.length) {
    throw new MoveError(messages.noneFound([...states.keys()]));
  }
  const instances = indexed(states);
  const arriving = new Map<string, Found[]>();
  for (const { host, from, to } of moves) {
    const here = instances(from, host);
    const there = instances(to, host);
    if (here.length > 0 && there.length === 0) {
      arriving.set(to, [...(arriving.get(to) ?? []), ...here]);
    } else if (here.length > 0 && !isDeepStrictEqual(identities(here), identities(there))) {
      throw new MoveError(messages.inBoth(host, from, to));
    }
  }
  return new Map([...arriving].map(([stack, found]) => [stack, joined(states.get(stack), found)]));
}

/** The states that hosts leave, without them: only those that are in their new state. */
export function withoutLeaving(states: States, moves: readonly Move[]): Map<string, StateFile> {
  const instances = indexed(states);
  const leaving = new Map<string, Set<Instance>>();
  for (const { host, from, to } of moves) {
    const here = instances(from, host);
    if (!isDeepStrictEqual(identities(here), here.length > 0 ? identities(instances(to, host)) : [])) {
      throw new MoveError(messages.notArrived(host, from, to));
    }
    const gone = leaving.get(from) ?? new Set<Instance>();
    here.forEach(({ instance }) => gone.add(instance));
    leaving.set(from, gone);
  }
  return new Map(
    [...leaving]
      .filter(([, gone]) => gone.size > 0)
      .map(([stack, gone]) => [stack, without(states.get(stack) as StateFile, gone)]),
  );
}

interface Found {
  readonly resource: Resource;
  readonly instance: Instance;
}

function indexed(states: States): (stack: string, host: string) => readonly Found[] {
  const all = new Map<string, Found[]>();
  for (const [stack, state] of states) {
    for (const resource of state?.resources?.filter(isOfHosts) ?? []) {
      for (const instance of resource.instances) {
        const place = `${stack} ${String(instance.index_key)}`;
        const found = all.get(place) ?? [];
        found.push({ resource, instance });
        all.set(place, found);
      }
    }
  }
  return (stack, host) => all.get(`${stack} ${host}`) ?? [];
}

/** What the stack of a fleet has for each of its hosts. Rulesets are named after hosts too, and belong to the stack. */
function isOfHosts({ mode, module, name }: Resource): boolean {
  return mode === "managed" && module === undefined && isOurs(name) && !name.startsWith("fleet_ruleset");
}

function isOurs(name: string): boolean {
  return name.startsWith("fleet_");
}

function identities(found: readonly Found[]): unknown {
  return found
    .map(({ resource, instance }) => [addressOf(resource), instance.deposed ?? "", instance.attributes?.id].join(" "))
    .sort();
}

function addressOf({ module = "", mode, type, name }: Resource): string {
  return [module, mode, type, name].join(" ");
}

function joined(state: StateFile | undefined, arriving: readonly Found[]): StateFile {
  const resources = new Map((state?.resources ?? []).map((resource) => [addressOf(resource), resource]));
  const added = new Map<string, Instance[]>();
  for (const { resource, instance } of arriving) {
    const address = addressOf(resource);
    resources.set(address, resources.get(address) ?? { ...resource, instances: [] });
    const instances = added.get(address) ?? [];
    instances.push(instance);
    added.set(address, instances);
  }
  return {
    ...(state ?? { version: 4, terraform_version: "1.0.0", serial: 0, lineage: randomUUID() }),
    serial: (state?.serial ?? 0) + 1,
    resources: [...resources].map(([address, resource]) => ({
      ...resource,
      instances: [...resource.instances, ...(added.get(address) ?? [])],
    })),
  };
}

function without(state: StateFile, gone: ReadonlySet<Instance>): StateFile {
  const left = (state.resources ?? [])
    .map((resource) => ({ ...resource, instances: resource.instances.filter((instance) => !gone.has(instance)) }))
    .filter(({ instances }) => instances.length > 0);
  const next = { ...state, serial: state.serial + 1 };
  if (left.some(isOfHosts)) {
    return { ...next, resources: left };
  }
  // A stack without a host is not made any more, so that no plan would tidy this up.
  const outputs = Object.entries(state.outputs ?? {}).filter(([name]) => name !== "locked_hosts");
  return { ...next, outputs: Object.fromEntries(outputs), resources: left.filter(({ name }) => !isOurs(name)) };
}
