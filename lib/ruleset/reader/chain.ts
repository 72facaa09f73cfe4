/**
 * The input chain of a ruleset, rule by rule. What this package cannot have written is not guessed at: the whole ruleset is
 * then one that is not understood.
 */
import { type Family } from "../../policy/address";

export interface InputChain {
  /** What rules let in by port, for each source. */
  readonly lets: readonly Let[];
  /** Whether it denies nothing, as where it only observes. */
  readonly passesAll: boolean;
}

export interface Let {
  /** As written: an address or a range. */
  readonly source: string;
  readonly protocol: string;
  readonly port: string;
}

/** How a backend writes rules that deny, or that observe; `lets` has groups for what it lets in. */
interface Grammar {
  readonly lets: RegExp;
  readonly others: readonly RegExp[];
  readonly end: RegExp;
  readonly passesAll: boolean;
}

const FROM = String.raw`(?:ip6? saddr (?:[^\s{}]+|\{ [^{}]+ \}) |meta nfproto ipv[46] )?`;

/** `<n>` stands for a number, and the like. */
function rules(placeholders: Readonly<Record<string, string>>, ...forms: readonly string[]): readonly RegExp[] {
  const all: Readonly<Record<string, string>> = { n: String.raw`\d+`, protocol: "(?:tcp|udp)", ...placeholders };
  return forms.map((form) => {
    const parts = form.split(/<(\w+)>/);
    return new RegExp(`^${parts.map((part, index) => (index % 2 === 0 ? literally(part) : all[part])).join("")}$`);
  });
}

const literally = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");

const nftables = (passesAll: boolean): Grammar => ({
  passesAll,
  lets: /^(?:(?:ip6? saddr (?<one>[^\s{}]+|\{ [^{}]+ \})|meta nfproto (?<family>ipv[46])) )?(?<protocol>tcp|udp) dport (?<port>\d+) accept$/,
  others: rules(
    {
      from: FROM,
      types: String.raw`(?:\{ [\w, -]+ \}|[\w-]+)[\w ]*`,
      key: String.raw`\{ [^{};]+ \}`,
      what: String.raw`(?:tcp|udp|!= \{ tcp, udp \})`,
      family: "ipv[46]",
      set: String.raw`\w+`,
      answers: passesAll ? String.raw`(?:tcp flags & \(syn \| ack\) != syn )?` : "ct state established ",
      udp: String.raw`ip6? saddr \. udp sport \. udp dport`,
      words: '[^"]*',
    },
    'iifname "lo" accept',
    "<from><protocol> sport <n> <answers>accept",
    "<from>icmp type <types> accept",
    "<from>icmpv6 type <types> accept",
    "meta nfproto ipv4 udp sport 67 udp dport 68 accept",
    "ip6 daddr fe80::/10 udp dport 546 accept",
    "meta nfproto ipv6 udp sport 547 udp dport 546 <answers>accept",
    "meta nfproto <family> meta l4proto <what> update @denied_in_<set> <key>",
    'limit rate <n>/minute log prefix "<words>"',
    ...(passesAll
      ? [
          "meta nfproto ipv6 frag frag-off != 0 accept",
          "tcp flags & (syn | ack) != syn accept",
          "<udp> @asked_out_<family> update @asked_out_<family> <key> accept",
          "update @asked_in_<family> <key>",
        ]
      : [
          "meta nfproto ipv6 frag frag-off != 0 drop",
          "<from>tcp dport <n> tcp flags & (fin | syn | rst | ack) == syn update @new_ssh_<family> <key> drop",
        ]),
  ),
  end: passesAll
    ? /(?:^|\n)counter comment "[^"\n]*"\naccept$/
    : /(?:^|\n)counter comment "[^"\n]*"\n(?:drop|meta l4proto tcp reject with tcp reset\nreject with icmpx type admin-prohibited)$/,
});

const iptables = (passesAll: boolean, verdict = passesAll ? "RETURN" : "ACCEPT"): Grammar => ({
  passesAll,
  lets: new RegExp(
    String.raw`^(?:-s (?<one>\S+) )?-p (?<protocol>tcp|udp) -m \k<protocol> --dport (?<port>\d+) -j ${verdict}$`,
  ),
  others: rules(
    {
      from: String.raw`(?:-s \S+ )?`,
      type: String.raw`[\w/-]+`,
      hops: String.raw`(?: -m hl --hl-eq \d+)?`,
      limit: String.raw`-m hashlimit [\w /-]+`,
      answers: passesAll ? "(?:! --tcp-flags SYN,ACK SYN )?" : "-m conntrack --ctstate ESTABLISHED ",
      words: '[^"]*',
      pass: `-j ${verdict}`,
    },
    "-i lo <pass>",
    "<from>-p <protocol> -m <protocol> --sport <n> <answers><pass>",
    "<from>-p icmp -m icmp --icmp-type <type><hops> <pass>",
    "<from>-p ipv6-icmp -m icmp6 --icmpv6-type <type><hops> <pass>",
    "-p udp -m udp --sport 67 --dport 68 <pass>",
    "-d fe80::/10 -p udp -m udp --dport 546 <pass>",
    "-p udp -m udp --sport 547 --dport 546 <answers><pass>",
    '-m limit --limit <n>/minute -j LOG --log-prefix "<words>"',
    passesAll
      ? "-p tcp -m tcp ! --tcp-flags SYN,ACK SYN -j RETURN"
      : "<from>-p tcp -m tcp --dport <n> --tcp-flags FIN,SYN,RST,ACK SYN <limit> -j DROP",
  ),
  end: passesAll
    ? /(?:^|\n)-j RETURN$/
    : /(?:^|\n)(?:-j DROP|-p tcp -j REJECT --reject-with tcp-reset\n-j REJECT --reject-with [\w-]+)$/,
});

const NFTABLES = { drop: nftables(false), accept: nftables(true) };
const IPTABLES = [iptables(false), iptables(true)];

const SET = String.raw`\tset \w+ \{ [^{}\n]* \}\n|\tset \w+ \{\n(?:\t\t[\w ,]+\n)*\t\}\n`;
const chainOf = (name: string, body: string): string =>
  String.raw`\tchain ${name} \{\n\t\ttype filter hook ${name} priority -10; policy (?<${name}>accept|drop);\n${body}\t\}\n`;
const RULE = String.raw`\t\t(?:[^{};\\\n]|\{[^{};\\\n]*\})+\n`;
const TABLE = "table inet ssh_only_firewall";
const WHOLE_NFTABLES = new RegExp(
  [
    `^${TABLE}\\ndelete ${TABLE}\\n${TABLE} \\{\\n(?:${SET})*`,
    chainOf("input", `(?<rules>(?:${RULE})*)`),
    ...["output", "forward"].map((name) => chainOf(name, `(?:${RULE})*`)),
    String.raw`\}\n$`,
  ].join(""),
);
const WHOLE_IPTABLES =
  /^\*filter\n:SSH_ONLY_IN - \[0:0\]\n:SSH_ONLY_OUT - \[0:0\]\n:SSH_ONLY_FWD - \[0:0\]\n(?<rules>(?:-A SSH_ONLY_(?:IN|OUT|FWD) .*\n)*)COMMIT\n$/;

/** Undefined when it is not understood. */
export function nftablesInput(text: string): InputChain | undefined {
  const groups = WHOLE_NFTABLES.exec(withoutComments(text, /^\s*#.*\n|^\s*\n/gm))?.groups;
  const grammar = groups && NFTABLES[groups.input as keyof typeof NFTABLES];
  return grammar && read(groups.rules.replace(/^\t\t/gm, ""), grammar, ["ipv4", "ipv6"]);
}

/** Undefined when it is not understood; a family that is not written at all lets nothing in. */
export function iptablesInput(text: string, family: Family): InputChain | undefined {
  const groups = WHOLE_IPTABLES.exec(withoutComments(text, /^#.*\n|^\n/gm))?.groups;
  const own = (groups?.rules ?? "").split("\n").flatMap((line) => /^-A SSH_ONLY_IN (.*)$/.exec(line)?.slice(1) ?? []);
  const readings = IPTABLES.map((grammar) => read(own.join("\n"), grammar, [family]));
  return groups && readings.find((reading) => reading !== undefined);
}

const withoutComments = (text: string, comments: RegExp): string => text.replace(comments, "");

function read(text: string, grammar: Grammar, families: readonly Family[]): InputChain | undefined {
  const chain = text.replace(/\n$/, "");
  const end = grammar.end.exec(chain);
  if (end === null) {
    return undefined;
  }
  const body = chain.slice(0, end.index);
  const found = (body === "" ? [] : body.split("\n")).map((rule) => grammar.lets.exec(rule)?.groups ?? rule);
  if (found.some((one) => typeof one === "string" && !grammar.others.some((other) => other.test(one)))) {
    return undefined;
  }
  const lets = found.flatMap((one) => (typeof one === "string" ? [] : letsOf(one, families)));
  return { lets, passesAll: grammar.passesAll };
}

const ANYWHERE: Readonly<Record<Family, string>> = { ipv4: "0.0.0.0/0", ipv6: "::/0" };

function letsOf(
  { one, family: only, protocol = "", port = "" }: Readonly<Record<string, string | undefined>>,
  families: readonly Family[],
): readonly Let[] {
  const sources =
    one === undefined
      ? families.filter((family) => (only ?? family) === family).map((family) => ANYWHERE[family])
      : one.replace(/[{}\s]/g, "").split(",");
  return sources.map((source) => ({ source, protocol, port }));
}
