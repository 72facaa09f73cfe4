/**
 * The state that applying a first plan would leave, without a host: Terraform writes the whole state file anew for every
 * resource, which takes hours for thousands.
 */
import { createHash } from "node:crypto";
import { SEAL_TRIGGERS } from "../lib/contract/triggers";

interface Change {
  readonly mode: string;
  readonly type: string;
  readonly name: string;
  readonly index?: string;
  readonly change: {
    readonly after: Readonly<Record<string, unknown>>;
    readonly after_unknown: Readonly<Record<string, unknown>>;
  };
}

export interface PlanJson {
  readonly terraform_version: string;
  readonly resource_changes: readonly Change[];
}

/** @param plan of `terraform show -json`; all its resources are terraform_data. */
export function stateAfter(plan: PlanJson): object {
  const resources = new Map<string, Change[]>();
  for (const change of plan.resource_changes) {
    const found = resources.get(change.name);
    if (found === undefined) {
      resources.set(change.name, [change]);
    } else {
      found.push(change);
    }
  }
  return {
    version: 4,
    terraform_version: plan.terraform_version,
    serial: 1,
    lineage: "00000000-0000-4000-8000-000000000000",
    outputs: {},
    resources: [...resources].map(([name, changes]) => ({
      mode: "managed",
      type: "terraform_data",
      name,
      provider: 'provider["terraform.io/builtin/terraform"]',
      instances: changes.map((change) => ({
        ...(change.index === undefined ? {} : { index_key: change.index }),
        schema_version: 0,
        attributes: attributesOf(change),
      })),
    })),
  };
}

function attributesOf({ name, index, change }: Change): object {
  const input = dynamic(change.after.input);
  const triggers = change.after.triggers_replace;
  // What a trigger has from another resource is an id: a lockdown that of the host's hold, a seal that of the lockdown.
  const unknown = change.after_unknown.triggers_replace;
  const isUnknown = (trigger: string): boolean => typeof unknown === "object" && unknown !== null && trigger in unknown;
  const sealed = name.replace(/_seal_host_[0-9a-f]+/, "_lockdown");
  const ids = {
    ...(isUnknown("hold") ? { hold: idOf(name.replace("lockdown", "hold"), index) } : {}),
    ...(isUnknown(SEAL_TRIGGERS.seal) ? { [SEAL_TRIGGERS.seal]: idOf(sealed, index) } : {}),
  };
  return {
    id: idOf(name, index),
    input,
    output: input,
    triggers_replace: dynamic(typeof triggers === "object" && triggers !== null ? { ...triggers, ...ids } : triggers),
  };
}

function idOf(name: string, index: string | undefined): string {
  const hex = createHash("sha256").update(`${name} ${index}`).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join("-");
}

/** A value with its type, as the state keeps one whose type the schema leaves open. */
function dynamic(value: unknown): object | null {
  return value === null || value === undefined ? null : { value, type: typeOf(value) };
}

function typeOf(value: unknown): unknown {
  if (Array.isArray(value)) {
    return ["tuple", value.map(typeOf)];
  }
  if (typeof value === "object" && value !== null) {
    return ["object", Object.fromEntries(Object.entries(value).map(([name, member]) => [name, typeOf(member)]))];
  }
  return value === null ? "dynamic" : typeof value === "boolean" ? "bool" : typeof value;
}
