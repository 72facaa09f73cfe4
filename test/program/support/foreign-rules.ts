/** Rules of other programs, which let the operator's SSH in, or do not: which of the two, a login tells. */
import type { HostFirewall } from "../../lab/lab";

export interface ForeignRules {
  readonly what: string;
  /** Lines of iptables-restore, for the filter table; PEER and NET are the operator's address and network. */
  readonly iptables?: readonly string[];
  /** A script of nft; FAMILY is ip or ip6. */
  readonly nft?: string;
}

const drop = ":INPUT DROP [0:0]";
const established = "-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT";
const reject = "-A INPUT -j REJECT";

/** A native table with an input chain. */
const table = (rules: string, policy = "drop", more = ""): string =>
  `table inet other {\n${more}\nchain input {\ntype filter hook input priority 0; policy ${policy};\n${rules}\n}\n}`;
const neighbours = "meta l4proto ipv6-icmp accept;";

export const FOREIGN_RULES: readonly ForeignRules[] = [
  { what: "drop by policy", iptables: [drop] },
  { what: "accept SSH from somebody else", iptables: [drop, "-A INPUT -s OTHER -p tcp --dport 22 -j ACCEPT"] },
  { what: "accept SSH that is forwarded", iptables: [drop, "-A FORWARD -p tcp --dport 22 -j ACCEPT"] },
  { what: "accept SSH that goes out", iptables: [drop, "-A OUTPUT -p tcp --dport 22 -j ACCEPT"] },
  {
    what: "accept SSH in a chain that nothing leads to",
    iptables: [drop, ":UNUSED - [0:0]", "-A UNUSED -p tcp --dport 22 -j ACCEPT"],
  },
  { what: "accept by policy, and drop all in the end", iptables: [established, "-A INPUT -j DROP"] },
  { what: "reject all in the end", iptables: [established, "-A INPUT -i lo -j ACCEPT", reject] },
  {
    what: "accept SSH, and reject all else in the end",
    iptables: [established, "-A INPUT -p tcp -m state --state NEW --dport 22 -j ACCEPT", reject],
  },
  {
    what: "accept SSH by two states",
    iptables: [drop, "-A INPUT -p tcp --dport 22 -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT"],
  },
  { what: "accept what has been accepted", iptables: [drop, established] },
  { what: "accept SSH from any interface but one", iptables: [drop, "-A INPUT ! -i lo -p tcp --dport 22 -j ACCEPT"] },
  {
    what: "accept SSH on one interface that is another",
    iptables: [drop, "-A INPUT -i lo -p tcp --dport 22 -j ACCEPT"],
  },
  {
    what: "have a comment with another protocol",
    iptables: [drop, '-A INPUT -p tcp --dport 22 -m comment --comment "not icmp" -j ACCEPT'],
  },
  {
    what: "return from a list of who may come",
    iptables: [
      drop,
      ":LIST - [0:0]",
      "-A INPUT -j LIST",
      "-A INPUT -p tcp --dport 22 -j ACCEPT",
      "-A LIST -s NET -j RETURN",
      "-A LIST -j DROP",
    ],
  },
  { what: "return from nothing", iptables: [drop, ":LIST - [0:0]", "-A INPUT -j LIST", "-A LIST -s NET -j RETURN"] },
  {
    what: "go to a chain that accepts",
    iptables: [drop, ":SSHIN - [0:0]", "-A INPUT -p tcp --dport 22 -g SSHIN", "-A SSHIN -s PEER -j ACCEPT"],
  },
  {
    what: "go to a chain that does not come back",
    iptables: [
      ":SSHIN - [0:0]",
      "-A INPUT -p tcp --dport 22 -g SSHIN",
      "-A SSHIN -s OTHER -j ACCEPT",
      "-A INPUT -j DROP",
    ],
  },
  { what: "drop all but one network", iptables: ["-A INPUT ! -s NET -j DROP"] },
  { what: "drop the operator", iptables: ["-A INPUT -s PEER -j DROP"] },
  { what: "accept several ports", iptables: [drop, "-A INPUT -p tcp -m multiport --dports 22,80 -j ACCEPT"] },
  { what: "accept a range of ports", iptables: [drop, "-A INPUT -p tcp --dport 20:30 -j ACCEPT"] },
  { what: "drop by policy, natively", nft: table("") },
  { what: "accept SSH natively", nft: table(`${neighbours} tcp dport 22 accept`) },
  { what: "accept a set of ports", nft: table(`${neighbours} tcp dport { 22, 80 } accept`) },
  {
    what: "accept a named set with the operator",
    nft: table(`${neighbours} FAMILY saddr @may accept`, "drop", "set may { type ADDR; elements = { PEER } }"),
  },
  {
    what: "accept a named set without the operator",
    nft: table(`${neighbours} FAMILY saddr @may accept`, "drop", "set may { type ADDR; elements = { OTHER } }"),
  },
  { what: "accept SSH in a map of verdicts", nft: table(`${neighbours} tcp dport vmap { 22 : accept, 80 : drop }`) },
  { what: "drop SSH in a map of verdicts", nft: table("tcp dport vmap { 22 : drop, 80 : accept }", "accept") },
  {
    what: "return from a chain",
    nft: table("jump may_come; tcp dport 22 drop", "accept", "chain may_come { FAMILY saddr PEER return; accept; }"),
  },
  { what: "drop all but one network, natively", nft: table("FAMILY saddr != NET drop", "accept") },
  {
    what: "go to a native chain that accepts",
    nft: table(`${neighbours} goto may_come`, "drop", "chain may_come { FAMILY saddr PEER accept; }"),
  },
  {
    what: "drop SSH before it comes in",
    nft: "table inet other { chain early { type filter hook prerouting priority -300; tcp dport 22 drop; }\n}",
  },
  {
    what: "accept SSH in a first chain, and drop it in a second",
    nft: `${table("tcp dport 22 drop", "accept")}\ntable inet before { chain input { type filter hook input priority -10; tcp dport 22 accept; }\n}`,
  },
];

const ADDRESSES = {
  4: { PEER: "10.77.0.1", NET: "10.77.0.0/24", OTHER: "10.77.0.99", FAMILY: "ip", ADDR: "ipv4_addr" },
  6: { PEER: "fd77::1", NET: "fd77::/64", OTHER: "fd77::99", FAMILY: "ip6", ADDR: "ipv6_addr" },
} as const;

export type IpFamily = keyof typeof ADDRESSES;

/** Commands that load the rules and take them away; undefined where that host has no such firewall. */
export function commandsOf(
  { iptables, nft }: ForeignRules,
  family: IpFamily,
  firewall: HostFirewall,
): { readonly load: string; readonly remove: string } | undefined {
  const filled = (text: string): string =>
    Object.entries(ADDRESSES[family]).reduce(
      (made, [name, value]) => made.replaceAll(new RegExp(`\\b${name}\\b`, "g"), value),
      text,
    );
  if (nft !== undefined) {
    return firewall !== "nftables"
      ? undefined
      : {
          load: `nft -f - <<'END'\n${filled(nft)}\nEND`,
          remove: "nft delete table inet other; nft delete table inet before 2>/dev/null || :",
        };
  }
  if (firewall === "nftables") {
    return undefined;
  }
  const variant = firewall === "iptables-legacy" ? "legacy" : "nft";
  const tool = `${family === 6 ? "ip6tables" : "iptables"}-${variant}`;
  const icmp = family === 6 ? ["-I INPUT -p ipv6-icmp -j ACCEPT"] : [];
  return {
    load: `${tool}-restore --noflush <<'END'\n*filter\n${filled([...(iptables ?? []), ...icmp].join("\n"))}\nCOMMIT\nEND`,
    remove: `${tool} -P INPUT ACCEPT; for chain in INPUT FORWARD OUTPUT LIST SSHIN UNUSED; do ${tool} -F $chain; done 2>/dev/null; for chain in LIST SSHIN UNUSED; do ${tool} -X $chain; done 2>/dev/null; :`,
  };
}
