/** Which resources of a plan are holds, and of which lockdowns. */
import { holdOfIds, parseResourceName, PARTS } from "../contract/names";
import { VERBS } from "../contract/script";
import { HOLD_MARKS, HOLD_ROLE } from "../contract/triggers";
import { type Change, known } from "./plan";
import { type FirewallResource, groupOf, hasTriggers, holdIds, idsOf, remembered, SIDES, verbOf } from "./resources";

/** The holds, and by the group of lockdowns the groups of their holds: those of several waves have the same. */
export interface Holds {
  readonly resources: readonly FirewallResource[];
  readonly of: ReadonlyMap<string, ReadonlySet<string>>;
}

/** @param resources those that may be of a firewall */
export function findHolds(resources: readonly FirewallResource[], lockdowns: readonly FirewallResource[]): Holds {
  const candidates = resources.filter((one) => hasTriggers(one.change, HOLD_MARKS) && !lockdowns.includes(one));
  const of = new Map<string, Set<string>>();
  const found = new Set<string>();
  const link = (lockdown: Change, hold: string): void => {
    of.set(groupOf(lockdown), (of.get(groupOf(lockdown)) ?? new Set()).add(hold));
    found.add(hold);
  };
  const groups = new Set(candidates.map(({ change }) => groupOf(change)));
  const byId = new Map(candidates.flatMap(({ change }) => idsOf(change).map((id) => [id, groupOf(change)] as const)));
  for (const { change, block } of lockdowns) {
    const linked = [
      ...holdIds(change).map((id) => byId.get(id)),
      ...(block?.references ?? []).map((reference) => `${change.module}|${holdBehind(reference, change.type)}`),
    ];
    linked.forEach((hold) => hold !== undefined && groups.has(hold) && link(change, hold));
  }
  // Where neither an id nor the configuration says it, the hold does, and names say whose it is.
  for (const hold of candidates.filter(({ change }) => !found.has(groupOf(change)))) {
    if (isHoldByItself(hold)) {
      found.add(groupOf(hold.change));
      lockdowns
        .filter(({ change }) => isBeside(change, hold.change) && change.index === hold.change.index)
        .forEach(({ change }) => link(change, groupOf(hold.change)));
    }
  }
  return { resources: candidates.filter(({ change }) => found.has(groupOf(change))), of };
}

/** Also where it is all that is left of its host. Instances that are not in a for_each are somebody else's. */
function isHoldByItself({ change, block }: FirewallResource): boolean {
  return (
    SIDES.some((side) => known(remembered(change, side, HOLD_ROLE.name)) === HOLD_ROLE.value) ||
    block?.provisioners.some((script) => verbOf(script) === VERBS.unlock) === true ||
    (change.index !== undefined && parseResourceName(change.name)?.part === PARTS.hold)
  );
}

/** Whether a lockdown and a hold are called as parts of the same firewall. */
function isBeside(lockdown: Change, hold: Change): boolean {
  const name = parseResourceName(lockdown.name);
  return (
    lockdown.module === hold.module &&
    lockdown.type === hold.type &&
    name?.part === PARTS.lockdown &&
    name.firewall === parseResourceName(hold.name)?.firewall
  );
}

/** A lockdown names its hold, or the local with the ids of its holds, which is named after them. */
function holdBehind(reference: string, type: string): string {
  const hold = holdOfIds(reference);
  return hold === undefined ? reference.replace(/\[.*$/s, "") : `${type}.${hold}`;
}
