/** The command itself, with a script as `ssh`; real hosts are asked in test/e2e/check.test.ts. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { XMLParser } from "fast-xml-parser";
import type { CheckReport } from "../../lib/check/check-report";
import { type Ended, emptyFolder, program, ROOT, run } from "./support/run";

jest.setTimeout(120_000);

const folder = emptyFolder();
mkdirSync(join(folder, "bin"));
const ssh = join(folder, "bin/ssh");
writeFileSync(
  ssh,
  `#!/bin/sh
while [ "$1" != -- ]; do shift; done
case $2 in
  10.0.0.9) exit 255 ;;
  10.0.0.7) echo 'Host key verification failed.' >&2; exit 255 ;;
  10.0.0.8) echo half; exit 0 ;;
  10.0.0.2) found='refused 6 lease The address is leased: add the exception dhcp-client.
refused 5 source You came from 192.0.2.1.' code=6 ;;
  *) found='conflict chain input drops' code=0 ;;
esac
cat >'${folder}/asked'
printf 'ssh-only-firewall-status 0 {"state":"open","rules":"none"}\\nssh-only-firewall-said\\n'
printf 'ssh-only-firewall-check %s\\n%s\\nssh-only-firewall-checked\\n' "$code" "$found"
`,
);
chmodSync(ssh, 0o755);

const key = (name: string, passphrase: string): string => {
  const file = join(folder, name);
  spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", passphrase, "-f", file]);
  return file;
};
const plainKey = key("plain", "");
const check = (...args: readonly string[]): Ended =>
  run(program("ssh-only-firewall", "check", ...args), ROOT, {
    PATH: `${join(folder, "bin")}${delimiter}${process.env.PATH}`,
    SSH_AUTH_SOCK: "",
  });

function fleet(hosts: Readonly<Record<string, unknown>>): string {
  const file = join(folder, "fleet.yaml");
  writeFileSync(file, JSON.stringify({ connection: { privateKeyPath: plainKey }, allowFrom: ["192.0.2.0/24"], hosts }));
  return file;
}

const reasons = ({ stdout }: Ended): Readonly<Record<string, string>> =>
  Object.fromEntries(
    (JSON.parse(stdout) as CheckReport).hosts.map((one) => [one.host, one.reasons.map(({ word }) => word).join(" ")]),
  );

test("hosts that could be locked are ready, and 0; what does not keep them from it is a note", () => {
  const { code, stdout, stderr } = check(fleet({ a: "10.0.0.1" }));
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toBe(
    [
      "HOST  ADDRESS   IS",
      "a     10.0.0.1  ready  note: host key not pinned, so that anyone in between can answer for it: run ssh-only-firewall pin, or set connection.hostKey",
      "                       note: another firewall may drop SSH on port 22: chain input drops",
      "",
      "1 host: 1 ready. No host would refuse a lock now. Nothing was changed.",
      "",
    ].join("\n"),
  );
});

test("every refusal is listed with its word, a host that ends half-way is not ready, and the exit code is 2", () => {
  const file = fleet({ a: "10.0.0.1", b: "10.0.0.2", c: "10.0.0.8", d: "10.0.0.9", e: "10.0.0.7" });
  const json = check(file, "--json");
  expect(json.code).toBe(2);
  expect(reasons(json)).toEqual({ a: "", b: "lease source", c: "no-answer", d: "unreachable", e: "unreachable" });
  expect(json.stdout).toMatch(/Host key verification failed\.: compare the host's key, .* or set connection\.hostKey/);
  const { testsuites } = new XMLParser({ ignoreAttributes: false }).parse(check(file, "--junit").stdout) as {
    testsuites: { "@_failures": string; testsuite: { testcase: ReadonlyArray<{ failure?: { "@_type": string } }> } };
  };
  expect(testsuites["@_failures"]).toBe("4");
  expect(testsuites.testsuite.testcase.map(({ failure }) => failure?.["@_type"])).toEqual([
    undefined,
    "lease",
    "no-answer",
    "unreachable",
    "unreachable",
  ]);
});

test("a key that Terraform could not use is found here", () => {
  const pem = join(folder, "pem");
  spawnSync("ssh-keygen", ["-q", "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "secret", "-f", pem]);
  const withKey = (address: string, privateKeyPath: string): unknown => ({ address, connection: { privateKeyPath } });
  const file = fleet({
    encrypted: withKey("10.0.0.11", key("encrypted", "secret")),
    encryptedPem: withKey("10.0.0.12", pem),
    missing: withKey("10.0.0.13", join(folder, "nothing")),
    other: withKey("10.0.0.14", join(folder, "fleet.yaml")),
    plain: withKey("10.0.0.15", plainKey),
    public: withKey("10.0.0.16", `${plainKey}.pub`),
  });
  expect(reasons(check(file, "--json"))).toEqual({
    encrypted: "encrypted-key",
    encryptedPem: "encrypted-key",
    missing: "no-key",
    other: "no-key",
    plain: "",
    public: "public-key",
  });
});

test("without a key, and without an agent, nobody could log in", () => {
  const file = join(folder, "no-key.yaml");
  writeFileSync(file, JSON.stringify({ allowFrom: ["192.0.2.0/24"], hosts: { a: "10.0.0.1" } }));
  expect(reasons(check(file, "--json"))).toEqual({ a: "no-key" });
});

test("a fleet file or stack that cannot be read is 1, with its place", () => {
  expect(check(join(folder, "nowhere.yaml"))).toMatchObject({ code: 1, stdout: "" });
  const stack = check("--stack", folder);
  expect(stack).toMatchObject({ code: 1, stdout: "" });
  expect(stack.stderr).toMatch(/cdk\.tf\.json cannot be read .*; run the synth/);
});
