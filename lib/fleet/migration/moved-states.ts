/**
 * Moves hosts between states, as `terraform state pull` prints them and `state push` takes them (version 4). Terraform's
 * own `state mv` does one instance at a time, and reads and writes the whole state for each.
 */
import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { FLEET, nameIn, PARTS } from "../../contract/names";
import { Failure } from "../../output/failure";
import { object, parseJson } from "../../state/json";
import { StateError } from "../../state/state-error";
import {
  type FileInstance,
  type FileResource,
  instancesIn,
  parseStateFile,
  type PlacedInstance,
  type StateFile,
} from "../../state/state-file";
import { migrationMessages } from "./migration-messages";
import type { Move } from "./migration";
import { withoutLonelySeals, withSealsOf } from "./moved-seals";

export class MoveError extends Failure {}

/** Undefined of a stack that was never deployed. */
export function readStateFile(text: string, stack: string): StateFile | undefined {
  if (text.trim() === "") {
    return undefined;
  }
  try {
    const document = object(parseJson(text), "");
    if (typeof document.serial === "number") {
      return parseStateFile(document);
    }
  } catch (error) {
    if (!(error instanceof StateError)) {
      throw error;
    }
  }
  throw new MoveError(migrationMessages.notStateFile(stack));
}

export type States = ReadonlyMap<string, StateFile | undefined>;

/** The hosts of which no state knows: never deployed, or their states are not these. */
export function missingFrom(states: States, moves: readonly Move[]): readonly string[] {
  const instances = byHost(states);
  return moves
    .filter(({ host, from, to }) => [from, to].every((stack) => instances(stack, host).length === 0))
    .map(({ host }) => host);
}

/** The states that hosts come into, with them. They stay where they were, too. */
export function withArrivals(states: States, moves: readonly Move[]): Map<string, StateFile> {
  if (missingFrom(states, moves).length === moves.length) {
    throw new MoveError(migrationMessages.noneFound([...states.keys()]));
  }
  const instances = byHost(states);
  /** By the state that they come into, and the one that they come from. */
  const arriving = new Map<string, Map<string, PlacedInstance[]>>();
  for (const { host, from, to } of moves) {
    const here = instances(from, host);
    const there = instances(to, host);
    if (here.length > 0 && there.length === 0) {
      const origins = arriving.get(to) ?? new Map<string, PlacedInstance[]>();
      arriving.set(to, origins.set(from, [...(origins.get(from) ?? []), ...here]));
    } else if (here.length > 0 && !isDeepStrictEqual(identities(here), identities(there))) {
      throw new MoveError(migrationMessages.inBoth(host, from, to));
    }
  }
  const arrived = (stack: string, origins: ReadonlyMap<string, readonly PlacedInstance[]>): StateFile =>
    [...origins].reduce(
      (state, [from, found]) => withSealsOf(found, states.get(from) as StateFile, state),
      joined(states.get(stack), [...origins.values()].flat()),
    );
  return new Map([...arriving].map(([stack, origins]) => [stack, arrived(stack, origins)]));
}

/** The states that hosts leave, without them: only those that are in their new state. */
export function withoutLeaving(states: States, moves: readonly Move[]): Map<string, StateFile> {
  const instances = byHost(states);
  const leaving = new Map<string, Set<FileInstance>>();
  for (const { host, from, to } of moves) {
    const here = instances(from, host);
    if (!isDeepStrictEqual(identities(here), here.length > 0 ? identities(instances(to, host)) : [])) {
      throw new MoveError(migrationMessages.notArrived(host, from, to));
    }
    const gone = leaving.get(from) ?? new Set<FileInstance>();
    here.forEach(({ instance }) => gone.add(instance));
    leaving.set(from, gone);
  }
  return new Map(
    [...leaving].flatMap(([stack, gone]) => {
      const state = states.get(stack);
      return state === undefined || gone.size === 0 ? [] : [[stack, withoutLonelySeals(without(state, gone))] as const];
    }),
  );
}

/** The instances of each host, by its stack and key. */
function byHost(states: States): (stack: string, host: string) => readonly PlacedInstance[] {
  const all = new Map<string, PlacedInstance[]>();
  for (const [stack, state] of states) {
    for (const found of state === undefined ? [] : instancesIn(state).filter(({ resource }) => isOfHosts(resource))) {
      const place = `${stack} ${String(found.instance.index_key)}`;
      all.set(place, [...(all.get(place) ?? []), found]);
    }
  }
  return (stack, host) => all.get(`${stack} ${host}`) ?? [];
}

/** What the stack of a fleet has for each of its hosts. Rulesets are named after hosts too, and belong to the stack. */
function isOfHosts({ mode, module, name }: FileResource): boolean {
  return (
    mode === "managed" &&
    module === undefined &&
    isOurs(name) &&
    !name.startsWith(nameIn(FLEET.construct, PARTS.ruleset))
  );
}

function isOurs(name: string): boolean {
  return name.startsWith(nameIn(FLEET.construct, ""));
}

function identities(found: readonly PlacedInstance[]): unknown {
  return found
    .map(({ resource, instance }) =>
      [addressOf(resource), instance.deposed ?? "", object(instance.attributes, "attributes").id].join(" "),
    )
    .sort();
}

function addressOf({ module = "", mode, type, name }: FileResource): string {
  return [module, mode, type, name].join(" ");
}

function joined(state: StateFile | undefined, arriving: readonly PlacedInstance[]): StateFile {
  const resources = new Map((state?.resources ?? []).map((resource) => [addressOf(resource), resource]));
  const added = new Map<string, FileInstance[]>();
  for (const { resource, instance } of arriving) {
    const address = addressOf(resource);
    resources.set(address, resources.get(address) ?? { ...resource, instances: [] });
    const instances = added.get(address) ?? [];
    instances.push(instance);
    added.set(address, instances);
  }
  return {
    ...(state ?? { version: 4 as const, terraform_version: "1.0.0", serial: 0, lineage: randomUUID() }),
    serial: (state?.serial ?? 0) + 1,
    resources: [...resources].map(([address, resource]) => ({
      ...resource,
      instances: [...resource.instances, ...(added.get(address) ?? [])],
    })),
  };
}

function without(state: StateFile, gone: ReadonlySet<FileInstance>): StateFile {
  const left = state.resources
    .map((resource) => ({ ...resource, instances: resource.instances.filter((instance) => !gone.has(instance)) }))
    .filter(({ instances }) => instances.length > 0);
  const next = { ...state, serial: state.serial + 1 };
  if (left.some(isOfHosts)) {
    return { ...next, resources: left };
  }
  // A stack without a host is not made any more, so that no plan would tidy this up.
  const outputs = Object.entries(state.outputs ?? {}).filter(([name]) => name !== FLEET.output);
  return { ...next, outputs: Object.fromEntries(outputs), resources: left.filter(({ name }) => !isOurs(name)) };
}
