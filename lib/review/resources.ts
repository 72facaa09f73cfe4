/** The resources of a firewall in a plan: what marks them, and what they keep. */
import { type Block, type Change, known, type Value } from "./plan";

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

export const LOCKDOWN_MARKS = ["address", "hold", "host_program", "ruleset_sha256"] as const;

/** Where the two kinds of resource keep what forces a replacement, and what does not. */
const TRIGGERS = new Map([
  ["null_resource", "triggers"],
  ["terraform_data", "triggers_replace"],
]);
const MEMORY = new Map([
  ["null_resource", "triggers"],
  ["terraform_data", "input"],
]);

export const mayBeOurs = ({ type }: Change): boolean => TRIGGERS.has(type);

export const trigger = (change: Change, side: Side, name: string): Value | undefined =>
  change[side]?.get(TRIGGERS.get(change.type) ?? "", name);

export const remembered = (change: Change, side: Side, name: string): Value | undefined =>
  change[side]?.get(MEMORY.get(change.type) ?? "", name);

export const triggerNames = (change: Change, side: Side): readonly string[] =>
  change[side]?.namesAt(TRIGGERS.get(change.type) ?? "") ?? [];

export const rememberedNames = (change: Change, side: Side): readonly string[] =>
  change[side]?.namesAt(MEMORY.get(change.type) ?? "") ?? [];

export function hasTriggers(change: Change, names: readonly string[]): boolean {
  return SIDES.some((side) => {
    const found = triggerNames(change, side);
    return names.every((name) => found.includes(name));
  });
}

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
  return SIDES.flatMap((side) => known(trigger(lockdown, side, "hold")) ?? []);
}

/** What a script does on a host; undefined when it is not word for word in the plan, empty when it is not ours. */
export function verbOf(script: string | undefined): string | undefined {
  if (script === undefined) {
    return undefined;
  }
  return /^SSH_ONLY_VERB='(?:\$\{replace\(join\(" ", \[")?(\w+)["']/m.exec(script)?.[1] ?? "";
}
