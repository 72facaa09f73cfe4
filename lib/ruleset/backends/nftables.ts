/** The ruleset for nftables: one table of our own, replaced in one transaction. */
import { FAMILIES, type Family } from "../../policy/address";
import type { Policy } from "../../policy/policy";
import { summary } from "../header";
import type { ChainName, Group, IcmpType, Rule, TcpFlags } from "../rule";
import type { RulesetBackend } from "../backend";
import { chainsOf, CHAINS } from "../topics";
import { NFTABLES_GRAMMARS } from "./nftables-grammar";

const TABLE = "inet ssh_only_firewall";

/** Its hosts need the texts of iptables too: those stand in filter tables of others that drop by default. */
export const nftables: RulesetBackend = {
  texts: [
    {
      name: "nftables",
      help: "for nft -f: a table of its own (the default, except for hosts with backend iptables)",
      print: renderNftables,
      families: FAMILIES,
      grammars: NFTABLES_GRAMMARS,
    },
  ],
  files: [],
  needs: ["iptables"],
};

/** Text for `nft -f`. Numbers stand where old versions of nft have no name. */
export function renderNftables(policy: Policy): string {
  const chains = chainsOf(policy);
  const lines = [
    ...["SSH-only firewall, for nftables (nft -f).", ...summary(policy)].map((line) => `# ${line}`),
    "",
    "# Replaces the whole table in one transaction. The first line creates it if it does not exist, so that the second",
    "# can delete it. No other table is touched.",
    `table ${TABLE}`,
    `delete table ${TABLE}`,
    "",
    `table ${TABLE} {`,
    ...memorySets(),
    ...(policy.mode === "observe" ? askedSets() : []),
    ...CHAINS.flatMap((chain, index) => [
      ...(index === 0 ? [] : [""]),
      ...chainLines(chain, chains[chain], policy.mode === "observe" ? "accept" : "drop"),
    ]),
    "}",
  ];
  return `${lines.join("\n")}\n`;
}

/**
 * Bounded, so that a flood costs a few megabytes at most. `update` starts the time anew with every packet, so what is left
 * of it says when the last one came; the host program keeps what it has read.
 */
function memorySets(): readonly string[] {
  const one = (name: string, key: string, size: number): string =>
    `\tset ${name} { type ${key}; size ${size}; flags dynamic,timeout; timeout 60d; }`;
  return [
    "\t# Denied peers by protocol and port (others: protocols without ports), how often, and when last.",
    ...(["input", "output"] as const).flatMap((chain) =>
      FAMILIES.flatMap((family) => [
        one(memoryOf(chain, family, "tcp"), `${family}_addr . inet_proto . inet_service`, 4096),
        one(memoryOf(chain, family, "others"), `${family}_addr . inet_proto`, 1024),
      ]),
    ),
    "",
  ];
}

/** Likewise bounded, to 546 new ones a second; beyond that, answers are counted as if they were questions. */
function askedSets(): readonly string[] {
  return [
    "\t# UDP flows of the last 30 seconds, inbound and outbound: remote address, remote port, local port.",
    ...(["input", "output"] as const).flatMap((chain) =>
      FAMILIES.map(
        (family) =>
          `\tset ${askedOf(chain, family)} { type ${family}_addr . inet_service . inet_service; size 16384; flags timeout; timeout 30s; }`,
      ),
    ),
    "",
  ];
}

function askedOf(chain: ChainName, family: Family): string {
  return `asked_${chain === "input" ? "in" : "out"}_${family}`;
}

function memoryOf(chain: ChainName, family: Family, what: "tcp" | "udp" | "others"): string {
  return `denied_${chain === "input" ? "in" : "out"}_${family}${what === "others" ? "_others" : ""}`;
}

function chainLines(chain: ChainName, groups: readonly Group[], policyOfChain: "accept" | "drop"): readonly string[] {
  return [
    `\tchain ${chain} {`,
    "\t\t# Runs before the tables of other tools (priority 0). What they drop stays dropped.",
    `\t\ttype filter hook ${chain} priority -10; policy ${policyOfChain};`,
    ...groups.flatMap((group) => [
      "",
      ...group.comment.map((line) => `\t\t# ${line}`),
      ...group.rules.map((rule) => `\t\t${ruleLine(rule, chain)}`),
    ]),
    "\t}",
  ];
}

function ruleLine(rule: Rule, chain: ChainName): string {
  if (rule.verdict.kind === "remember") {
    return rememberLine(rule, rule.verdict.what, chain);
  }
  if (rule.verdict.kind === "know-udp" || rule.verdict.kind === "pass-answering-udp") {
    return udpLine(rule.family ?? "ipv4", rule.verdict.kind, chain);
  }
  const words = [
    ...loopbackWords(rule, chain),
    ...addressWords(rule, chain),
    ...protocolWords(rule),
    ...(rule.states === undefined ? [] : [`ct state ${rule.states.join(",")}`]),
    ...(rule.flags === undefined ? [] : [`tcp flags & ${FLAGS[rule.flags]}`]),
    verdictWords(rule),
  ];
  return words.join(" ");
}

/** One rule for each protocol: the first versions of nft mix up the bytes of a port that is not said to be of TCP or UDP. */
function rememberLine(rule: Rule, what: "tcp" | "udp" | "others", chain: ChainName): string {
  const family = rule.family ?? "ipv4";
  const end = `${family === "ipv4" ? "ip" : "ip6"} ${chain === "input" ? "saddr" : "daddr"}`;
  const [match, port] = what === "others" ? ["!= { tcp, udp }", ""] : [what, ` . ${what} dport`];
  const element = `{ ${end} . meta l4proto${port} counter }`;
  return `meta nfproto ${family} meta l4proto ${match} update @${memoryOf(chain, family, what)} ${element}`;
}

/** Kernels before 5.4 let a rule look into a set that rules fill only if it is not called dynamic; late versions of nft do so. */
function udpLine(family: Family, kind: "know-udp" | "pass-answering-udp", chain: ChainName): string {
  const ip = family === "ipv4" ? "ip" : "ip6";
  const flow = chain === "input" ? `${ip} saddr . udp sport . udp dport` : `${ip} daddr . udp dport . udp sport`;
  if (kind === "know-udp") {
    return `update @${askedOf(chain, family)} { ${flow} }`;
  }
  const other = askedOf(chain === "input" ? "output" : "input", family);
  return `${flow} @${other} update @${other} { ${flow} } accept`;
}

/** A rule of nat OUTPUT may send elsewhere what was on its way to lo, and it still has that name then. */
function loopbackWords(rule: Rule, chain: ChainName): readonly string[] {
  const words = chain === "input" ? 'iifname "lo"' : 'oifname "lo" fib daddr type { local, broadcast, multicast }';
  return rule.loopback ? [words] : [];
}

function addressWords(rule: Rule, chain: ChainName): readonly string[] {
  const ip = rule.family === "ipv4" ? "ip" : "ip6";
  const [far, near] = chain === "input" ? ["saddr", "daddr"] : ["daddr", "saddr"];
  const words = [
    ...(rule.peers === undefined ? [] : [`${ip} ${far} ${oneOf(rule.peers)}`]),
    ...(rule.self === undefined ? [] : [`${ip} ${near} ${rule.self}`]),
  ];
  const familyIsPlain = words.length > 0 || rule.icmp !== undefined || rule.family === undefined;
  return familyIsPlain ? words : [`meta nfproto ${rule.family}`];
}

function protocolWords(rule: Rule): readonly string[] {
  const ports = [
    ...(rule.sourcePort === undefined ? [] : [`${rule.protocol} sport ${rule.sourcePort}`]),
    ...(rule.destinationPort === undefined ? [] : [`${rule.protocol} dport ${rule.destinationPort}`]),
  ];
  const bare = rule.protocol !== undefined && ports.length === 0 && rule.flags === undefined;
  return [
    ...(bare ? [`meta l4proto ${rule.protocol}`] : ports),
    ...(rule.ipProtocol === undefined ? [] : [`meta l4proto ${rule.ipProtocol}`]),
    ...(rule.icmp === undefined ? [] : [icmpWords(rule.icmp, rule)]),
    ...(rule.hopLimit === undefined ? [] : [`ip6 hoplimit ${rule.hopLimit}`]),
    ...(rule.laterPiece ? ["frag frag-off != 0"] : []),
  ];
}

function icmpWords(types: readonly IcmpType[], rule: Rule): string {
  const [match, names] = rule.family === "ipv4" ? ["icmp type", ICMP] : ["icmpv6 type", ICMPV6];
  return `${match} ${oneOf(types.map((type) => names[type] as string))}`;
}

function verdictWords(rule: Rule): string {
  const { verdict } = rule;
  switch (verdict.kind) {
    case "pass":
      return "accept";
    case "count":
      return `counter comment "${verdict.name}"`;
    case "reject-tcp":
      return "reject with tcp reset";
    case "reject-other":
      return "reject with icmpx type admin-prohibited";
    case "log":
      return `limit rate ${verdict.perMinute}/minute log prefix "${verdict.prefix}"`;
    default:
      return verdict.kind;
  }
}

function oneOf(values: readonly string[]): string {
  return values.length === 1 ? String(values[0]) : `{ ${values.join(", ")} }`;
}

const FLAGS: Readonly<Record<TcpFlags, string>> = {
  "not-opening": "(syn | ack) != syn",
  rst: "rst == rst",
};

const ICMP: Readonly<Partial<Record<IcmpType, string>>> = {
  "fragmentation-needed": "destination-unreachable icmp code 4",
  "admin-prohibited": "destination-unreachable icmp code 13",
  "echo-request": "echo-request",
  "echo-reply": "echo-reply",
  "destination-unreachable": "destination-unreachable",
  "time-exceeded": "time-exceeded",
  "parameter-problem": "parameter-problem",
};

const ICMPV6: Readonly<Partial<Record<IcmpType, string>>> = {
  "admin-prohibited": "destination-unreachable icmpv6 code 1",
  "echo-request": "echo-request",
  "echo-reply": "echo-reply",
  "packet-too-big": "packet-too-big",
  "destination-unreachable": "destination-unreachable",
  "time-exceeded": "time-exceeded",
  "parameter-problem": "parameter-problem",
  "router-solicitation": "nd-router-solicit",
  "router-advertisement": "nd-router-advert",
  "neighbour-solicitation": "nd-neighbor-solicit",
  "neighbour-advertisement": "nd-neighbor-advert",
  "mld-query": "130",
  "mld-report": "131",
  "mld-done": "132",
  "mld2-report": "143",
};
