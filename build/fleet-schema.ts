/**
 * The JSON schema of the fleet file, from the tables by which it is parsed and the doc comments of its properties. It offers
 * every key, and rejects nothing that the parser takes; what only the whole file shows (an address twice), the parser alone finds.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { IP_PROTOCOLS } from "../lib/contract/ip-protocols";
import { TRACKER_KINDS } from "../lib/contract/triggers";
import { BACKEND_KINDS, CLOUD_KEYS, ENCRYPTION_KEYS } from "../lib/fleet/state-settings";
import { GROUP, MOST_STACKS } from "../lib/fleet/split";
import { BY_GROUP } from "../lib/fleet/stack-messages";
import { type ConnectionProps, BASTION_KEYS, CONNECTION_KEYS } from "../lib/policy/connection";
import { EXCEPTION_KINDS, SHAPES } from "../lib/policy/exception";
import { FLEET_KEYS, NAME } from "../lib/fleet/fleet-file";
import { ELSEWHERE, EXTENSION_HEADERS } from "../lib/policy/ip-protocol";
import { ON_DESTROY, PROBATION_LIMITS } from "../lib/policy/firewall";
import { BACKENDS, HOST_KEY, SHARED_KEYS, TAKE_OVER } from "../lib/policy/host";
import { MOST_SHARDS } from "../lib/policy/layout";
import { DENIALS, LOG_RANGE, MODES } from "../lib/policy/policy";
import { documentationOf } from "./documentation";

export type Schema = { readonly [key: string]: unknown };

const docs = documentationOf(
  ["policy", "host", "connection", "firewall", "exception-options"].map((name) => `lib/policy/${name}.ts`),
);

/** `plainText` of lib/input. */
const text: Schema = { type: "string", maxLength: 4096, pattern: "^(?![^]*[$%]\\{)[^\\p{C}\\p{Zl}\\p{Zp}\"'\\\\`]*$" };
const word: Schema = { ...text, pattern: "^(?![^]*[$%]\\{)[^\\p{C}\\p{Zl}\\p{Zp}\"'\\\\`\\s]+$" };
const path: Schema = { ...text, minLength: 1 };
const boolean: Schema = { type: "boolean" };
const anything: Schema = { type: "object" };
const integer = (minimum: number, maximum: number): Schema => ({ type: "integer", minimum, maximum });
const choice = (values: readonly unknown[]): Schema => ({ enum: [...values] });
const list = (items: Schema, least = 0): Schema => ({
  type: "array",
  items,
  ...(least > 0 && { minItems: least }),
  maxItems: 100_000,
});
const port = integer(1, 65535);

/** A protocol without ports: names in any case, but offered as they are usually written. */
const protocolNames = Object.keys(IP_PROTOCOLS);
const anyCase = (name: string): string => name.replaceAll(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`);
const taken = Array.from({ length: 255 }, (_, number) => number).filter(
  (number) => EXTENSION_HEADERS.includes(number) || ELSEWHERE.some(([pattern]) => pattern.test(String(number))),
);
const ipProtocol: Schema = {
  anyOf: [
    { enum: protocolNames },
    { type: "string", pattern: `^(${protocolNames.map(anyCase).join("|")})$` },
    { ...integer(1, 254), not: { enum: taken } },
  ],
};

const peers: Schema = { oneOf: [text, list(text, 1)] };

/** An object with no other keys than those of the table, each as its interface documents it. */
function object(
  owner: readonly string[],
  keys: readonly string[],
  values: Readonly<Record<string, Schema>>,
  required: readonly string[] = [],
): Schema {
  const property = (key: string): [string, Schema] => {
    const value = values[key];
    if (value === undefined) {
      throw new Error(`build/fleet-schema.ts knows no schema for ${owner.join(" or ")}.${key}`);
    }
    const documented = owner.map((one) => docs.get(one)?.get(key)).find((one) => one !== undefined);
    return [key, { ...value, ...documented }];
  };
  return {
    type: "object",
    properties: Object.fromEntries(keys.map(property)),
    additionalProperties: false,
    ...(required.length > 0 && { required }),
  };
}

const bastion = object(
  ["BastionProps"],
  BASTION_KEYS,
  { host: text, user: word, port, privateKeyPath: path, hostKey: text },
  ["host"],
);

const CONNECTION: Readonly<Record<keyof ConnectionProps, Schema>> = {
  user: word,
  port,
  privateKeyPath: path,
  certificatePath: path,
  agent: boolean,
  hostKey: text,
  bastion,
  timeoutSeconds: integer(1, 3600),
  scriptPath: word,
};

/** From the shapes of the kinds, each with its options under the names of its factory. */
function exception(kind: (typeof EXCEPTION_KINDS)[number]): Schema {
  const { title, peers: far, without, asks = [], port: usual } = SHAPES[kind];
  const keys = ["kind", ...(far === undefined ? [] : [far]), ...asks];
  const required = [
    "kind",
    ...(far !== undefined && without === undefined ? [far] : []),
    ...asks.filter((one) => (one === "port" && usual === undefined) || (one === "protocol" && asks.includes("group"))),
  ];
  const owner = `${kind.charAt(0).toUpperCase()}${kind.slice(1)}Options`;
  const protocol = asks.includes("group") ? ipProtocol : choice(["tcp", "udp"]);
  const values = {
    kind: { const: kind, description: `What passes: ${title || "another protocol"}.` },
    port,
    protocol,
    group: peers,
    ...(far && { [far]: { description: "The addresses at the far end.", ...peers } }),
  };
  const made = object([owner], keys, values, required);
  return without === "group" && far ? { ...made, anyOf: [{ required: [far] }, { required: ["group"] }] } : made;
}

/** Kinds that may be written as a word: nothing has to be said of them. */
const WORDS = EXCEPTION_KINDS.filter(
  (kind) => (exception(kind).required as readonly string[]).length === 1 && kind !== "protocol",
);

const exceptions = list({ oneOf: [choice(WORDS), ...EXCEPTION_KINDS.map(exception)] });

const SHARED: Readonly<Record<(typeof SHARED_KEYS)[number], Schema>> = {
  sshPort: port,
  allowFrom: list(text, 1),
  exceptions,
  deniedInbound: choice(DENIALS),
  deniedOutbound: choice(DENIALS),
  logDeniedPerMinute: integer(LOG_RANGE.min, LOG_RANGE.max),
  mode: choice(MODES),
  backend: choice(BACKENDS),
  confirmWithinSeconds: integer(10, 3600),
  skipPreflight: boolean,
  takeOver: choice(TAKE_OVER),
  persist: boolean,
  connection: object(["ConnectionProps"], CONNECTION_KEYS, CONNECTION),
};

const group: Schema = {
  type: "string",
  pattern: GROUP.source,
  description: "The stack of the host, where `stacks` is by-group.",
};
const host = object(
  ["HostProps", "PolicyProps", "SharedProps"],
  ["address", "group", ...SHARED_KEYS],
  { ...SHARED, address: text, group },
  ["address"],
);

const cloud: Schema = {
  ...object([], CLOUD_KEYS, { organization: {}, hostname: {}, workspaces: anything, token: { not: {} } }, [
    "organization",
    "workspaces",
  ]),
};
const backend = {
  ...object([], BACKEND_KINDS, Object.fromEntries(BACKEND_KINDS.map((kind) => [kind, anything]))),
  minProperties: 1,
  maxProperties: 1,
};
const encryption = object([], ENCRYPTION_KEYS, Object.fromEntries(ENCRYPTION_KEYS.map((key) => [key, {}])));
const terraform: Schema = {
  description:
    "Where the states are kept: a backend or HCP Terraform, with the settings and names of Terraform; and OpenTofu's encryption.",
  ...object([], ["backend", "cloud", "encryption"], { backend, cloud, encryption }),
  minProperties: 1,
  not: { required: ["backend", "cloud"] },
};

const shards = integer(1, MOST_SHARDS);
const FLEET: Readonly<Record<(typeof FLEET_KEYS)[number], Schema>> = {
  ...SHARED,
  name: {
    type: "string",
    pattern: NAME.source,
    default: "fleet",
    description: "The name of the stack, or how the names of several begin. Keep it once hosts are locked.",
  },
  hosts: {
    type: "object",
    propertyNames: { pattern: HOST_KEY.source, not: { const: "shared" } },
    minProperties: 1,
    additionalProperties: { oneOf: [text, host] },
  },
  onDestroy: choice(ON_DESTROY),
  tracker: choice(TRACKER_KINDS),
  shards,
  movedFromShards: { oneOf: [shards, list(shards)] },
  waves: list(list({ type: "string" })),
  probationSeconds: integer(PROBATION_LIMITS.min, PROBATION_LIMITS.max),
  detectDrift: boolean,
  driftProgram: list({ type: "string", minLength: 1 }, 1),
  stacks: {
    oneOf: [integer(1, MOST_STACKS), choice([BY_GROUP])],
    description: "How many stacks the hosts are divided over, or by-group. Default: one stack.",
  },
  terraform,
};

export function fleetSchema(): Schema {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "A fleet of cdktf-ssh-only-firewall",
    ...object(["PolicyProps", "SharedProps", "SshOnlyFirewallProps"], FLEET_KEYS, FLEET, ["hosts"]),
  };
}

export const SCHEMA_FILE = join(__dirname, "..", "fleet.schema.json");
export const schemaText = (): string => `${JSON.stringify(fleetSchema(), undefined, 1)}\n`;

if (require.main === module) {
  writeFileSync(SCHEMA_FILE, schemaText());
}
