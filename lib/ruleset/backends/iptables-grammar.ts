/** How the texts for iptables and ip6tables are read back. */
import { type Grammar, grammarOf } from "../grammar";

const WHOLE =
  /^\*filter\n:SSH_ONLY_IN - \[0:0\]\n:SSH_ONLY_OUT - \[0:0\]\n:SSH_ONLY_FWD - \[0:0\]\n(?<rules>(?:-A SSH_ONLY_(?:IN|OUT|FWD) .*\n)*)COMMIT\n$/;

/** The rules of our input chain, in a text that is our chains and nothing else. */
function inputRules(text: string): string | undefined {
  const rules = WHOLE.exec(text.replace(/^#.*\n|^\n/gm, ""))?.groups?.rules;
  return rules?.replace(/^-A SSH_ONLY_(?:IN (.*\n)|.*\n)/gm, "$1");
}

const PATTERNS = {
  from: String.raw`(?:-s (?<source>\S+) )?`,
  group: String.raw`-d (?<group>\S+)`,
  same: String.raw`\k<protocol>`,
  type: String.raw`[\w/-]+`,
  hops: String.raw`(?: -m hl --hl-eq \d+)?`,
  answer: String.raw`[\w-]+`,
};

const forms = (others: readonly string[]) => ({
  port: ["<from>-p <protocol> -m <same> --dport <port> <pass>"],
  answers: ["<from>-p <protocol> -m <same> --sport <port> <answering><pass>"],
  protocol: ["<from>-p <number> <pass>", "<group> -p <number> <pass>"],
  loopback: ["-i lo <pass>"],
  log: ['-m limit --limit <rate>/minute -j LOG --log-prefix "<words>"'],
  other: [
    "<from>-p icmp -m icmp --icmp-type <type><hops> <pass>",
    "<from>-p ipv6-icmp -m icmp6 --icmpv6-type <type><hops> <pass>",
    "-p udp -m udp --sport 67 --dport 68 <pass>",
    "-d fe80::/10 -p udp -m udp --dport 546 <pass>",
    "-p udp -m udp --sport 547 --dport 546 <answering><pass>",
    ...others,
  ],
});

// Earlier versions asked for the state of TCP, too.
const enforcing = grammarOf(inputRules, {
  patterns: {
    ...PATTERNS,
    pass: "-j ACCEPT",
    answering: "(?:-m conntrack --ctstate ESTABLISHED |! --tcp-flags SYN,ACK SYN )",
  },
  rules: forms([]),
  endings: { drop: "-j DROP", reject: "-p tcp -j REJECT --reject-with tcp-reset\n-j REJECT --reject-with <answer>" },
});

const observing = grammarOf(inputRules, {
  patterns: { ...PATTERNS, pass: "-j RETURN", answering: "(?:! --tcp-flags SYN,ACK SYN )?" },
  rules: forms(["-p tcp -m tcp ! --tcp-flags SYN,ACK SYN <pass>"]),
  endings: { pass: "-j RETURN" },
});

export const IPTABLES_GRAMMARS: readonly Grammar[] = [enforcing, observing];
