/** Which stack, construct and workspace a lock names, in characters that no shell, JSON or record could take for something else. */
import { Construct } from "constructs";
import fc from "fast-check";
import { decoded, encodedPath } from "../../lib/contract/origin";
import { SshOnlyFirewall } from "../../lib/index";
import { configurationOf, partsOf, settingOf, stackOf, textOf } from "./support/configuration";

const PLAIN = /^[A-Za-z0-9._~%/-]*$/;

const firewallIn = (scope: Construct, id: string): SshOnlyFirewall =>
  new SshOnlyFirewall(scope, id, { hosts: { a: "192.0.2.1" }, allowFrom: ["192.0.2.0/24"] });
const workspace = `'\${replace(urlencode(terraform.workspace), "'", "'\\\\''")}'`;

test("a lock names its stack, its construct and Terraform's workspace", () => {
  const { lock } = partsOf(configurationOf(stackOf((stack) => firewallIn(stack, "firewall"))));
  expect(["STACK", "CONSTRUCT", "WORKSPACE"].map((name) => settingOf(lock, name))).toEqual([
    "'fleet'",
    "'firewall'",
    workspace,
  ]);
});

test("a firewall within other constructs is named with them", () => {
  const stack = stackOf((one) => firewallIn(new Construct(one, "web 'ü'"), "fire${wall}"));
  expect(textOf(stack)).toContain("SSH_ONLY_CONSTRUCT='web%20%27%C3%BC%27/fire%24%7Bwall%7D'\\n");
});

test("a path is encoded, kept apart from every other, and read back", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary", maxLength: 40 }),
      fc.string({ unit: "grapheme", maxLength: 40 }),
      (one, other) => {
        expect(encodedPath(one)).toMatch(PLAIN);
        expect(encodedPath(one) === encodedPath(other)).toBe(Buffer.from(one).equals(Buffer.from(other)));
        expect(encodedPath(one).length > 200 || decoded(encodedPath(one)) === Buffer.from(one).toString()).toBe(true);
      },
    ),
  );
});

test("a long path is cut, and a hash keeps it apart from others that begin alike", () => {
  const [one, other] = ["a", "b"].map((end) => encodedPath(`${"é".repeat(400)}${end}`));
  expect(one).toMatch(PLAIN);
  expect(one?.length).toBeLessThan(300);
  expect(one).not.toBe(other);
});
