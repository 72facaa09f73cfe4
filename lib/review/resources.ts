/** The resources of a firewall in a plan: what marks them, and what they keep. */
import { verbIn } from "../contract/script";
import { isTracker, TRACKERS, TRIGGERS } from "../contract/triggers";
import { type Change, known, type Value } from "./plan";
import type { Block } from "./plan-configuration";

/** A resource of a firewall. */
export interface FirewallResource {
  readonly change: Change;
  /** What was made last time was not finished. */
  readonly tainted: boolean;
  /** What the configuration says of it; undefined when it is no longer in there. */
  readonly block: Block | undefined;
  /** Of a lockdown: what it was before is another resource's, as when `waves` change. @default false */
  readonly movedHere?: boolean;
}

export type Side = "before" | "after";

export const SIDES: readonly Side[] = ["before", "after"];

/** A value on both sides of a change. */
export interface ValueChange {
  readonly before: Value | undefined;
  readonly after: Value | undefined;
}

/** Where a resource keeps what replaces it, and what it only remembers; undefined for one that cannot be a firewall's. */
const placesOf = ({ type }: Change) => (isTracker(type) ? TRACKERS[type] : undefined);

export const mayBeOurs = (change: Change): boolean => placesOf(change) !== undefined;

export function trigger(change: Change, side: Side, name: string): Value | undefined {
  return change[side]?.get(placesOf(change)?.triggers ?? "", name);
}

export function remembered(change: Change, side: Side, name: string): Value | undefined {
  return change[side]?.get(placesOf(change)?.memory ?? "", name);
}

export function triggerNames(change: Change, side: Side): readonly string[] {
  return change[side]?.namesAt(placesOf(change)?.triggers ?? "") ?? [];
}

export function rememberedNames(change: Change, side: Side): readonly string[] {
  return change[side]?.namesAt(placesOf(change)?.memory ?? "") ?? [];
}

export function hasTriggers(change: Change, names: readonly string[]): boolean {
  return SIDES.some((side) => {
    const found = triggerNames(change, side);
    return names.every((name) => found.includes(name));
  });
}

export const creates = (resource: FirewallResource | undefined): boolean =>
  resource?.change.actions.includes("create") === true;

/** A trigger of a lockdown; on neither side where there is no lockdown. */
export function triggerChange(lockdown: FirewallResource | undefined, name: string): ValueChange {
  return {
    before: lockdown && trigger(lockdown.change, "before", name),
    after: lockdown && trigger(lockdown.change, "after", name),
  };
}

/** All instances of a resource in one instance of a module. */
export function groupOf({ module, type, name }: Change): string {
  return `${module}|${type}.${name}`;
}

export function idsOf(change: Change): readonly string[] {
  return SIDES.flatMap((side) => known(change[side]?.get("id")) ?? []);
}

/** The ids of the holds that a lockdown names. */
export function holdIds(lockdown: Change): readonly string[] {
  return SIDES.flatMap((side) => known(trigger(lockdown, side, TRIGGERS.hold)) ?? []);
}

/** What a script does on a host; undefined when it is not word for word in the plan, empty when it is not ours. */
export const verbOf = (script: string | undefined): string | undefined => script && verbIn(script);
