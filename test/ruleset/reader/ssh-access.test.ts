import { defined } from "../../support/required";
import { sshAccess } from "../../../lib/ruleset/reader/ssh-access";
import { golden } from "../support/golden";
import { rulesetOf } from "../../review/support/plans";

describe("who may reach SSH is read from the rules", () => {
  const names = [
    "default",
    "typical",
    "ipv4-only",
    "ipv6-only",
    "every-exception",
    "log-and-limit",
    "denials-swapped",
    "observe",
  ];

  test.each(names)("of %s, the same in every backend", (name) => {
    const texts = {
      nftables: golden(`${name}.nft`),
      iptables: golden(`${name}.v4`),
      ip6tables: golden(`${name}.v6`),
    };
    const all = sshAccess(texts);
    expect(all?.sources.length).toBeGreaterThan(0);
    expect(sshAccess({ ...texts, nftables: "" })).toEqual(all);
    expect(sshAccess({ nftables: texts.nftables, iptables: "", ip6tables: "" })).toEqual(all);
  });

  test("of a range, an address and a family", () => {
    const access = (name: string): string | undefined =>
      sshAccess({ nftables: golden(`${name}.nft`), iptables: "", ip6tables: "" })?.sources.join();
    expect(access("default")).toBe("anywhere (IPv4),anywhere (IPv6)");
    expect(access("typical")).toBe("192.0.2.0/24,198.51.100.7,2001:db8:1::/48");
  });

  const { texts } = rulesetOf(["192.0.2.0/24", "198.51.100.7"]);
  const swap = (name: string, from: string, to: string) => {
    expect(texts[name]).toContain(from);
    return { ...texts, [name]: defined(texts[name]).replace(from, to) };
  };
  test.each([
    [
      "a backend that lets in others than the other one does",
      swap("iptables", "-s 198.51.100.7 -p tcp -m tcp --dport 22 -j", "-p tcp -m tcp --dport 22 -j"),
    ],
    ["words that name another port than the other text", swap("iptables", "TCP port 22", "TCP port 23")],
    ["no words about a port", swap("nftables", "TCP port 22", "port 22")],
    [
      "a rule that is no address",
      swap("nftables", "{ 192.0.2.0/24, 198.51.100.7 } tcp dport 22 accept", "{ a, b } tcp dport 22 accept"),
    ],
  ])("and is not told where there is %s", (_what, odd) => {
    const wordless =
      _what === "no words about a port" ? { nftables: defined(odd.nftables), iptables: "", ip6tables: "" } : odd;
    expect(sshAccess(wordless)).toBeUndefined();
  });

  const nft = (name: string): string => golden(`${name}.nft`);
  test.each([
    ["a rule for many ports", nft("typical"), "tcp dport 22 accept", "tcp dport 1-65535 accept"],
    [
      "a rule of those that observe where it denies",
      nft("typical"),
      "\t\ticmp type",
      "\t\ttcp flags & (syn | ack) != syn accept\n\t\ticmp type",
    ],
    ["a rule for all", nft("typical"), "\t\ticmp type", "\t\taccept\n\t\ticmp type"],
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
    "and is not told where nftables has %s",
    (_what, text, from, to) => {
      expect(sshAccess({ nftables: text, iptables: "", ip6tables: "" })).toBeDefined();
      const odd = text.replace(from, to);
      expect(odd).not.toBe(text);
      expect(sshAccess({ nftables: odd, iptables: "", ip6tables: "" })).toBeUndefined();
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
  ])("and is not told where iptables has %s", (_what, from, to) => {
    const texts = { nftables: "", iptables: golden("typical.v4"), ip6tables: golden("typical.v6") };
    expect(sshAccess(texts)).toBeDefined();
    const odd = texts.iptables.replace(from, to);
    expect(odd).not.toBe(texts.iptables);
    expect(sshAccess({ ...texts, iptables: odd })).toBeUndefined();
  });

  test("and whatever else is let in by port", () => {
    const access = sshAccess({ nftables: golden("every-exception.nft"), iptables: "", ip6tables: "" });
    expect(access?.others.map(({ port, source }) => `${port} from ${source}`)).toEqual([
      "tcp 9100 from anywhere (IPv4)",
    ]);
  });

  test("and not from the words above them", () => {
    const lying = swap(
      "nftables",
      "ip saddr { 192.0.2.0/24, 198.51.100.7 } tcp dport 22 accept",
      "tcp dport 22 accept",
    );
    expect(sshAccess({ ...lying, iptables: "", ip6tables: "" })?.sources.map(String)).toEqual([
      "anywhere (IPv4)",
      "anywhere (IPv6)",
    ]);
  });
});
