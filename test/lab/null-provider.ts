/** A stand-in for the provider hashicorp/null: it knows one resource, `null_resource`, and treats it as the real one does. */
import { randomBytes } from "node:crypto";
import { decode, encode, ExtData } from "@msgpack/msgpack";
import { type Calls, json, StandIn, type Value } from "./provider";

export const nullProviderSource = "registry.terraform.io/hashicorp/null";

/** Its socket is made in the folder. */
export function startNullProvider(folder: string): Promise<StandIn> {
  return StandIn.start(folder, nullProviderSource, calls);
}

/** A `null_resource` as Terraform sends it. A value that is not known yet is an ExtData of msgpack. */
interface NullResource {
  readonly id: string | ExtData | null;
  readonly triggers: Record<string, string | ExtData | null> | ExtData | null;
}

const unknown = new ExtData(0, new Uint8Array([0]));

const schema = {
  version: 0,
  block: {
    attributes: [
      { name: "id", type: json("string"), computed: true },
      { name: "triggers", type: json(["map", "string"]), optional: true },
    ],
  },
};

/** What the provider does; every call has an answer that is known at once. */
const calls: Calls = {
  GetSchema: () => ({
    provider: { version: 0, block: {} },
    resource_schemas: { null_resource: schema },
    // So that a destroy is planned by us as well, as the real one asks for.
    server_capabilities: { plan_destroy: true },
  }),
  PrepareProviderConfig: (request: { config: Value }) => ({ prepared_config: request.config }),
  Configure: () => ({}),
  Stop: () => ({}),
  ValidateResourceTypeConfig: () => ({}),
  UpgradeResourceState: (request: { raw_state: { json: Uint8Array } }) => {
    const state = JSON.parse(Buffer.from(request.raw_state.json).toString()) as Partial<NullResource>;
    return { upgraded_state: pack({ id: state.id ?? null, triggers: state.triggers ?? null }) };
  },
  ReadResource: (request: { current_state: Value }) => ({ new_state: request.current_state }),
  PlanResourceChange: (request: { prior_state: Value; proposed_new_state: Value }) => {
    const prior = unpack(request.prior_state);
    const proposed = unpack(request.proposed_new_state);
    if (proposed === null) {
      return { planned_state: pack(null) };
    }
    if (prior === null) {
      return { planned_state: pack({ id: unknown, triggers: proposed.triggers }) };
    }
    const same = canonical(prior.triggers) === canonical(proposed.triggers);
    return {
      planned_state: pack({ id: prior.id, triggers: proposed.triggers }),
      requires_replace: same ? [] : [{ steps: [{ attribute_name: "triggers" }] }],
    };
  },
  ApplyResourceChange: (request: { planned_state: Value }) => {
    const planned = unpack(request.planned_state);
    const isNew = planned?.id instanceof ExtData;
    return { new_state: pack(planned && isNew ? { ...planned, id: randomId() } : planned) };
  },
};

function pack(value: NullResource | null): Value {
  return { msgpack: encode(value) };
}

function unpack(value: Value): NullResource | null {
  return decode(value.msgpack) as NullResource | null;
}

/** Text that is equal for equal triggers. What is not known yet equals nothing but itself. */
function canonical(triggers: NullResource["triggers"]): string {
  if (triggers === null || triggers instanceof ExtData) {
    return String(triggers && "unknown");
  }
  const entries = Object.entries(triggers).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(entries.map(([key, value]) => [key, value instanceof ExtData ? { unknown: true } : value]));
}

/** A random whole number of 63 bits, in decimal. */
function randomId(): string {
  return (randomBytes(8).readBigUInt64BE() >> 1n).toString();
}
