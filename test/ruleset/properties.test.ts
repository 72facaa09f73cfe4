import * as fc from "fast-check";
import { defined, withoutUndefined } from "../support/required";
import { type PolicyProps, parsePolicy } from "../../lib/policy/policy";
import { Problems } from "../../lib/input/problems";
import { renderIptables, renderIptablesFile } from "../../lib/ruleset/backends/iptables";
import { renderNftables } from "../../lib/ruleset/backends/nftables";
import { BACKENDS } from "../../lib/policy/host";
import { renderRulesets } from "../../lib/ruleset/backends";
import { anyAddress, anyPolicy } from "./support/any-policy";
import { policyOf } from "./support/policies";

const everyText = (props: PolicyProps): string[] => {
  const policy = policyOf(props);
  return [
    renderNftables(policy),
    ...(["ipv4", "ipv6"] as const).flatMap((family) => [
      renderIptables(policy, family),
      renderIptablesFile(policy, family),
    ]),
  ];
};

test("the same policy gives the same text, in whatever order its lists are written", () => {
  fc.assert(
    fc.property(anyPolicy, fc.func(fc.integer()), (one, order) => {
      const shuffled = <T>(list: readonly T[] | undefined): T[] | undefined =>
        list && [...list].sort((a, b) => order(a) - order(b));
      const lists = { allowFrom: shuffled(one.allowFrom), exceptions: shuffled(one.exceptions) };
      const other = { ...one, ...withoutUndefined(lists) };
      expect(everyText(other)).toEqual(everyText(one));
    }),
  );
});

test("a source that another covers does not change the text", () => {
  const allowFrom = ["10.0.0.0/8", "2001:db8::/32"];
  const covered = [...allowFrom, "10.1.0.0/16", "10.2.3.4", "2001:db8::1", "10.0.0.0/8"];
  expect(everyText({ allowFrom: covered })).toEqual(everyText({ allowFrom }));
});

test("each text is ASCII lines that end with one newline, and holds no template", () => {
  fc.assert(
    fc.property(anyPolicy, (some) => {
      for (const text of everyText(some)) {
        expect(text).toMatch(/^[\t\n\x20-\x7e]*[^\n]\n$/);
        expect(text).not.toMatch(/[$%]\{|[`\\]/);
      }
    }),
  );
});

test("no text in the place of an address puts a line break, a quote or a template into the rules", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 30 }),
    fc
      .tuple(
        anyAddress,
        fc.constantFrom("\n", "'", '"', "${x}", "%{x}", "; flush ruleset", " accept", "\\"),
        anyAddress,
      )
      .map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 3 }), (texts) => {
      const policy = parsePolicy({ allowFrom: ["192.0.2.1", ...texts] }, new Problems());
      if (policy !== undefined) {
        const rules = renderNftables(policy)
          .replace(/"(lo|denied \w+)"/g, "")
          .split("\n")
          .filter((line) => !line.trim().startsWith("#"));
        expect(rules.join("\n")).not.toMatch(/['"`\\]|[$%]\{|flush/);
      }
    }),
    { numRuns: 500 },
  );
});

test("iptables gets the texts that it loads, and whatever may be nftables gets all of them", () => {
  const policy = policyOf({});
  const iptables = { iptables: renderIptables(policy, "ipv4"), ip6tables: renderIptables(policy, "ipv6") };
  const all = { nftables: renderNftables(policy), ...iptables };
  expect(BACKENDS.map((backend) => renderRulesets(policy, backend))).toEqual([all, iptables, all]);
});

test("the chains of the overlay never hold a jump from a built-in chain, which would not survive a reload", () => {
  const lines = renderIptables(policyOf({}), "ipv4").split("\n");
  expect(lines.filter((line) => /^-[AI] (INPUT|OUTPUT|FORWARD)/.test(line))).toEqual([]);
});

test("a log prefix is short enough for iptables", () => {
  const text = renderIptables(policyOf({ logDeniedPerMinute: 1 }), "ipv4");
  const prefixes = [...text.matchAll(/--log-prefix "([^"]*)"/g)].map(([, prefix = ""]) => prefix);
  expect(prefixes).toEqual(["ssh-only-firewall in: ", "ssh-only-firewall out: ", "ssh-only-firewall forward: "]);
  expect(Math.max(...prefixes.map((prefix) => defined(prefix).length))).toBeLessThanOrEqual(29);
});
