import * as fc from "fast-check";
import { TerraformStack, Testing } from "cdktf";
import { SshOnlyFirewall, type SshOnlyFirewallProps } from "../../lib/index";
import { SHARED_KEYS } from "../../lib/policy/host";
import { textOf } from "./support/configuration";

const KNOWN = ["hosts", "onDestroy", "tracker", "dependsOn", ...SHARED_KEYS];
const KNOWN_OF_HOST = ["address", ...SHARED_KEYS];

function firewallWith(props: unknown): { stack: TerraformStack; firewall: SshOnlyFirewall } {
  const stack = new TerraformStack(Testing.app(), "fleet");
  return { stack, firewall: new SshOnlyFirewall(stack, "firewall", props as SshOnlyFirewallProps) };
}

const leaf = fc.oneof(
  fc.constantFrom(
    "192.0.2.1",
    "web-1",
    "2001:db8::/32",
    "drop",
    "auto",
    "terraform_data",
    "unlock",
    "~/.ssh/id",
    22,
    60,
  ),
  fc.constantFrom(true, false, null, undefined, "", "x y", "a\nb", "${x}", "'", 0, -1, 1.5, [], {}),
  fc.jsonValue({ maxDepth: 2 }),
);
const list = fc.array(leaf, { maxLength: 3 });
const named = (keys: readonly string[], value: fc.Arbitrary<unknown>) =>
  fc.dictionary(fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...keys) }, fc.string({ maxLength: 5 })), value, {
    maxKeys: 4,
  });
const connection = named(["user", "port", "privateKeyPath", "agent", "hostKey", "bastion", "timeoutSeconds"], leaf);
const host = fc.oneof(leaf, named(KNOWN_OF_HOST, fc.oneof(leaf, list, connection)));
const hosts = named(["a", "b", "web-1"], host);
const props = fc.oneof(leaf, named(KNOWN, fc.oneof(leaf, list, connection, hosts)), fc.record({ hosts }));

test("whatever is given, the constructor does not throw, and a synth writes a configuration or reports why not", () => {
  fc.assert(
    fc.property(props, (given) => {
      const { stack, firewall } = firewallWith(given);
      const problems = firewall.problems;
      if (problems.length === 0) {
        expect(textOf(stack)).toContain("firewall_lockdown");
      } else {
        expect(() => textOf(stack)).toThrow(`[fleet/firewall] `);
        expect(() => Testing.synth(stack)).toThrow("fleet/firewall cannot be written:");
      }
      const said = problems.map(({ path, message }) => `${path}: ${message}`).join("");
      expect(said).not.toMatch(/[\p{Cc}\u2028\u2029\u202e]/u);
    }),
    { numRuns: 150 },
  );
});

describe("an unknown key is always reported", () => {
  const sound = { hosts: { a: { address: "192.0.2.1" } } };
  const unknownKey = (known: readonly string[]) =>
    fc
      .oneof(
        fc.string({ minLength: 1, maxLength: 12 }),
        // Near misses: one letter left out, doubled, or in another case.
        fc.tuple(fc.constantFrom(...known), fc.nat(30)).map(([key, at]) => key.slice(0, at) + key.slice(at + 1)),
        fc.constantFrom(...known).map((key) => key.toLowerCase()),
        fc.constantFrom(...known).map((key) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)),
      )
      .filter((key) => !known.includes(key) && key !== "__proto__");

  test.each<[string, readonly string[], (key: string) => unknown]>([
    ["in the properties", KNOWN, (key) => ({ ...sound, [key]: 1 })],
    ["in a host", KNOWN_OF_HOST, (key) => ({ hosts: { a: { address: "192.0.2.1", [key]: 1 } } })],
    [
      "in a connection",
      [
        "user",
        "port",
        "privateKeyPath",
        "certificatePath",
        "agent",
        "hostKey",
        "bastion",
        "timeoutSeconds",
        "scriptPath",
      ],
      (key) => ({ ...sound, connection: { [key]: 1 } }),
    ],
    [
      "in a bastion",
      ["host", "user", "port", "privateKeyPath", "hostKey"],
      (key) => ({ ...sound, connection: { bastion: { host: "jump", [key]: 1 } } }),
    ],
  ])("%s", (_, known, withKey) => {
    fc.assert(
      fc.property(unknownKey(known), (key) => {
        const { firewall } = firewallWith(withKey(key));
        expect(firewall.problems).toEqual([
          { path: expect.any(String) as string, message: expect.stringMatching(/^unknown; /) as string },
        ]);
      }),
      { numRuns: 50 },
    );
  });
});

test("the suggestion for an unknown key is a known key", () => {
  fc.assert(
    fc.property(fc.constantFrom(...KNOWN), fc.nat(), (key, at) => {
      const miss = key.slice(0, at % key.length) + key.slice((at % key.length) + 1);
      fc.pre(!KNOWN.includes(miss) && key.length > 5);
      const [problem] = firewallWith({ hosts: { a: "192.0.2.1" }, [miss]: 1 }).firewall.problems;
      expect(problem).toEqual({ path: miss, message: `unknown; did you mean ${key}?` });
    }),
  );
});
