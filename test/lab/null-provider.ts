/**
 * A stand-in for the provider hashicorp/null, for machines that cannot reach the provider registry.
 *
 * Terraform can be told by TF_REATTACH_PROVIDERS to use a provider that already runs (its documented way to
 * debug one). This is such a provider: Terraform's plugin protocol 5, spoken over gRPC on a unix socket. It
 * knows one resource, `null_resource`, and treats it as the real one does.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { randomBytes } from "node:crypto";
import { decode, encode, ExtData } from "@msgpack/msgpack";
import {
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type handleUnaryCall,
  type ServiceClientConstructor,
  type UntypedHandleCall,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { fromJSON } from "@grpc/proto-loader";

export const nullProviderSource = "registry.terraform.io/hashicorp/null";

/** A `null_resource` as Terraform sends it. A value that is not known yet is an ExtData of msgpack. */
interface NullResource {
  readonly id: string | ExtData | null;
  readonly triggers: Record<string, string | ExtData | null> | ExtData | null;
}

interface Value {
  readonly msgpack: Uint8Array;
}

const unknown = new ExtData(0, new Uint8Array([0]));

export class NullProvider {
  /** Starts one; its socket is made in the folder. */
  public static async start(folder: string): Promise<NullProvider> {
    const socket = path.join(folder, `null-${randomBytes(4).toString("hex")}.sock`);
    const server = new Server();
    server.addService(service, handlers);
    await new Promise<void>((resolve, reject) =>
      server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) =>
        error ? reject(error) : resolve(),
      ),
    );
    return new NullProvider(server, socket);
  }

  private constructor(
    private readonly server: Server,
    public readonly socket: string,
  ) {}

  /** What Terraform needs in its environment to use it. */
  public get env(): Record<string, string> {
    const reattach = {
      Protocol: "grpc",
      ProtocolVersion: 5,
      // Terraform watches whether this process lives. Process 1 does, also in a lab's own process namespace.
      Pid: 1,
      Test: true,
      Addr: { Network: "unix", String: this.socket },
    };
    return { TF_REATTACH_PROVIDERS: JSON.stringify({ [nullProviderSource]: reattach }) };
  }

  public stop(): void {
    this.server.forceShutdown();
    fs.rmSync(this.socket, { force: true });
  }
}

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
const calls: Record<string, (request: never) => object> = {
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

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

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

const handlers: UntypedServiceImplementation = Object.fromEntries(
  Object.entries(calls).map(([name, call]) => [
    name,
    ((message, callback) => callback(null, call(message.request))) as handleUnaryCall<
      never,
      object
    > as UntypedHandleCall,
  ]),
);

/** The messages, as far as they are used; a field that is not named here is skipped when read. */
const field = (type: string, id: number): object => ({ type, id });
const list = (type: string, id: number): object => ({ rule: "repeated", type, id });
const map = (type: string, id: number): object => ({ keyType: "string", type, id });
const messages: Record<string, Record<string, object>> = {
  Nothing: {},
  Value: { msgpack: field("bytes", 1), json: field("bytes", 2) },
  RawState: { json: field("bytes", 1) },
  Step: { attribute_name: field("string", 1) },
  AttributePath: { steps: list("Step", 1) },
  Attribute: {
    name: field("string", 1),
    type: field("bytes", 2),
    optional: field("bool", 5),
    computed: field("bool", 6),
  },
  Block: { version: field("int64", 1), attributes: list("Attribute", 2) },
  Schema: { version: field("int64", 1), block: field("Block", 2) },
  Capabilities: { plan_destroy: field("bool", 1) },
  GetSchemaResponse: {
    provider: field("Schema", 1),
    resource_schemas: map("Schema", 2),
    server_capabilities: field("Capabilities", 6),
  },
  PrepareProviderConfigRequest: { config: field("Value", 1) },
  PrepareProviderConfigResponse: { prepared_config: field("Value", 1) },
  UpgradeResourceStateRequest: { raw_state: field("RawState", 3) },
  UpgradeResourceStateResponse: { upgraded_state: field("Value", 1) },
  ReadResourceRequest: { current_state: field("Value", 2) },
  ReadResourceResponse: { new_state: field("Value", 1) },
  PlanResourceChangeRequest: { prior_state: field("Value", 2), proposed_new_state: field("Value", 3) },
  PlanResourceChangeResponse: { planned_state: field("Value", 1), requires_replace: list("AttributePath", 2) },
  ApplyResourceChangeRequest: { planned_state: field("Value", 3) },
  ApplyResourceChangeResponse: { new_state: field("Value", 1) },
};

const service = (() => {
  const messageOf = (name: string): string => (name in messages ? name : "Nothing");
  const methods = Object.keys(calls).map((name) => [
    name,
    { requestType: messageOf(`${name}Request`), responseType: messageOf(`${name}Response`) },
  ]);
  const types = Object.entries(messages).map(([name, fields]) => [name, { fields }]);
  const nested = { ...Object.fromEntries(types), Provider: { methods: Object.fromEntries(methods) } };
  const definition = fromJSON({ nested: { tfplugin5: { nested } } }, { keepCase: true, longs: Number });
  const loaded = loadPackageDefinition(definition) as unknown as { tfplugin5: { Provider: ServiceClientConstructor } };
  return loaded.tfplugin5.Provider.service;
})();
