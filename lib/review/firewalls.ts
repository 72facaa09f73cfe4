/**
 * Which resources of a plan are a firewall's, and which host each of them stands for.
 *
 * Names decide nothing that a value can decide, for ids and modules are the user's: a lockdown is known by its four
 * triggers, a ruleset by its three texts, a hold by its id in the lockdown's triggers or by the lockdown's reference to
 * it, and where the lockdown has gone by its script, or by the ruleset beside it.
 * What bears some of these marks and not all is reported, never guessed.
 */
import { parseResourceName } from "../contract/names";
import { type Block, type Change, type Instance, type Plan, type PlanObject, type Value, blockOf, known } from "./plan";
import { type Text, text } from "./text";

/** A resource of a firewall. */
export interface Part {
  readonly change: Change;
  /** What was made last time was not finished. */
  readonly tainted: boolean;
  /** What the configuration says of it; undefined when it is no longer in there. */
  readonly block: Block | undefined;
  /** Of a lockdown: what it was before is another resource's, as when `waves` change. @default false */
  readonly comes?: boolean;
}

/** A host, as the state and the configuration know it. */
export interface TrackedHost {
  /** Its name in `hosts`. */
  readonly key: string;
  /** The firewall that it belongs to, with its modules. */
  readonly firewall: string;
  readonly hold: Part | undefined;
  readonly lockdown: Part | undefined;
}

export interface Firewalls {
  readonly hosts: readonly TrackedHost[];
  readonly rulesets: readonly Change[];
  /** Holds that were replaced in an earlier deploy, and not destroyed then. */
  readonly deposedHolds: readonly Part[];
  /** What bears marks of a firewall, and is not understood. */
  readonly unclear: readonly Text[];
  /** Everything else that the plan would change. */
  readonly others: readonly Change[];
  /** Whether a resource, found elsewhere in the plan, is a part of a firewall. */
  readonly owns: (change: Change) => boolean;
}

const LOCKDOWN = ["address", "hold", "host_program", "ruleset_sha256"] as const;
export const TEXTS = ["nftables", "iptables", "ip6tables"] as const;

/** Where the two kinds of resource keep what forces a replacement, and what does not. */
const TRIGGERS: Readonly<Record<string, string>> = { null_resource: "triggers", terraform_data: "triggers_replace" };
export const MEMORY: Readonly<Record<string, string>> = { null_resource: "triggers", terraform_data: "input" };

export function trigger(change: Change, side: "before" | "after", name: string): Value | undefined {
  return change[side]?.get(TRIGGERS[change.type], name);
}

export function remembered(change: Change, side: "before" | "after", name: string): Value | undefined {
  return change[side]?.get(MEMORY[change.type], name);
}

/** @param own what this package uploads; undefined where it is not compared with that */
export function findFirewalls(plan: Plan, own?: Uploads): Firewalls {
  const all = allChanges(plan);
  const tainted = new Set(plan.prior.filter((one) => one.tainted).map((one) => one.address));
  const partOf = (change: Change): Part => ({
    change,
    tainted: tainted.has(change.address) || change.reason === "replace_because_tainted",
    block: plan.blocks.get(blockOf(change)),
  });
  const parts = all.filter(({ type }) => type in TRIGGERS).map(partOf);
  const lockdowns = parts.filter(({ change }) => hasTriggers(change, LOCKDOWN));
  const rulesets = parts.filter(({ change }) => hasTriggers(change, TEXTS));
  const holds = findHolds(parts, lockdowns, rulesets);
  const ours = new Set([...lockdowns, ...rulesets, ...holds.parts].map(({ change }) => change));
  const blocks = new Set([...ours].map(blockOf));
  const strangers = all.filter((change) => !ours.has(change));
  return {
    hosts: hostsOf(lockdowns, holds),
    rulesets: rulesets.map(({ change }) => change),
    deposedHolds: holds.parts.filter(({ change }) => change.deposed !== undefined),
    unclear: [
      ...strangers.flatMap((change) => marksOf(change, plan)),
      ...alteredBlocks(lockdowns, holds.parts),
      ...(own === undefined ? [] : alteredScripts([...lockdowns, ...holds.parts], own)),
    ],
    others: strangers.filter(({ actions }) => !["no-op", "read"].includes(actions.join())),
    owns: (change) => blocks.has(blockOf(change)),
  };
}

/** Also those that a partial plan does not mention: they stay as they are. */
function allChanges(plan: Plan): readonly Change[] {
  const mentioned = new Set(plan.changes.flatMap(({ address, previousAddress }) => [address, previousAddress]));
  const untouched = plan.prior
    .filter(({ address, deposed }) => deposed === undefined && !mentioned.has(address))
    .map(({ object, ...place }: Instance): Change => {
      return {
        ...place,
        previousAddress: undefined,
        actions: ["no-op"],
        reason: undefined,
        before: object,
        after: object,
      };
    });
  return [...plan.changes, ...untouched];
}

function hasTriggers(change: Change, names: readonly string[]): boolean {
  const has = (object: PlanObject | undefined): boolean => {
    const found = object?.namesAt(TRIGGERS[change.type]) ?? [];
    return names.every((name) => found.includes(name));
  };
  return has(change.before) || has(change.after);
}

/** The holds, and by the block of lockdowns the blocks of their holds: those of several waves have the same. */
interface Holds {
  readonly parts: readonly Part[];
  readonly of: ReadonlyMap<string, ReadonlySet<string>>;
}

function findHolds(parts: readonly Part[], lockdowns: readonly Part[], rulesets: readonly Part[]): Holds {
  const others = parts.filter((part) => hasTriggers(part.change, ["address"]) && !lockdowns.includes(part));
  const blocks = new Set(others.map(({ change }) => groupOf(change)));
  const byId = new Map(others.flatMap((part) => idsOf(part.change).map((id) => [id, groupOf(part.change)] as const)));
  const of = new Map<string, Set<string>>();
  const found = new Set<string>();
  const link = (lockdown: Change, hold: string): void => {
    of.set(groupOf(lockdown), (of.get(groupOf(lockdown)) ?? new Set()).add(hold));
    found.add(hold);
  };
  for (const { change, block } of lockdowns) {
    const ids = (["before", "after"] as const).map((side) => known(trigger(change, side, "hold")));
    const linked = [
      ...ids.map((id) => (id === undefined ? undefined : byId.get(id))),
      ...(block?.references ?? []).map((reference) => `${change.module}|${holdBehind(reference, change.type)}`),
    ];
    linked.forEach((hold) => hold !== undefined && blocks.has(hold) && link(change, hold));
  }
  // Where neither an id nor the configuration says it, names do.
  for (const { change, block } of others.filter((part) => !found.has(groupOf(part.change)))) {
    const own = parseResourceName(change.name);
    const beside = (part: string) => (one: Part) =>
      one.change.module === change.module &&
      one.change.type === change.type &&
      parseResourceName(one.change.name)?.firewall === own?.firewall &&
      parseResourceName(one.change.name)?.part === part;
    const isUnlock = block?.provisioners.some((script) => verbOf(script) === "unlock");
    if (isUnlock || (own?.part === "hold" && rulesets.some(beside("ruleset")))) {
      found.add(groupOf(change));
      const same = (one: Part): boolean => beside("lockdown")(one) && one.change.index === change.index;
      lockdowns.filter(same).forEach((one) => link(one.change, groupOf(change)));
    }
  }
  return { parts: others.filter((part) => found.has(groupOf(part.change))), of };
}

/** A lockdown names its hold, or the local with the ids of its holds, which is named after them. */
function holdBehind(reference: string, type: string): string {
  const [, firewall, suffix] = /^local\.(.*)_hold_ids(_[0-9_]+)?$/s.exec(reference) ?? [];
  return firewall === undefined ? reference.replace(/\[.*$/s, "") : `${type}.${firewall}_hold${suffix ?? ""}`;
}

/** All instances of a resource in one instance of a module. */
function groupOf({ module, type, name }: Change): string {
  return `${module}|${type}.${name}`;
}

function idsOf(change: Change): readonly string[] {
  return [change.before, change.after].flatMap((side) => known(side?.get("id")) ?? []);
}

function hostsOf(lockdowns: readonly Part[], holds: Holds): readonly TrackedHost[] {
  const slot = (group: string, { index }: Change): string => JSON.stringify([group, index]);
  const free = new Map<string, Part>();
  const byId = new Map<string, Part>();
  for (const part of holds.parts) {
    if (part.change.deposed === undefined) {
      free.set(slot(groupOf(part.change), part.change), part);
      idsOf(part.change).forEach((id) => byId.set(id, part));
    }
  }
  const holdOf = ({ change }: Part): Part | undefined => {
    const owners = (["before", "after"] as const).map((side) => known(trigger(change, side, "hold")));
    const slots = [...(holds.of.get(groupOf(change)) ?? [])].map((group) => free.get(slot(group, change)));
    return [...owners.map((owner) => (owner === undefined ? undefined : byId.get(owner))), ...slots].find(isThere);
  };
  const held = lockdowns
    .filter(({ change }) => change.deposed === undefined)
    .map((lockdown) => ({ lockdown, hold: holdOf(lockdown) }));
  const hosts = paired(held).map(({ lockdown, hold }) => hostOf(lockdown.change, hold, lockdown));
  const taken = new Set(held.map(({ hold }) => hold));
  [...free].filter(([, part]) => taken.has(part)).forEach(([key]) => free.delete(key));
  return [...hosts, ...[...free.values()].map((hold) => hostOf(hold.change, hold, undefined))].sort(
    (a, b) => compare(a.firewall, b.firewall) || compare(a.key, b.key),
  );
}

interface Held {
  readonly lockdown: Part;
  readonly hold: Part | undefined;
}

/** A host comes into another lockdown when `waves` change, and its hold stays: before is from one, after from the other. */
function paired(held: readonly Held[]): readonly Held[] {
  const earlier = new Map<Part, Part>();
  for (const { lockdown, hold } of held) {
    if (hold !== undefined && lockdown.change.before !== undefined && !lockdown.change.actions.includes("create")) {
      earlier.set(hold, lockdown);
    }
  }
  const gone = new Set<Part>();
  const pairs = held.map(({ lockdown, hold }): Held => {
    const from = hold && earlier.get(hold);
    if (from === undefined || lockdown.change.before !== undefined || from.change.type !== lockdown.change.type) {
      return { lockdown, hold };
    }
    gone.add(from);
    const actions = [...from.change.actions, ...lockdown.change.actions].filter((one) => one !== "no-op");
    const change = { ...lockdown.change, actions, before: from.change.before };
    return { lockdown: { ...lockdown, change, tainted: from.tainted, comes: true }, hold };
  });
  return pairs.filter(({ lockdown }) => !gone.has(lockdown));
}

const isThere = (part: Part | undefined): part is Part => part !== undefined;

function hostOf(named: Change, hold: Part | undefined, lockdown: Part | undefined): TrackedHost {
  const own = parseResourceName(named.name)?.firewall ?? named.name;
  return {
    key: named.index ?? named.address,
    firewall: named.module === "" ? own : `${named.module}.${own}`,
    hold,
    lockdown,
  };
}

export const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

/** What a script does on a host; undefined when it is not word for word in the plan, empty when it is not ours. */
export function verbOf(script: string | undefined): string | undefined {
  if (script === undefined) {
    return undefined;
  }
  return /^SSH_ONLY_VERB='(?:\$\{replace\(join\(" ", \[")?(\w+)["']/m.exec(script)?.[1] ?? "";
}

function marksOf(change: Change, plan: Plan): readonly Text[] {
  const block = plan.blocks.get(blockOf(change));
  const names = [change.before, change.after].flatMap((side) => side?.namesAt(TRIGGERS[change.type] ?? "") ?? []);
  const marks = [
    ...new Set(names.filter((name) => name === "host_program" || name === "ruleset_sha256")),
    ...(block?.provisioners.some((script) => script?.includes("SSH_ONLY_VERB=")) ? ["SSH_ONLY_VERB"] : []),
  ];
  return marks.length === 0
    ? []
    : [text`${change.address} looks like a part of a firewall (${marks.join(", ")}), and is none that is known here`];
}

/** A firewall's own provisioners are lock and confirm, and unlock or nothing; whatever else runs is not described here. */
function alteredBlocks(lockdowns: readonly Part[], holds: readonly Part[]): readonly Text[] {
  const expected = (parts: readonly Part[], ...allowed: string[]): Text[] => {
    const seen = new Map(parts.map((part) => [blockOf(part.change), part] as const));
    return [...seen].flatMap(([address, { block }]) => {
      const verbs = block?.provisioners.map(verbOf) ?? [];
      const asWritten = allowed.some((one) => matches(verbs, one === "" ? [] : one.split(" ")));
      return block === undefined || asWritten
        ? []
        : [text`${address} runs other provisioners than those of this firewall; read them in the configuration`];
    });
  };
  return [...expected(lockdowns, "lock confirm"), ...expected(holds, "unlock", "")];
}

/** A script that is not in the plan word for word may be the expected one. */
function matches(verbs: ReadonlyArray<string | undefined>, expected: readonly string[]): boolean {
  return (
    verbs.length === expected.length && verbs.every((verb, index) => verb === undefined || verb === expected[index])
  );
}

/** Settings as quoted constants, some of which Terraform fills in and quotes: nothing in them is shell. */
const SETTING = /^SSH_ONLY_\w+='(?:(?:[^'$\n]|\$(?!\{))*|\$\{replace\([^{}'\n]*, "'", "'\\\\''"\)\})'$/;

/** What this package uploads. */
export interface Uploads {
  /** What a script may end with. */
  readonly launchers: readonly string[];
  /** The version of the host program and the launcher together, as a configuration works it out from the texts that it has. */
  readonly version: string;
}

/** Of what looks like ours. A script that is not in the plan word for word is not compared: its settings are said to be untold. */
function alteredScripts(parts: readonly Part[], { launchers, version }: Uploads): readonly Text[] {
  const altered = parts.filter(
    ({ change, block }) =>
      block?.provisioners.some((one) => (verbOf(one) ?? "") !== "" && !isScript(one ?? "", launchers)) === true ||
      (change.actions.includes("create") && (known(trigger(change, "after", "host_program")) ?? version) !== version),
  );
  return [...new Set(altered.map(({ change }) => blockOf(change)))].map(
    (address) =>
      text`${address} uploads another script than this version of ssh-only-firewall would: read it, or review with the version that the configuration was made with`,
  );
}

function isScript(script: string, launchers: readonly string[]): boolean {
  const [shebang, ...lines] = script.split("\n");
  const end = lines.indexOf("");
  const rest = lines.slice(end + 1).join("\n");
  const unescaped = rest.replace(/([$%])\1\{/g, "$1{");
  return (
    shebang === "#!/bin/sh" && lines.slice(0, end).every((line) => SETTING.test(line)) && launchers.includes(unescaped)
  );
}
