import { Testing } from "cdktf";
import * as fc from "fast-check";
import { stringify } from "yaml";
import { parseFleet } from "../../lib/fleet/fleet-file";
import { FleetStack } from "../../lib/fleet/fleet-stack";

/** Pieces that YAML, tokens, and our own names are made of, so that chance finds its way into every corner. */
const piece = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(..."\n: -[]{}&*!|>'\"%@`#?,\t~<=$".split(""), "\n  ", "\n- ", ": ", "<<: ") },
  fc.constantFrom("hosts", "allowFrom", "exceptions", "connection", "bastion", "name", "address", "&a ", "*a", "kind"),
  fc.constantFrom(
    "192.0.2.1",
    "::/0",
    "22",
    "1e999",
    "null",
    "!!set ",
    "${TfToken[TOKEN.1]}",
    "-1.8881545897087626e+289",
  ),
  fc.string({ unit: "binary", maxLength: 6 }),
);
const anyText = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(""));

/** Anything that YAML can say, below names that are looked at. */
const anyValue = fc.dictionary(
  fc.constantFrom("hosts", "allowFrom", "exceptions", "connection", "sshPort", "name", "tracker", "constructor"),
  fc.oneof(fc.jsonValue(), fc.dictionary(fc.string(), fc.jsonValue())),
);

function expectSoundAnswer(text: string): void {
  const { fleet, problems } = parseFleet(text);
  expect(fleet === undefined).toBe(problems.length > 0);
  const lines = text.split("\n").length;
  for (const { line, column, message } of problems) {
    expect(line).toBeGreaterThanOrEqual(1);
    expect(line).toBeLessThanOrEqual(lines);
    expect(column).toBeGreaterThanOrEqual(1);
    expect(message).toMatch(/^[^\n]+$/);
  }
}

describe("any text", () => {
  test("is a fleet or has problems, each on a line of the text", () => {
    fc.assert(fc.property(anyText, expectSoundAnswer), { numRuns: 1500 });
  });

  test("that is YAML is a fleet or has problems, each on a line of the text", () => {
    fc.assert(
      fc.property(
        anyValue.map((value) => stringify(value)),
        expectSoundAnswer,
      ),
      { numRuns: 300 },
    );
  });
});

describe("any sound fleet", () => {
  const key = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/).filter((text) => text !== "shared");
  const hosts = fc.uniqueArray(key, { minLength: 1, maxLength: 12 }).chain((keys) =>
    fc.uniqueArray(fc.ipV4(), { minLength: keys.length, maxLength: keys.length }).map((addresses) => {
      return Object.fromEntries(keys.map((one, index) => [one, addresses[index]]));
    }),
  );

  test("synthesizes, with every host at its address", () => {
    fc.assert(
      fc.property(hosts, fc.integer({ min: 1, max: 65535 }), (addresses, sshPort) => {
        const { fleet, problems } = parseFleet(stringify({ sshPort, allowFrom: ["192.0.2.0/24"], hosts: addresses }));
        expect(problems).toEqual([]);
        const written = JSON.parse(Testing.synth(new FleetStack(Testing.app(), fleet!), true)) as {
          locals: { fleet_hosts: Record<string, { address: string }> };
        };
        const found = Object.entries(written.locals.fleet_hosts).map(([name, { address }]) => [name, address]);
        expect(Object.fromEntries(found)).toEqual(addresses);
      }),
      { numRuns: 25 },
    );
  });
});
