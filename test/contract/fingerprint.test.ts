/** One short text for what is locked. */
import { fingerprint } from "../../lib/contract/fingerprint";

describe("the fingerprint", () => {
  const host = { key: "web-1", address: "192.0.2.10", ruleset: "aa", program: "bb" };

  test("is what its description says, whatever the order", () => {
    expect(fingerprint([host, { ...host, key: "a" }])).toBe(fingerprint([{ ...host, key: "a" }, host]));
    // printf 'ssh-only-firewall 1\n["web-1","192.0.2.10","aa","bb"]\n' | sha256sum
    expect(fingerprint([host])).toBe("d07ca620b7b3b4699c7becdd649adbc499b8dde2c4f922038e310d516ac3a2e0");
  });

  test.each(["key", "address", "ruleset", "program"] as const)("changes with the %s of a host", (name) => {
    expect(fingerprint([{ ...host, [name]: "other" }])).not.toBe(fingerprint([host]));
    expect(fingerprint([host, host])).not.toBe(fingerprint([host]));
  });
});
