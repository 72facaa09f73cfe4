/** What a host takes for a ruleset: all that this package writes, under every awk, and nothing that a value has added to it. */
import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { hostFiles } from "../../lib/host/program";
import { stripAwk } from "../../lib/host/strip";
import type { Policy } from "../../lib/policy/policy";
import { renderRulesets } from "../../lib/ruleset/backends";
import { describeUnless } from "../support/describe-unless";
import { anyPolicy } from "../ruleset/support/any-policy";
import { policies, policyOf, TOKENS, withTokensResolved } from "../ruleset/support/policies";

const check = ["addresses", "ruleset-lines", "ruleset"]
  .map((name) => stripAwk(hostFiles().get(`awk/${name}.awk`) as string))
  .join("");

const awks: ReadonlyArray<readonly string[]> = [["mawk"], ["original-awk"], ["busybox", "awk"]];

/** What the host finds; `resolve` puts values in the places of tokens. */
function found(awk: readonly string[], policy: Policy, resolve = withTokensResolved): string {
  const texts = renderRulesets(policy, "auto");
  const parts = (["nftables", "iptables", "ip6tables"] as const).map((name) => `== ${name}\n${texts[name] ?? ""}`);
  const sources = policy.sources.map(({ cidr }) => cidr).join(" ");
  const input = resolve(`${sources}\n${parts.join("")}`);
  const [command = "", ...words] = awk;
  const { stdout, stderr } = spawnSync(command, [...words, "-v", "address=192.0.2.1", check], {
    input,
    encoding: "utf8",
  });
  return `${stdout}${stderr}`;
}

const HOSTILE: ReadonlyArray<readonly [string, keyof typeof TOKENS, string]> = [
  ["a name", "bastion_v4", "bastion.example"],
  ["more of a rule", "bastion_v4", "0.0.0.0/0 accept; #"],
  ["another match", "bastion_v4", "192.0.2.10 tcp dport 80"],
  ["a protocol", "resolver", "192.0.2.53 meta l4proto 47 accept #"],
  ["nothing", "bastion_v4", ""],
  ["an address of the other family", "bastion_v4", "2001:db8::1"],
  ["an address of IPv4", "bastion_v6", "192.0.2.10"],
  ["a number that is too large", "bastion_v4", "192.0.2.256"],
  ["a leading zero", "bastion_v4", "192.0.2.010"],
  ["a prefix that is too long", "bastion_v4", "192.0.2.0/33"],
  ["a prefix behind a range", "office_v4", "203.0.113.0/24"],
  ["too few groups", "bastion_v6", "2001:db8:1"],
  ["two gaps", "bastion_v6", "2001::db8::1"],
  ["a zone", "bastion_v6", "fe80::1%eth0"],
  ["a range of addresses", "bastion_v4", "192.0.2.1-192.0.2.9"],
  ["a set", "bastion_v4", "{ 192.0.2.1, 192.0.2.2 }"],
  ["a set that is not ours", "resolver", "@others"],
  ["a negation", "resolver", "!= 192.0.2.1"],
  ["a line of its own", "resolver", "192.0.2.53\n\t\taccept"],
  ["a rule of its own", "resolver", "192.0.2.53 tcp dport 53 accept\n\t\tmeta nfproto ipv4 tcp dport 80 accept #"],
  ["the end of its text", "resolver", "192.0.2.53\n== iptables\n*filter"],
  ["a shell", "resolver", "$(reboot)"],
];

describe.each(awks)("under %s", (...awk) => {
  const missing = spawnSync(awk[0] as string, ["true"]).error !== undefined;
  describeUnless(missing ? `${awk[0]} is not installed` : undefined, "the host", () => {
    test.each(Object.entries(policies))("takes the ruleset %s", (_, policy) => {
      expect(found(awk, policy)).toBe(policy.families.includes("ipv4") ? "allowed\n" : "foreign\n");
    });

    test("takes the ruleset of any policy", () => {
      fc.assert(
        fc.property(anyPolicy, (props) => {
          expect(found(awk, policyOf(props))).toMatch(/^(allowed|foreign)\n$/);
        }),
        { numRuns: 30 },
      );
    });

    test.each(HOSTILE)("refuses a ruleset in which a value is %s (%s)", (_, name, value) => {
      expect(found(awk, policies.tokens, (text) => withTokensResolved(text, { [name]: value }))).toMatch(
        /^unsound [ -~]+\n$/,
      );
    });
  });
});
