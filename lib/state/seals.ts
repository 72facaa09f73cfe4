/**
 * Which lockdowns of a state are known to be confirmed. Terraform has a lockdown in the state before its provisioners have run;
 * only a seal says that they ended well (lib/terraform/seals.ts).
 */
import { SEAL_TYPE } from "../contract/names";
import { PLANNED_AT, SEAL_TRIGGERS, SEALED_LOCKDOWNS, TRACKERS } from "../contract/triggers";
import { isObject } from "../input/keys";
import { optionalText } from "./json";
import type { Instance } from "./state";

const { triggers: TRIGGERS_OF, memory: KEPT_IN } = TRACKERS[SEAL_TYPE];

interface Mark {
  readonly id: string | undefined;
  /** The id of what it belongs to. */
  readonly of: string;
  readonly plannedAt: string | undefined;
}

export class Seals {
  private readonly seals: ReadonlyMap<string, readonly Mark[]>;
  /** Those of several hosts, by the id of each lockdown. */
  private readonly batches: ReadonlyMap<string, readonly Mark[]>;
  private readonly relocks: ReadonlyMap<string, readonly Mark[]>;
  private readonly reseals: ReadonlyMap<string, readonly Mark[]>;

  public constructor(instances: readonly Instance[]) {
    const whole = instances.filter(({ tainted, deposed, type }) => !tainted && !deposed && type === SEAL_TYPE);
    const marked = (trigger: string): ReadonlyMap<string, readonly Mark[]> =>
      byTarget(whole, ({ values }) => [textAt(values[TRIGGERS_OF], trigger)]);
    this.seals = marked(SEAL_TRIGGERS.seal);
    this.batches = byTarget(whole, sealedTogether);
    this.relocks = marked(SEAL_TRIGGERS.relock);
    this.reseals = marked(SEAL_TRIGGERS.reseal);
  }

  /** Whether a run that locked the host by this lockdown came to its end: the one that made it, or one that repeated it. */
  public has(id: string | undefined, plannedAt: string | undefined): boolean {
    const isSealed = [this.seals, this.batches].some((seals) => isOneOf(seals, id, plannedAt));
    const relocks = this.relocks.get(id ?? "") ?? [];
    return isSealed || relocks.some((relock) => isOneOf(this.reseals, relock.id, relock.plannedAt));
  }
}

function isOneOf(
  marks: ReadonlyMap<string, readonly Mark[]>,
  id: string | undefined,
  plannedAt: string | undefined,
): boolean {
  return plannedAt !== undefined && (marks.get(id ?? "") ?? []).some((mark) => mark.plannedAt === plannedAt);
}

function byTarget(
  instances: readonly Instance[],
  targetsOf: (instance: Instance) => ReadonlyArray<string | undefined>,
): ReadonlyMap<string, readonly Mark[]> {
  const found = new Map<string, Mark[]>();
  for (const instance of instances) {
    const { values } = instance;
    for (const of of targetsOf(instance)) {
      if (of !== undefined) {
        const mark = { id: optionalText(values.id), of, plannedAt: textAt(values[KEPT_IN], PLANNED_AT) };
        found.set(of, [...(found.get(of) ?? []), mark]);
      }
    }
  }
  return found;
}

/** The ids of the lockdowns that a seal is for, which stands for all of them. */
export function sealedTogether({ values }: Pick<Instance, "values">): readonly string[] {
  const kept = values[KEPT_IN];
  const ids = isObject(kept) ? kept[SEALED_LOCKDOWNS] : undefined;
  const isBatch = textAt(values[TRIGGERS_OF], SEAL_TRIGGERS.batch) !== undefined;
  return isBatch && Array.isArray(ids) ? ids.filter((id): id is string => typeof id === "string") : [];
}

function textAt(value: unknown, name: string): string | undefined {
  return isObject(value) && Object.hasOwn(value, name) ? optionalText(value[name]) : undefined;
}
