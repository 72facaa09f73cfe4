/**
 * The seals of hosts that move between states. One stands for all hosts of a group that were locked by one plan
 * (docs/design/terraform.md), so that it is in both states where some of them stay.
 */
import { SEAL_TYPE } from "../../contract/names";
import { PLANNED_AT, SEAL_TRIGGERS, SEALED_LOCKDOWNS, TRACKERS } from "../../contract/triggers";
import { isObject } from "../../input/keys";
import {
  type FileInstance,
  type FileResource,
  instancesIn,
  type PlacedInstance,
  type StateFile,
} from "../../state/state-file";

const { triggers: TRIGGERS_OF, memory: KEPT_IN } = TRACKERS[SEAL_TYPE];
const KEPT_AGAIN_IN = "output";

/** A state into which hosts came, with their seals. */
export function withSealsOf(hosts: readonly PlacedInstance[], from: StateFile, to: StateFile): StateFile {
  const ids = new Set(hosts.map(idOf));
  const sealed = new Set<string | undefined>(sealsIn(from).flatMap((seal) => lockdownsOf(seal.instance)));
  // What was locked by a plan of the same second, and is not known to be confirmed, must not come under the seal of others.
  const unsealed = new Set(hosts.filter((one) => !sealed.has(idOf(one))).map(plannedAt));
  let state = withSealsThat(to, ({ index_key }) => !unsealed.has(index_key));
  for (const seal of sealsIn(from)) {
    const arriving = lockdownsOf(seal.instance).filter((id) => ids.has(id));
    state = arriving.length === 0 ? state : withSeal(state, seal, arriving);
  }
  return state;
}

/** A state that hosts left, without the seals that are of those alone. */
export function withoutLonelySeals(state: StateFile): StateFile {
  const ids = new Set(instancesIn(state).map(idOf));
  return withSealsThat(state, (seal) => lockdownsOf(seal).some((id) => ids.has(id)));
}

function withSeal(state: StateFile, { resource, instance }: PlacedInstance, ids: readonly string[]): StateFile {
  const isSame = (other: FileResource): boolean => other.type === resource.type && other.name === resource.name;
  const there = state.resources.find(isSame);
  const others = (there?.instances ?? []).filter(({ index_key }) => index_key !== instance.index_key);
  const before = (there?.instances ?? []).find(({ index_key }) => index_key === instance.index_key);
  const all = [...new Set([...(before === undefined ? [] : lockdownsOf(before)), ...ids])];
  const made = { ...resource, instances: [...others, withLockdowns(before ?? instance, all)] };
  return { ...state, resources: [...state.resources.filter((one) => !isSame(one)), made] };
}

function withSealsThat(state: StateFile, isKept: (seal: FileInstance) => boolean): StateFile {
  const resources = state.resources.map((resource) => ({
    ...resource,
    instances: resource.instances.filter((one) => !isSeal(resource, one) || isKept(one)),
  }));
  return { ...state, resources: resources.filter(({ instances }) => instances.length > 0) };
}

function withLockdowns(seal: FileInstance, ids: readonly string[]): FileInstance {
  const kept = { ...keptBy(seal), [SEALED_LOCKDOWNS]: ids };
  const type = ["object", { [PLANNED_AT]: "string", [SEALED_LOCKDOWNS]: ["tuple", ids.map(() => "string")] }];
  const input = { value: kept, type };
  return { ...seal, attributes: { ...(seal.attributes as object), [KEPT_IN]: input, [KEPT_AGAIN_IN]: input } };
}

const sealsIn = (state: StateFile): readonly PlacedInstance[] =>
  instancesIn(state).filter(({ resource, instance }) => isSeal(resource, instance));

const isSeal = ({ type, module }: FileResource, instance: FileInstance): boolean =>
  type === SEAL_TYPE && module === undefined && SEAL_TRIGGERS.batch in valueIn(instance, TRIGGERS_OF);

function lockdownsOf(seal: FileInstance): readonly string[] {
  const ids = keptBy(seal)[SEALED_LOCKDOWNS];
  return Array.isArray(ids) ? ids.map(String) : [];
}

const keptBy = (instance: FileInstance): Record<string, unknown> => valueIn(instance, KEPT_IN);

/** Of either tracker. */
function plannedAt({ instance, resource }: PlacedInstance): unknown {
  const memory = Object.entries(TRACKERS).find(([type]) => type === resource.type)?.[1].memory;
  return memory === undefined ? undefined : valueIn(instance, memory)[PLANNED_AT];
}

function idOf({ instance: { attributes } }: PlacedInstance): string | undefined {
  return isObject(attributes) && typeof attributes.id === "string" ? attributes.id : undefined;
}

/** A map, or one with its type where the schema leaves that open. */
function valueIn({ attributes }: FileInstance, name: string): Record<string, unknown> {
  const found = isObject(attributes) ? attributes[name] : undefined;
  const value = isObject(found) && isObject(found.value) ? found.value : found;
  return isObject(value) ? value : {};
}
