import * as fc from "fast-check";
import { defined, withoutUndefined } from "../support/required";
import { PolicyException } from "../../lib/policy/exception";
import { type PolicyProps, parsePolicy } from "../../lib/policy/policy";
import { Problems } from "../../lib/input/problems";
import { renderIptables, renderIptablesFile } from "../../lib/ruleset/iptables";
import { renderNftables } from "../../lib/ruleset/nftables";
import { BACKENDS } from "../../lib/policy/host";
import { renderRulesets } from "../../lib/ruleset/rulesets";
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

const address = fc.constantFrom(
  "192.0.2.0/24",
  "192.0.2.10",
  "198.51.100.7",
  "10.0.0.0/8",
  "10.1.0.0/16",
  "2001:db8::/32",
  "2001:db8::1",
  "fd00::/8",
  "::/0",
);

const exception = fc.oneof(
  fc.constantFrom("dhcp-client", "dhcpv6-client", "ping"),
  fc.record({
    kind: fc.constantFrom("egress", "syslog"),
    to: fc.array(address, { minLength: 1 }),
    port: fc.nat(65534).map((port) => port + 1),
  }),
  fc.record({ kind: fc.constant("dns"), resolvers: fc.array(address, { minLength: 1 }) }),
);

const props = fc.record(
  {
    sshPort: fc.integer({ min: 1, max: 65535 }),
    allowFrom: fc.array(address, { minLength: 1 }),
    exceptions: fc.array(exception) as unknown as fc.Arbitrary<PolicyException[]>,
    deniedInbound: fc.constantFrom("drop" as const, "reject" as const),
    deniedOutbound: fc.constantFrom("drop" as const, "reject" as const),
    logDeniedPerMinute: fc.integer({ min: 1, max: 600 }),
    newConnectionsPerMinute: fc.integer({ min: 6, max: 6000 }),
  },
  { requiredKeys: [] },
);

test("the same policy gives the same text, in whatever order its lists are written", () => {
  fc.assert(
    fc.property(props, fc.func(fc.integer()), (one, order) => {
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
    fc.property(props, (some) => {
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
      .tuple(address, fc.constantFrom("\n", "'", '"', "${x}", "%{x}", "; flush ruleset", " accept", "\\"), address)
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
  const prefixes = [...text.matchAll(/--log-prefix "([^"]*)"/g)].map((match) => match[1]);
  expect(prefixes).toEqual(["ssh-only-firewall in: ", "ssh-only-firewall out: ", "ssh-only-firewall forward: "]);
  expect(Math.max(...prefixes.map((prefix) => defined(prefix).length))).toBeLessThanOrEqual(29);
});
