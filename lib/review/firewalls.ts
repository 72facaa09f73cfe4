/**
 * Which resources of a plan are a firewall's, and which host each of them stands for.
 *
 * Names decide nothing that a value can decide, for ids and modules are the user's: a lockdown is known by its four
 * triggers, a ruleset by its three texts, a hold by its id in the lockdown's triggers or by the lockdown's reference to
 * it, and where the lockdown has gone by its role, its script or its name.
 * What bears some of these marks and not all is reported, never guessed.
 */
import { RULESET_TEXTS } from "../contract/backends";
import { parseResourceName } from "../contract/names";
import { VERBS } from "../contract/script";
import { LOCKDOWN_MARKS, SEAL_TRIGGERS } from "../contract/triggers";
import { compare } from "../output/text";
import { findHolds, type Holds } from "./holds";
import { type Change, type Instance, known, type Plan } from "./plan";
import { type Block, blockOf, UNKNOWN_BLOCK } from "./plan-configuration";
import {
  creates,
  type FirewallResource,
  groupOf,
  hasTriggers,
  holdIds,
  idsOf,
  mayBeOurs,
  trigger,
  verbOf,
} from "./resources";
import type { Text } from "./text";
import { otherProvisioners, otherScripts, strayMarks, type Uploads } from "./unclear";

/** A host, as the state and the configuration know it. */
export interface TrackedHost {
  /** Its name in `hosts`. */
  readonly key: string;
  /** The firewall that it belongs to, with its modules. */
  readonly firewall: string;
  readonly hold: FirewallResource | undefined;
  readonly lockdown: FirewallResource | undefined;
  /** What locks it once more under the same lockdown. */
  readonly relock?: FirewallResource;
}

export interface Firewalls {
  readonly hosts: readonly TrackedHost[];
  readonly rulesets: readonly Change[];
  /** Holds that were replaced in an earlier deploy, and not destroyed then. */
  readonly deposedHolds: readonly FirewallResource[];
  /** What bears marks of a firewall, and is not understood. */
  readonly unclear: readonly Text[];
  /** The modules of the firewalls in the configuration, without keys, whether or not the plan has anything of them. */
  readonly configured: readonly string[];
  /** Everything else that the plan would change. */
  readonly others: readonly Change[];
  /** Whether a resource, found elsewhere in the plan, is a part of a firewall. */
  readonly owns: (change: Change) => boolean;
}

/** @param uploads undefined where what the plan uploads is not compared with it */
export function findFirewalls(plan: Plan, uploads?: Uploads): Firewalls {
  const all = allChanges(plan);
  const tainted = new Set(plan.prior.filter((one) => one.tainted).map((one) => one.address));
  const resources = all.filter(mayBeOurs).map((change) => ({
    change,
    tainted: tainted.has(change.address) || change.reason === "replace_because_tainted",
    block: blockIn(plan, change),
  }));
  const lockdowns = resources.filter(({ change }) => hasTriggers(change, LOCKDOWN_MARKS));
  const rulesets = resources.filter(({ change }) => hasTriggers(change, RULESET_TEXTS));
  const holds = findHolds(resources, lockdowns);
  const seals = resources.filter(({ change }) =>
    Object.values(SEAL_TRIGGERS).some((one) => hasTriggers(change, [one])),
  );
  const relocks = seals.filter(({ change }) => hasTriggers(change, [SEAL_TRIGGERS.relock]));
  const ours = new Set([...lockdowns, ...rulesets, ...holds.resources, ...seals].map(({ change }) => change));
  const blocks = new Set([...ours].map(blockOf));
  const strangers = all.filter((change) => !ours.has(change));
  return {
    hosts: withRelocks(hostsOf(lockdowns, holds), relocks),
    rulesets: rulesets.map(({ change }) => change),
    deposedHolds: holds.resources.filter(({ change }) => change.deposed !== undefined),
    unclear: [
      ...strangers.flatMap((change) => strayMarks(change, plan)),
      ...otherProvisioners([...lockdowns, ...relocks], holds.resources),
      ...(uploads === undefined ? [] : otherScripts([...lockdowns, ...relocks, ...holds.resources], uploads)),
    ],
    configured: [...plan.blocks.values()].filter(isLockdown).map(({ module }) => module),
    others: strangers.filter(({ actions }) => !["no-op", "read"].includes(actions.join())),
    owns: (change) => blocks.has(blockOf(change)),
  };
}

/** Terraform's word for it, which a plan has also where it was relieved of its configuration. */
const HAS_LEFT = "delete_because_no_resource_config";

function blockIn(plan: Plan, change: Change): Block | undefined {
  return plan.configured || change.reason === HAS_LEFT ? plan.blocks.get(blockOf(change)) : UNKNOWN_BLOCK;
}

const isLockdown = ({ provisioners }: Block): boolean => provisioners.some((one) => verbOf(one) === VERBS.lock);

/** Also those that a partial plan does not mention: they stay as they are. */
function allChanges(plan: Plan): readonly Change[] {
  const mentioned = new Set(plan.changes.flatMap(({ address, previousAddress }) => [address, previousAddress]));
  const untouched = plan.prior
    .filter(({ address, deposed }) => deposed === undefined && !mentioned.has(address))
    .map(({ object, ...place }: Instance): Change => ({
      ...place,
      previousAddress: undefined,
      actions: ["no-op"],
      reason: undefined,
      before: object,
      after: object,
    }));
  return [...plan.changes, ...untouched];
}

function hostsOf(lockdowns: readonly FirewallResource[], holds: Holds): readonly TrackedHost[] {
  const slot = (group: string, { index }: Change): string => JSON.stringify([group, index]);
  const current = holds.resources.filter(({ change }) => change.deposed === undefined);
  const bySlot = new Map(current.map((hold) => [slot(groupOf(hold.change), hold.change), hold]));
  const byId = new Map(current.flatMap((hold) => idsOf(hold.change).map((id) => [id, hold] as const)));
  const holdOf = ({ change }: FirewallResource): FirewallResource | undefined =>
    [
      ...holdIds(change).map((id) => byId.get(id)),
      ...[...(holds.of.get(groupOf(change)) ?? [])].map((group) => bySlot.get(slot(group, change))),
    ].find((hold) => hold !== undefined);
  const locked = lockdowns
    .filter(({ change }) => change.deposed === undefined)
    .map((lockdown) => ({ lockdown, hold: holdOf(lockdown) }));
  const taken = new Set(locked.map(({ hold }) => hold));
  return [
    ...withMovedLockdowns(locked).map(({ lockdown, hold }) => hostOf(lockdown.change, hold, lockdown)),
    ...[...bySlot.values()].filter((hold) => !taken.has(hold)).map((hold) => hostOf(hold.change, hold, undefined)),
  ].sort((a, b) => compare(a.firewall, b.firewall) || compare(a.key, b.key));
}

/** Those that this plan runs: by the id of the lockdown, which it leaves as it is. */
function withRelocks(hosts: readonly TrackedHost[], relocks: readonly FirewallResource[]): readonly TrackedHost[] {
  const byLockdown = new Map(
    relocks.filter(creates).map((relock) => [known(trigger(relock.change, "after", SEAL_TRIGGERS.relock)), relock]),
  );
  return hosts.map((host) => {
    const relock = byLockdown.get(known(host.lockdown?.change.after?.get("id")) ?? "");
    return relock === undefined ? host : { ...host, relock };
  });
}

interface LockdownWithHold {
  readonly lockdown: FirewallResource;
  readonly hold: FirewallResource | undefined;
}

/** A host comes into another lockdown when `waves` change, and its hold stays: before is from one, after from the other. */
function withMovedLockdowns(all: readonly LockdownWithHold[]): readonly LockdownWithHold[] {
  const previous = new Map<FirewallResource, FirewallResource>();
  for (const { lockdown, hold } of all) {
    if (hold !== undefined && lockdown.change.before !== undefined && !lockdown.change.actions.includes("create")) {
      previous.set(hold, lockdown);
    }
  }
  const gone = new Set<FirewallResource>();
  const joined = all.map(({ lockdown, hold }): LockdownWithHold => {
    const from = hold && previous.get(hold);
    if (from === undefined || lockdown.change.before !== undefined || from.change.type !== lockdown.change.type) {
      return { lockdown, hold };
    }
    gone.add(from);
    const actions = [...from.change.actions, ...lockdown.change.actions].filter((one) => one !== "no-op");
    const change = { ...lockdown.change, actions, before: from.change.before };
    return { lockdown: { ...lockdown, change, tainted: from.tainted, movedHere: true }, hold };
  });
  return joined.filter(({ lockdown }) => !gone.has(lockdown));
}

function hostOf(
  named: Change,
  hold: FirewallResource | undefined,
  lockdown: FirewallResource | undefined,
): TrackedHost {
  const own = parseResourceName(named.name)?.firewall ?? named.name;
  return {
    key: named.index ?? named.address,
    firewall: named.module === "" ? own : `${named.module}.${own}`,
    hold,
    lockdown,
  };
}
