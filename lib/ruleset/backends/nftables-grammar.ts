/** How the texts for nftables are read back. */
import { type Grammar, grammarOf } from "../grammar";

const SET = String.raw`\tset \w+ \{ [^{}\n]* \}\n`;
const RULE = String.raw`\t\t(?:[^{};\\\n]|\{[^{};\\\n]*\})+\n`;
const TABLE = "table inet ssh_only_firewall";

/** The rules of the input chain of a text that has our table and nothing else. */
function inputRules(chainPolicy: "accept" | "drop"): Grammar["inputRules"] {
  const chain = (name: string, body: string): string =>
    String.raw`\tchain ${name} \{\n\t\ttype filter hook ${name} priority -10; policy ${chainPolicy};\n${body}\t\}\n`;
  const whole = new RegExp(
    [
      `^${TABLE}\\ndelete ${TABLE}\\n${TABLE} \\{\\n(?:${SET})*`,
      chain("input", `(?<rules>(?:${RULE})*)`),
      ...["output", "forward"].map((name) => chain(name, `(?:${RULE})*`)),
      String.raw`\}\n$`,
    ].join(""),
  );
  return (text) => whole.exec(text.replace(/^\s*#.*\n|^\s*\n/gm, ""))?.groups?.rules?.replace(/^\t\t/gm, "");
}

const PATTERNS = {
  from: String.raw`(?:(?:ip6? saddr (?<source>[^\s{}]+|\{ [^{}]+ \})|meta nfproto (?<only>ipv[46])) )?`,
  group: String.raw`ip6? daddr (?<group>\S+)`,
  types: String.raw`(?:\{ [\w, -]+ \}|[\w-]+)[\w ]*`,
  key: String.raw`\{ [^{};]+ \}`,
  layer4: String.raw`(?:tcp|udp|!= \{ tcp, udp \})`,
  family: "ipv[46]",
  set: String.raw`\w+`,
  flow: String.raw`ip6? saddr \. udp sport \. udp dport`,
};

const COMMON = [
  "<from>icmp type <types> accept",
  "<from>icmpv6 type <types> accept",
  "meta nfproto ipv4 udp sport 67 udp dport 68 accept",
  "ip6 daddr fe80::/10 udp dport 546 accept",
  "meta nfproto ipv6 udp sport 547 udp dport 546 <answering>accept",
  "meta nfproto <family> meta l4proto <layer4> update @denied_in_<set> <key>",
];
const COUNTER = 'counter comment "<words>"';

const forms = (others: readonly string[]) => ({
  port: ["<from><protocol> dport <port> accept"],
  answers: ["<from><protocol> sport <port> <answering>accept"],
  protocol: ["<from>meta l4proto <number> accept", "<group> meta l4proto <number> accept"],
  loopback: ['iifname "lo" accept'],
  log: ['limit rate <rate>/minute log prefix "<words>"'],
  other: [...COMMON, ...others],
});

// Earlier versions asked for the state of TCP, too.
const enforcing = grammarOf(inputRules("drop"), {
  patterns: { ...PATTERNS, answering: String.raw`(?:ct state established |tcp flags & \(syn \| ack\) != syn )` },
  rules: forms(["meta nfproto ipv6 frag frag-off != 0 drop"]),
  endings: {
    drop: `${COUNTER}\ndrop`,
    reject: `${COUNTER}\nmeta l4proto tcp reject with tcp reset\nreject with icmpx type admin-prohibited`,
  },
});

const observing = grammarOf(inputRules("accept"), {
  patterns: { ...PATTERNS, answering: String.raw`(?:tcp flags & \(syn \| ack\) != syn )?` },
  rules: forms([
    "meta nfproto ipv6 frag frag-off != 0 accept",
    "tcp flags & (syn | ack) != syn accept",
    "<flow> @asked_out_<family> update @asked_out_<family> <key> accept",
    "update @asked_in_<family> <key>",
  ]),
  endings: { pass: `${COUNTER}\naccept` },
});

export const NFTABLES_GRAMMARS: readonly Grammar[] = [enforcing, observing];
