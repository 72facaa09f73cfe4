/** The JSON schema of the fleet file, which editors use, beside the parser. */
import Ajv from "ajv";
import * as fc from "fast-check";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as ts from "typescript";
import { parse } from "yaml";
import { fleetSchema, type Schema, SCHEMA_FILE, schemaText } from "../../build/fleet-schema";
import { parseFleet } from "../../lib/fleet/fleet-file";
import { EXCEPTION_KINDS } from "../../lib/policy/exception";
import { filesIn, ROOT } from "../support/sources";

const isValid = new Ajv({ strict: false }).compile(fleetSchema());
const isFleet = (text: string): boolean => parseFleet(text).problems.length === 0;

test("the schema that is shipped is made from the tables of the parser (npm run schema)", () => {
  expect(readFileSync(SCHEMA_FILE, "utf8")).toBe(schemaText());
});

test("the starter names the schema where npm installs it", () => {
  const starter = readFileSync(join(ROOT, "examples/starter/fleet.yaml"), "utf8");
  expect(starter).toMatch(
    /^# yaml-language-server: \$schema=node_modules\/cdktf-ssh-only-firewall\/fleet\.schema\.json\n/,
  );
});

/** The places of properties that say nothing of themselves. */
function silent(schema: Schema, place = ""): string[] {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, Schema>);
  const inner = [schema.items, schema.additionalProperties, ...((schema.oneOf ?? []) as Schema[])].filter(
    (one): one is Schema => typeof one === "object",
  );
  return [
    ...properties.filter(([, { description }]) => description === undefined).map(([key]) => `${place}.${key}`),
    ...properties.filter(([key]) => key !== "terraform").flatMap(([key, value]) => silent(value, `${place}.${key}`)),
    ...inner.flatMap((one) => silent(one, place)),
  ];
}

test("every key has its description, with its default", () => {
  expect(silent(fleetSchema())).toEqual([]);
  const { properties } = fleetSchema() as { properties: Record<string, Schema> };
  expect(properties.sshPort).toMatchObject({
    default: 22,
    description: "The TCP port that sshd listens on. Default: 22.",
  });
  expect(properties.mode).toMatchObject({ default: "enforce", enum: ["enforce", "observe"] });
});

/** Whole texts in our tests and examples that are fleet files, or were meant to be. */
function fleetFiles(): readonly string[] {
  const found = new Set(filesIn(["examples"], ".yaml").map((file) => readFileSync(join(ROOT, file), "utf8")));
  for (const file of filesIn(
    ["test/fleet", "test/cli", "test/e2e", "test/package", "test/review", "test/status"],
    ".ts",
  )) {
    const visit = (node: ts.Node): void => {
      if (ts.isStringLiteralLike(node) && /^(?:[\w]+: .*\n)*hosts:/m.test(node.text)) {
        found.add(node.text);
      }
      ts.forEachChild(node, visit);
    };
    visit(ts.createSourceFile(file, readFileSync(join(ROOT, file), "utf8"), ts.ScriptTarget.ES2022, true));
  }
  return [...found];
}

test("the schema takes every fleet file of the tests and examples that the parser takes, and rejects those of a wrong shape", () => {
  const judged = fleetFiles().flatMap((text) => {
    try {
      return [{ text, schema: isValid(parse(text, { merge: true })), parser: isFleet(text) }];
    } catch {
      // No YAML at all.
      return [];
    }
  });
  expect(judged.filter(({ parser }) => parser).length).toBeGreaterThan(20);
  expect(judged.filter(({ schema, parser }) => parser && !schema)).toEqual([]);
  expect(judged.filter(({ schema, parser }) => !parser && !schema).length).toBeGreaterThan(5);
});

const address = fc.nat(250).map((last) => `192.0.2.${last}`);
const someone = fc.oneof(address, fc.constantFrom("198.51.100.0/24", "2001:db8::/32"));
const peers = fc.oneof(someone, fc.array(someone, { minLength: 1, maxLength: 3 }));
const port = fc.integer({ min: 1024, max: 65535 });
const protocol = fc.constantFrom("tcp", "udp");
const some = <T>(values: Record<string, fc.Arbitrary<unknown>>, required: readonly string[] = []) =>
  fc.record(values, { requiredKeys: [...required] }) as fc.Arbitrary<T>;
type Values = Record<string, unknown>;
const of = (kind: string, values: Record<string, fc.Arbitrary<unknown>>, required: readonly string[] = []) =>
  some<Values>({ kind: fc.constant(kind), ...values }, ["kind", ...required]);
const exception = fc.oneof(
  fc.constantFrom("dhcp-client", "dhcpv6-client", "ping"),
  of("ping", { from: peers }),
  of("dns", { resolvers: peers }, ["resolvers"]),
  of("ntp", { servers: peers }, ["servers"]),
  of("syslog", { to: peers, port, protocol }, ["to"]),
  of("egress", { to: peers, port, protocol }, ["to", "port"]),
  of("ingress", { from: peers, port, protocol }, ["from", "port"]),
  of("protocol", { protocol: fc.integer({ min: 141, max: 254 }), peers }, ["protocol", "peers"]),
  of("wireguard", { peers, port }, ["peers"]),
);
const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,10}$/);
const connection = some<Values>({
  user: word,
  port,
  privateKeyPath: fc.constantFrom("~/.ssh/id", "/keys/a b", "relative/key"),
  timeoutSeconds: fc.integer({ min: 1, max: 3600 }),
  scriptPath: fc.constantFrom("./a-%RAND%.sh", "/opt/x.sh"),
  bastion: some({ host: address, user: word, port, privateKeyPath: fc.constant("~/b") }, ["host"]),
});
const shared = {
  sshPort: fc.integer({ min: 1, max: 1000 }),
  allowFrom: fc.array(someone, { minLength: 1, maxLength: 4 }),
  exceptions: fc.array(exception, { maxLength: 4 }),
  deniedInbound: fc.constantFrom("drop", "reject"),
  deniedOutbound: fc.constantFrom("drop", "reject"),
  logDeniedPerMinute: fc.integer({ min: 1, max: 600 }),
  mode: fc.constantFrom("enforce", "observe"),
  backend: fc.constantFrom("nftables", "iptables", "auto"),
  confirmWithinSeconds: fc.integer({ min: 10, max: 3600 }),
  skipPreflight: fc.boolean(),
  takeOver: fc.constantFrom(true, false, "same-stack"),
  persist: fc.boolean(),
  connection,
};
/** Everything that a fleet may say; hosts get addresses of their own, because no two may have the same. */
const fleet = some<Values>(
  {
    ...shared,
    name: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,20}$/),
    hosts: fc
      .dictionary(
        fc.stringMatching(/^[a-z][a-z0-9.-]{0,8}$/).filter((key) => key !== "shared"),
        fc.oneof(fc.constant(undefined), some<Values>(shared)),
        { minKeys: 1, maxKeys: 3 },
      )
      .map((hosts) =>
        Object.fromEntries(
          Object.entries(hosts).map(([key, host], index) => {
            const own = `192.0.2.${index + 1}`;
            return [key, host === undefined ? own : { ...host, address: own }];
          }),
        ),
      ),
    onDestroy: fc.constantFrom("unlock", "unlock-if-reachable", "leave-locked"),
    tracker: fc.constantFrom("null_resource", "terraform_data"),
    shards: fc.integer({ min: 1, max: 256 }),
    stacks: fc.integer({ min: 1, max: 256 }),
    detectDrift: fc.boolean(),
    terraform: fc.constantFrom<unknown>(
      { backend: { local: { path: "state/{stack}.tfstate" } } },
      { cloud: { organization: "x", workspaces: { name: "{stack}" } } },
      { encryption: { state: { method: "${method.aes_gcm.m}" } } },
    ),
  },
  ["hosts"],
);

/** What may stand in the place of any value, and is wrong nearly everywhere. */
const odd = fc.constantFrom<unknown>(
  null,
  "",
  -1,
  1.5,
  70_000,
  true,
  [],
  {},
  "nonsense\u0000",
  ["x", 1],
  { kind: "no" },
  { address: 7 },
);

type Place = readonly (string | number)[];
function places(value: unknown, place: Place = []): Place[] {
  const inner = typeof value === "object" && value !== null ? Object.entries(value) : [];
  return [...inner.map(([key]) => [...place, key]), ...inner.flatMap(([key, one]) => places(one, [...place, key]))];
}

function changed(value: unknown, [first, ...others]: Place, by: (old: unknown) => unknown): unknown {
  const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) }) as Record<string, unknown>;
  const key = String(first);
  const made = others.length === 0 ? by(copy[key]) : changed(copy[key], others, by);
  if (made === undefined && !Array.isArray(copy)) {
    delete copy[key];
  } else {
    copy[key] = made;
  }
  return copy;
}

/** Texts whose rightness needs more than their shape: addresses, paths, keys, and settings of others. */
const BEYOND =
  /^(address|host|allowFrom|privateKeyPath|certificatePath|hostKey|scriptPath|to|from|resolvers|servers|peers|group)$/;

function isBeyondShape(place: Place): boolean {
  const [first] = place;
  const name = place.findLast((one) => !/^\d+$/.test(String(one)));
  return (first === "hosts" && place.length === 2) || BEYOND.test(String(name));
}

test("schema and parser agree on generated fleets, and on those with one thing wrong", () => {
  const mutation = fc.record({ at: fc.nat(), how: fc.constantFrom("replace", "remove", "extra", "none", "none"), odd });
  const verdicts = { good: 0, bad: 0 };
  fc.assert(
    fc.property(fleet, mutation, (sound, { at, how, odd: other }) => {
      const all = places(sound);
      const place = all[at % all.length] as Place;
      const value =
        how === "none"
          ? sound
          : changed(sound, place, (old) =>
              how === "replace" ? other : how === "remove" ? undefined : { ...(old as object), surplus: 1 },
            );
      const [schema, parser] = [isValid(value), isFleet(JSON.stringify(value))];
      verdicts[parser ? "good" : "bad"]++;
      const isBeyond = how === "replace" && typeof other === "string" && isBeyondShape(place);
      // The schema rejects nothing that the parser takes; the other way round only for what a shape cannot show.
      expect(schema || !parser).toBe(true);
      expect(parser || !schema || isBeyond || place.includes("terraform")).toBe(true);
    }),
    { numRuns: Number(process.env.FLEETS ?? 500) },
  );
  expect(verdicts.good).toBeGreaterThan(100);
  expect(verdicts.bad).toBeGreaterThan(100);
});

test("the generated fleets have every kind of exception", () => {
  const kinds = fc.sample(exception, 500).map((one) => (typeof one === "string" ? one : one.kind));
  expect([...new Set(kinds)].sort()).toEqual([...EXCEPTION_KINDS].sort());
});
