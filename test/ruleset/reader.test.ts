import fc from "fast-check";
import type { RulesetTexts } from "../../lib/contract/backends";
import { FAMILIES } from "../../lib/policy/address";
import { parsePolicy, type Policy } from "../../lib/policy/policy";
import { Problems } from "../../lib/input/problems";
import { renderRulesets } from "../../lib/ruleset/backends";
import { type OpenPort, type OpenProtocol, readRuleset } from "../../lib/ruleset/reader";
import { anyPolicy } from "./support/any-policy";
import { policies } from "./support/policies";
import { rulesetOf } from "../review/support/plans";

const textsOf = (name: keyof typeof policies): { nftables: string; iptables: string; ip6tables: string } => {
  const { nftables = "", iptables = "", ip6tables = "" } = renderRulesets(policies[name], "auto");
  return { nftables, iptables, ip6tables };
};
const shownProtocol = ({ protocol, source, group }: OpenProtocol): string =>
  `${protocol} from ${source ?? `the group ${group}`}`;
const shown = ({ protocol, port, source }: OpenPort): string => `${protocol} ${port} from ${source}`;

const distinct = (texts: readonly string[]): string[] => [...new Set(texts)].sort();

/** What of a policy a reader of its rules must find. */
function expected(policy: Policy): unknown {
  const ingress = policy.exceptions.filter(({ direction, port }) => direction !== "out" && port !== undefined);
  const protocols = policy.exceptions.filter(({ ipProtocol }) => ipProtocol !== undefined);
  return {
    sshPort: policy.sshPort,
    sshSources: policy.sources.map(String).sort(),
    otherPorts: ingress
      .flatMap(({ protocols, port, peers = [] }) =>
        protocols.flatMap((protocol) => peers.map((peer) => `${protocol} ${port} from ${peer}`)),
      )
      .sort(),
    protocols: distinct(
      protocols.flatMap((one) =>
        FAMILIES.flatMap((family) => {
          const peers = one.peersOf(family);
          return peers.length > 0
            ? // One rule for all of them.
              (peers.some(({ isAny }) => isAny) ? peers.filter(({ isAny }) => isAny) : peers).map(
                (peer) => `${one.ipProtocol} from ${peer}`,
              )
            : one.groupsOf(family).map((group) => `${one.ipProtocol} from the group ${group}`);
        }),
      ),
    ),
    answers: distinct(
      policy.exceptions
        .filter(({ direction, port }) => direction === "out" && port !== undefined)
        .flatMap(({ protocols, port, peers = [] }) =>
          protocols.flatMap((protocol) => peers.map((peer) => `${protocol} ${port} from ${peer}`)),
        ),
    ),
    passesAll: policy.mode === "observe",
    rejectsInbound: policy.mode === "enforce" && policy.deniedInbound === "reject",
    loggedPerMinute: policy.logDeniedPerMinute,
  };
}

describe("a ruleset is read back from its rules", () => {
  test.each(["nftables", "iptables", "auto"] as const)("of any policy, for backend %s", (backend) => {
    fc.assert(
      fc.property(anyPolicy, (props) => {
        const policy = parsePolicy(props, new Problems());
        fc.pre(policy !== undefined);
        const summary = readRuleset(renderRulesets(policy, backend));
        expect(
          summary && {
            ...summary,
            sshSources: summary.sshSources.map(String).sort(),
            otherPorts: summary.otherPorts.map(shown).sort(),
            answers: distinct(summary.answers.map(shown)),
            protocols: distinct(summary.protocols.map(shownProtocol)),
          },
        ).toEqual(expected(policy));
      }),
    );
  });

  test("of nftables alone", () => {
    const { nftables } = textsOf("log");
    expect(readRuleset({ nftables })).toMatchObject({ sshPort: 22, loggedPerMinute: 10 });
  });

  test("and is the same without its comments", () => {
    const { nftables, iptables, ip6tables } = textsOf("every-exception");
    const bare = (text: string): string => text.replace(/^\s*#.*\n/gm, "");
    const texts = { nftables: bare(nftables), iptables: bare(iptables), ip6tables: bare(ip6tables) };
    expect(readRuleset(texts)).toEqual(readRuleset(textsOf("every-exception")));
    expect(readRuleset(texts)).toBeDefined();
  });

  const { texts } = rulesetOf(["192.0.2.0/24", "198.51.100.7"]);
  const swap = (name: string, from: string, to: string): RulesetTexts => {
    expect(texts[name]).toContain(from);
    return { ...texts, [name]: texts[name]?.replace(from, to) };
  };
  test.each([
    [
      "a backend that lets in others than the other one does",
      swap("iptables", "-s 198.51.100.7 -p tcp -m tcp --dport 22 -j", "-p tcp -m tcp --dport 22 -j"),
    ],
    [
      "another port in one backend",
      swap("iptables", "-s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j", "-s 192.0.2.0/24 -p tcp -m tcp --dport 23 -j"),
    ],
    [
      "two ports where SSH is let in",
      {
        nftables:
          swap("nftables", "tcp dport 22 accept", "tcp dport 22 accept\n\t\ttcp dport 23 accept").nftables ?? "",
      },
    ],
    ["UDP where SSH is let in", { nftables: (texts.nftables ?? "").replaceAll("tcp dport 22", "udp dport 22") }],
    ["no text", {}],
    ["no text for IPv6", { iptables: texts.iptables ?? "" }],
    [
      "a rule that is no address",
      swap("nftables", "{ 192.0.2.0/24, 198.51.100.7 } tcp dport 22 accept", "{ a, b } tcp dport 22 accept"),
    ],
  ])("and is not understood where there is %s", (_what, odd) => {
    expect(readRuleset(odd)).toBeUndefined();
  });

  const nft = (name: keyof typeof policies): string => textsOf(name).nftables;
  test.each([
    ["a rule for many ports", nft("typical"), "tcp dport 22 accept", "tcp dport 1-65535 accept"],
    [
      "a rule of those that observe where it denies",
      nft("typical"),
      "\t\ticmp type",
      "\t\ttcp flags & (syn | ack) != syn accept\n\t\ticmp type",
    ],
    ["a rule for all", nft("typical"), "\t\ticmp type", "\t\taccept\n\t\ticmp type"],
    ["a rule for each protocol", nft("typical"), "\t\ticmp type", "\t\tmeta l4proto tcp accept\n\t\ticmp type"],
    ["a jump", nft("typical"), "\t\ticmp type", "\t\tjump output\n\t\ticmp type"],
    ["a way out", nft("typical"), "\t\ticmp type", "\t\ttcp dport 22 goto output\n\t\ticmp type"],
    ["a rule for an interface", nft("typical"), "\t\ticmp type", '\t\tiifname "eth0" accept\n\t\ticmp type'],
    ["two rules in a line", nft("typical"), "\t\ticmp type", "\t\tdrop; accept\n\t\ticmp type"],
    ["a drop in front", nft("typical"), '\t\tiifname "lo"', '\t\tdrop\n\t\tiifname "lo"'],
    [
      "another policy of the chain",
      nft("typical"),
      "hook input priority -10; policy drop",
      "hook input priority -10; policy accept",
    ],
    ["no end", nft("typical"), '"denied in"\n\t\tdrop\n', '"denied in"\n'],
    ["an end that accepts", nft("typical"), '"denied in"\n\t\tdrop\n', '"denied in"\n\t\taccept\n'],
    [
      "a chain within another",
      nft("typical"),
      '\t\toifname "lo"',
      '\t\tdrop }; chain input { accept; }; chain x { drop\n\t\toifname "lo"',
    ],
    ["a command behind it", nft("typical"), /$/, "insert rule inet ssh_only_firewall input accept\n"],
    ["a command before it", nft("typical"), /^/, "flush ruleset\n"],
  ] as Array<[string, string, string | RegExp, string]>)(
    "and is not understood where nftables has %s",
    (_what, text, from, to) => {
      expect(readRuleset({ nftables: text })).toBeDefined();
      const odd = text.replace(from, to);
      expect(odd).not.toBe(text);
      expect(readRuleset({ nftables: odd })).toBeUndefined();
    },
  );

  test.each([
    ["a rule for all", "-A SSH_ONLY_IN -p icmp", "-A SSH_ONLY_IN -j ACCEPT\n-A SSH_ONLY_IN -p icmp"],
    ["a rule that leaves the chain", "-A SSH_ONLY_IN -p icmp", "-A SSH_ONLY_IN -j RETURN\n-A SSH_ONLY_IN -p icmp"],
    ["a jump", "-A SSH_ONLY_IN -p icmp", "-A SSH_ONLY_IN -p tcp -g SSH_ONLY_OUT\n-A SSH_ONLY_IN -p icmp"],
    ["a rule for many ports", "--dport 22 -j ACCEPT", "--dport 1:65535 -j ACCEPT"],
    ["a rule put in front", "COMMIT", "-I SSH_ONLY_IN -j ACCEPT\nCOMMIT"],
    ["a rule in a chain of others", "COMMIT", "-A INPUT -j ACCEPT\nCOMMIT"],
    ["no end", "-A SSH_ONLY_IN -j DROP\n", ""],
    ["an end that only leaves", "-A SSH_ONLY_IN -j DROP\n", "-A SSH_ONLY_IN -j RETURN\n"],
  ])("and is not understood where iptables has %s", (_what, from, to) => {
    const texts = { ...textsOf("typical"), nftables: "" };
    expect(readRuleset(texts)).toBeDefined();
    const odd = texts.iptables.replace(from, to);
    expect(odd).not.toBe(texts.iptables);
    expect(readRuleset({ ...texts, iptables: odd })).toBeUndefined();
  });

  test("and not from the comments above them", () => {
    const lying = swap(
      "nftables",
      "ip saddr { 192.0.2.0/24, 198.51.100.7 } tcp dport 22 accept",
      "tcp dport 22 accept",
    );
    expect(readRuleset({ ...lying, iptables: "", ip6tables: "" })?.sshSources.map(String)).toEqual([
      "anywhere (IPv4)",
      "anywhere (IPv6)",
    ]);
  });
});
