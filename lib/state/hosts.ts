/**
 * The hosts that a state has, and how each is reached. A lockdown is known by its four triggers and a ruleset by its three
 * texts, whatever a user calls them; a hold by its role, and where an earlier version made it, by its id in a lockdown or by
 * its name. A hold alone is a host: whatever else of it was destroyed, the host may still be locked.
 */
import { RULESET_TEXTS, type RulesetTexts } from "../contract/backends";
import { type AskedConnection, askedConnection } from "../contract/connection";
import { NEVER_DRIFTED } from "../contract/drift";
import { parseResourceName, PARTS } from "../contract/names";
import {
  HOLD_MARKS,
  HOLD_ROLE,
  isTracker,
  LOCKDOWN_MARKS,
  PLANNED_AT,
  rulesetHash,
  TRACKERS,
  TRIGGERS,
} from "../contract/triggers";
import { isObject } from "../input/keys";
import { compare } from "../output/text";
import { optionalText } from "./json";
import { type Remedy, remedyFor } from "./remedies";
import { Seals } from "./seals";
import type { Instance, ListedHost, State } from "./state";

/**
 * locked: by a hold and its whole lockdown, which is sealed. observed: the same in observe mode. unconfirmed: the same without a
 * seal. unfinished: hold and whole lockdown are not both there, so that it may be locked or not. declared: only the fleet file
 * has it. absent: only the operator named it.
 */
export type Claim = "locked" | "observed" | "unconfirmed" | "unfinished" | "declared" | "absent";

/** A run that was killed, a seal that was left out, or a state that was made before there were seals. */
const UNCONFIRMED =
  "the run that locked it is not known to have finished; the next deploy locks it again, and status --live asks it";

/** Why a host in the state is not locked according to it. */
const UNFINISHED = {
  noLockdown: "the state has its hold but no lockdown: a lock or a destroy was not finished",
  noHold: "the state has its lockdown but no hold: no deploy and no destroy unlocks it",
  tainted: "its lockdown is tainted: the last lock failed",
  oldHold: "its lockdown belongs to an earlier hold: the last deploy was not finished",
  deposed: "its hold was replaced but not destroyed: the last deploy was not finished",
} as const;

export interface Host {
  readonly key: string;
  /** The construct that it belongs to, with its modules; empty where that is not known. */
  readonly firewall: string;
  readonly claim: Claim;
  /** Whether its lockdown only observes. */
  readonly observes: boolean;
  /** Why it is not locked in the state. */
  readonly why: string | undefined;
  /** What to do about that. */
  readonly remedy?: Remedy | undefined;
  readonly address: string | undefined;
  readonly owner: string | undefined;
  readonly ruleset: string | undefined;
  readonly program: string | undefined;
  readonly connection: AskedConnection;
  /** The texts of its ruleset, where the state has them. */
  readonly texts: RulesetTexts;
  /** Its lockdown, where the state has one: the resource without the key, and its trigger for drift. */
  readonly lockdown?: { readonly resource: string; readonly drift: string };
}

/** @param program that reads the state, for what is to be done about it */
export function hostsIn(state: State, program = "terraform"): readonly Host[] {
  const parts = state.instances.flatMap((one) => (isTracker(one.type) ? [new Part(one, TRACKERS[one.type])] : []));
  const lockdowns = parts.filter((part) => part.has(LOCKDOWN_MARKS));
  const rulesets = parts.filter((part) => part.has(RULESET_TEXTS));
  const owners = new Set(lockdowns.map((lockdown) => lockdown.trigger(TRIGGERS.hold)));
  const holds = parts.filter(
    (part) => part.has(HOLD_MARKS) && !lockdowns.includes(part) && (owners.has(part.id) || part.isHoldByItself),
  );
  const texts = new Map(rulesets.map(({ texts }) => [rulesetHash(texts), texts]));

  const current = (some: readonly Part[]): readonly Part[] => [
    ...new Map(some.filter(({ instance }) => !instance.deposed).map((part) => [part.slot, part])).values(),
  ];
  const seals = new Seals(state.instances);
  const found = joined(current(holds), current(lockdowns))
    .map(([hold, lockdown]) => ({ host: withRemedy(hostOf(hold, lockdown, texts), hold, lockdown, program), lockdown }))
    .map(({ host, lockdown }) => (isUnconfirmed(host, lockdown, seals) ? unconfirmed(host) : host));
  const left = holds
    .filter(({ instance }) => instance.deposed)
    // No remedy: the command would take the hold that replaced it out of the state too.
    .map((hold) => ({ ...hostOf(hold, undefined, texts), why: UNFINISHED.deposed }));
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
    const hold = byId.get(lockdown.trigger(TRIGGERS.hold) ?? "");
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

class Part {
  public constructor(
    public readonly instance: Instance,
    private readonly tracker: (typeof TRACKERS)[keyof typeof TRACKERS],
  ) {}

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

  /** Instances that are not in a for_each are somebody else's. */
  public get isHoldByItself(): boolean {
    const { name, index } = this.instance;
    const isNamedSo = index !== undefined && parseResourceName(name)?.part === PARTS.hold;
    return isNamedSo || this.memory(HOLD_ROLE.name) === HOLD_ROLE.value;
  }

  public get texts(): RulesetTexts {
    return Object.fromEntries(RULESET_TEXTS.map((name) => [name, this.trigger(name) ?? ""]));
  }

  public has(names: readonly string[]): boolean {
    const triggers = this.at(this.tracker.triggers);
    return names.every((name) => Object.hasOwn(triggers, name));
  }

  public trigger(name: string): string | undefined {
    return own(this.at(this.tracker.triggers), name);
  }

  public memory(name: string): string | undefined {
    return own(this.at(this.tracker.memory), name);
  }

  private at(attribute: string): Record<string, unknown> {
    const value = this.instance.values[attribute];
    return isObject(value) ? value : {};
  }
}

function own(values: Record<string, unknown>, name: string): string | undefined {
  return Object.hasOwn(values, name) ? optionalText(values[name]) : undefined;
}

function hostOf(hold: Part | undefined, lockdown: Part | undefined, texts: ReadonlyMap<string, RulesetTexts>): Host {
  // As review has it: the host is called what its lockdown is.
  const part = (lockdown ?? hold) as Part;
  const owner = lockdown?.trigger(TRIGGERS.hold);
  const why = whyUnfinished(hold, lockdown);
  const observes = lockdown?.trigger(TRIGGERS.mode) === "observe";
  const ruleset = lockdown?.trigger(TRIGGERS.ruleset);
  return {
    key: part.instance.index ?? part.instance.name,
    firewall: part.firewall,
    claim: why !== undefined ? "unfinished" : observes ? "observed" : "locked",
    observes,
    why,
    address: (hold ?? part).trigger(TRIGGERS.address),
    owner: hold?.id ?? owner,
    ruleset,
    program: lockdown?.trigger(TRIGGERS.program),
    connection: hold === undefined ? {} : askedConnection((name) => hold.memory(name)),
    texts: (ruleset === undefined ? undefined : texts.get(ruleset)) ?? {},
    ...(lockdown === undefined
      ? {}
      : { lockdown: { resource: lockdown.resource, drift: lockdown.trigger(TRIGGERS.drift) ?? NEVER_DRIFTED } }),
  };
}

function withRemedy(host: Host, hold: Part | undefined, lockdown: Part | undefined, program: string): Host {
  return host.why === undefined ? host : { ...host, remedy: remedyFor(hold?.instance, lockdown?.instance, program) };
}

const isUnconfirmed = ({ claim }: Host, lockdown: Part | undefined, seals: Seals): boolean =>
  claim !== "unfinished" && !seals.has(lockdown?.id, lockdown?.memory(PLANNED_AT));

const unconfirmed = (host: Host): Host => ({ ...host, claim: "unconfirmed", why: UNCONFIRMED });

function whyUnfinished(hold: Part | undefined, lockdown: Part | undefined): string | undefined {
  if (lockdown === undefined) {
    return UNFINISHED.noLockdown;
  }
  if (hold === undefined) {
    return UNFINISHED.noHold;
  }
  if (lockdown.instance.tainted) {
    return UNFINISHED.tainted;
  }
  return hold.id !== lockdown.trigger(TRIGGERS.hold) ? UNFINISHED.oldHold : undefined;
}

function listed({ key, output, address, owner, ruleset }: ListedHost): Host {
  return { ...unknownHost(key, "locked"), firewall: output, address, owner, ruleset };
}

/** A host of which no state knows more than this. */
export function unknownHost(key: string, claim: Claim): Host {
  return {
    key,
    firewall: "",
    claim,
    observes: false,
    why: undefined,
    address: undefined,
    owner: undefined,
    ruleset: undefined,
    program: undefined,
    connection: {},
    texts: {},
  };
}
