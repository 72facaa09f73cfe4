import { accessFindings } from "../../lib/review/access";
import type { Rulesets } from "../../lib/review/rulesets";
import { plain } from "../../lib/review/text";
import { renderRulesets } from "../../lib/ruleset/backends";
import { PolicyException } from "../../lib/policy/exception";
import { policyOf } from "../ruleset/support/policies";

/** What a review finds in the ruleset of a new host with this exception. */
function found(exception: PolicyException): string[] {
  const texts = renderRulesets(policyOf({ allowFrom: ["192.0.2.0/24"], exceptions: [exception] }), "auto");
  const rulesets = { find: () => texts } as unknown as Rulesets;
  const ruleset = { before: undefined, after: { known: "any" } } as Parameters<typeof accessFindings>[0];
  return accessFindings(ruleset, rulesets, false, "none").map(([kind, detail]) => `${kind}: ${plain(detail)}`);
}

test("a protocol without ports that anybody may send is open to the world", () => {
  expect(found(PolicyException.protocol({ protocol: "gre", peers: "0.0.0.0/0" }))).toEqual([
    "open-to-world: an exception lets in IP protocol 47 (gre) from anywhere (IPv4)",
  ]);
  expect(found(PolicyException.wireguard({ peers: "::/0" }))).toEqual([
    "open-to-world: an exception lets in udp 51820 from anywhere (IPv6)",
  ]);
});

test("a protocol without ports of few peers, or of a group, is not", () => {
  expect(found(PolicyException.protocol({ protocol: "gre", peers: "192.0.2.7" }))).toEqual([]);
  expect(found(PolicyException.protocol({ protocol: "vrrp", group: "224.0.0.18" }))).toEqual([]);
});
