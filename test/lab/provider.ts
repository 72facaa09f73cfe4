/**
 * Stand-ins for providers, for machines that cannot reach the provider registry.
 *
 * Terraform can be told by TF_REATTACH_PROVIDERS to use a provider that already runs (its documented way to
 * debug one). This is such a provider: Terraform's plugin protocol 5, spoken over gRPC on a unix socket. What it
 * knows and does is in null-provider.ts and external-provider.ts.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { randomBytes } from "node:crypto";
import {
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type handleUnaryCall,
  type ServiceClientConstructor,
  type ServiceDefinition,
  type UntypedHandleCall,
} from "@grpc/grpc-js";
import { fromJSON } from "@grpc/proto-loader";

/** A value as it travels; in msgpack, where what is not known yet is an ExtData. */
export interface Value {
  readonly msgpack: Uint8Array;
}

/** What a provider does, by the calls of the protocol. */
export type Calls = Readonly<Record<string, (request: never) => object | Promise<object>>>;

export class StandIn {
  /** Starts one; its socket is made in the folder. */
  public static async start(folder: string, source: string, calls: Calls): Promise<StandIn> {
    const socket = path.join(folder, `${path.basename(source)}-${randomBytes(4).toString("hex")}.sock`);
    const server = new Server();
    const handlers = Object.entries(calls).map(([name, call]) => [name, handlerOf(call)] as const);
    server.addService(serviceOf(Object.keys(calls)), Object.fromEntries(handlers));
    await new Promise<void>((resolve, reject) =>
      server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) =>
        error ? reject(error) : resolve(),
      ),
    );
    return new StandIn(server, socket, source);
  }

  private constructor(
    private readonly server: Server,
    public readonly socket: string,
    private readonly source: string,
  ) {}

  /** What Terraform needs in its environment to use them. */
  public static env(...standIns: readonly StandIn[]): Record<string, string> {
    const reattach = standIns.flatMap(({ socket, source }) => {
      const provider = {
        Protocol: "grpc",
        ProtocolVersion: 5,
        // Terraform watches whether this process lives. Process 1 does, also in a lab's own process namespace.
        Pid: 1,
        Test: true,
        Addr: { Network: "unix", String: socket },
      };
      // OpenTofu has a registry of its own.
      return [source, source.replace("terraform.io", "opentofu.org")].map((name) => [name, provider]);
    });
    return { TF_REATTACH_PROVIDERS: JSON.stringify(Object.fromEntries(reattach)) };
  }

  public get env(): Record<string, string> {
    return StandIn.env(this);
  }

  public stop(): void {
    this.server.forceShutdown();
    fs.rmSync(this.socket, { force: true });
  }
}

export function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function handlerOf(call: Calls[string]): UntypedHandleCall {
  const handle: handleUnaryCall<never, object> = (message, callback) => {
    Promise.resolve(call(message.request)).then((answer) => callback(null, answer), callback);
  };
  return handle as UntypedHandleCall;
}

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
    required: field("bool", 4),
    optional: field("bool", 5),
    computed: field("bool", 6),
  },
  Block: { version: field("int64", 1), attributes: list("Attribute", 2) },
  Schema: { version: field("int64", 1), block: field("Block", 2) },
  Diagnostic: { severity: field("int32", 1), summary: field("string", 2), detail: field("string", 3) },
  Capabilities: { plan_destroy: field("bool", 1) },
  GetSchemaResponse: {
    provider: field("Schema", 1),
    resource_schemas: map("Schema", 2),
    data_source_schemas: map("Schema", 3),
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
  ReadDataSourceRequest: { config: field("Value", 2) },
  ReadDataSourceResponse: { state: field("Value", 1), diagnostics: list("Diagnostic", 2) },
};

function serviceOf(calls: readonly string[]): ServiceDefinition {
  const messageOf = (name: string): string => (name in messages ? name : "Nothing");
  const methods = calls.map((name) => [
    name,
    { requestType: messageOf(`${name}Request`), responseType: messageOf(`${name}Response`) },
  ]);
  const types = Object.entries(messages).map(([name, fields]) => [name, { fields }]);
  const nested = { ...Object.fromEntries(types), Provider: { methods: Object.fromEntries(methods) } };
  const definition = fromJSON({ nested: { tfplugin5: { nested } } }, { keepCase: true, longs: Number });
  const loaded = loadPackageDefinition(definition) as unknown as { tfplugin5: { Provider: ServiceClientConstructor } };
  return loaded.tfplugin5.Provider.service;
}
