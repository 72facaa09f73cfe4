/**
 * The ruleset for iptables and ip6tables, in the format of iptables-restore: as chains of our own that are laid over
 * what is there, and as a whole file.
 */
import { FAMILIES, type Family } from "../../policy/address";
import type { Mode, Policy } from "../../policy/policy";
import { summary } from "../header";
import type { ChainName, Group, IcmpType, Rule, TcpFlags } from "../rule";
import type { RulesetBackend } from "../backend";
import { chainsOf, CHAINS } from "../topics";
import { IPTABLES_GRAMMARS } from "./iptables-grammar";

const OWN_CHAINS = { input: "SSH_ONLY_IN", output: "SSH_ONLY_OUT", forward: "SSH_ONLY_FWD" };
const BUILT_IN_CHAINS = { input: "INPUT", output: "OUTPUT", forward: "FORWARD" };

const COMMANDS: Readonly<Record<Family, string>> = { ipv4: "iptables", ipv6: "ip6tables" };

const FILES: Readonly<Record<Family, { readonly redHat: string; readonly debian: string; readonly other: string }>> = {
  ipv4: { redHat: "/etc/sysconfig/iptables", debian: "/etc/iptables/rules.v4", other: "IPv6" },
  ipv6: { redHat: "/etc/sysconfig/ip6tables", debian: "/etc/iptables/rules.v6", other: "IPv4" },
};

export const iptables: RulesetBackend = {
  texts: [
    {
      name: "iptables",
      help: "for iptables-restore --noflush: chains of its own, IPv4",
      print: (policy) => renderIptables(policy, "ipv4"),
      families: ["ipv4"],
      grammars: IPTABLES_GRAMMARS,
    },
    {
      name: "ip6tables",
      help: "for ip6tables-restore --noflush: the same for IPv6",
      print: (policy) => renderIptables(policy, "ipv6"),
      families: ["ipv6"],
      grammars: IPTABLES_GRAMMARS,
    },
  ],
  files: FAMILIES.map((family) => ({
    name: `${COMMANDS[family]}-file`,
    help: `the whole file ${FILES[family].redHat} or ${FILES[family].debian}`,
    print: (policy) => renderIptablesFile(policy, family),
  })),
  needs: [],
};

/** Text for `iptables-restore --noflush` or `ip6tables-restore --noflush`: own chains, nothing else touched. */
export function renderIptables(policy: Policy, family: Family): string {
  const command = COMMANDS[family];
  return restoreText(policy, family, {
    title: `SSH-only firewall, for ${command} (${command}-restore --noflush).`,
    steps: [],
    note: [
      "The chains of ssh-only-firewall. Declaring them empties them if they exist; nothing else is touched. The jumps to",
      "them are not in this text: when it is loaded, the host program inserts each at the top of its chain:",
      ...CHAINS.map((chain) => `  -I ${BUILT_IN_CHAINS[chain]} 1 -j ${OWN_CHAINS[chain]}`),
    ],
    chainNames: OWN_CHAINS,
    chainPolicy: "-",
  });
}

/** A whole file for /etc/sysconfig/iptables or /etc/iptables/rules.v4, or the one beside it for IPv6. */
export function renderIptablesFile(policy: Policy, family: Family): string {
  const command = COMMANDS[family];
  const places = FILES[family];
  return restoreText(policy, family, {
    title: `SSH-only firewall, for ${command}: the whole ruleset.`,
    steps: [
      "How to load it over SSH:",
      "  1. Check that the SSH port and your own address are allowed above.",
      `  2. Run: ${command}-restore --test < FILE`,
      "     It checks the file and changes nothing.",
      `  3. Run: ${wayBack(command)}`,
      "     It opens the host again after two minutes, even if your session has died. Nothing else rolls these rules",
      "     back.",
      `  4. Run: ${command}-restore < FILE`,
      "     It replaces all rules at once.",
      `  5. Log in over a new connection. If that works, run: touch ${keep(command)}`,
      `  6. Save the file as ${places.redHat} (Red Hat family, package iptables-services)`,
      `     or ${places.debian} (Debian family, package iptables-persistent), so that it survives a reboot.`,
      `Then do the same with the file for ${places.other}, which this file does not change.`,
    ],
    note: [
      `Replaces all rules of the filter table. ${policy.mode === "observe" ? "Nothing is denied." : "What no rule allows is dropped."}`,
    ],
    chainNames: BUILT_IN_CHAINS,
    chainPolicy: policy.mode === "observe" ? "ACCEPT" : "DROP",
  });
}

/** What keeps the rollback away. */
function keep(command: string): string {
  return `/run/keep-${command}`;
}

/** Not a saved copy of the rules: what iptables-save makes of rules that came from nft can lock you out. */
function wayBack(command: string): string {
  const open = ["INPUT", "OUTPUT", "FORWARD"].map((chain) => `${command} -P ${chain} ACCEPT;`).join(" ");
  return `setsid sh -c 'rm -f ${keep(command)}; sleep 120; [ -e ${keep(command)} ] || { ${open} ${command} -F; }' &`;
}

/** What is different between chains of our own and a whole file. */
interface Frame {
  readonly title: string;
  readonly steps: readonly string[];
  readonly note: readonly string[];
  readonly chainNames: Readonly<Record<ChainName, string>>;
  readonly chainPolicy: string;
}

function restoreText(policy: Policy, family: Family, frame: Frame): string {
  const { title, steps, note, chainNames, chainPolicy } = frame;
  const chains = chainsOf(policy);
  const lines = [
    ...[title, ...summary(policy, family), ...steps].map(comment),
    "",
    ...note.map(comment),
    "*filter",
    ...CHAINS.map((chain) => `:${chainNames[chain]} ${chainPolicy} [0:0]`),
    ...CHAINS.flatMap((chain) =>
      chains[chain].flatMap((group) =>
        groupLines(group, { name: chainNames[chain], chain, family, mode: policy.mode }),
      ),
    ),
    "COMMIT",
  ];
  return `${lines.join("\n")}\n`;
}

const comment = (line: string): string => `# ${line}`;

/** Where a rule is written. */
interface Place {
  readonly name: string;
  readonly chain: ChainName;
  readonly family: Family;
  readonly mode: Mode;
}

/** A group without a rule for this family is left out, comment and all. */
function groupLines(group: Group, place: Place): readonly string[] {
  const rules = group.rules
    .filter((rule) => rule.family === undefined || rule.family === place.family)
    .flatMap((rule) => ruleLines(rule, place));
  return rules.length === 0 ? [] : ["", ...group.comment.map(comment), ...rules];
}

/** One line for each address and ICMP type: iptables has no sets without ipset. */
function ruleLines(rule: Rule, { name, chain, family, mode }: Place): readonly string[] {
  // Every rule of iptables counts by itself, and there are no sets without ipset.
  if (rule.laterPiece || ["count", "remember", "know-udp", "pass-answering-udp"].includes(rule.verdict.kind)) {
    return [];
  }
  const peers = rule.peers ?? [undefined];
  const types = rule.icmp ?? [undefined];
  const loopbacks = loopbackWords(rule, chain, family);
  return loopbacks.flatMap((loopback) =>
    peers.flatMap((peer) =>
      types.map((type) =>
        [
          `-A ${name}`,
          ...(loopback === "" ? [] : [loopback]),
          ...addressWords(peer, rule.self, chain),
          ...protocolWords(rule, type, family),
          ...(rule.states === undefined ? [] : [`-m conntrack --ctstate ${rule.states.join(",").toUpperCase()}`]),
          ...verdictWords(rule, family, mode),
        ].join(" "),
      ),
    ),
  );
}

/**
 * A rule of nat OUTPUT may send elsewhere what was on its way to lo, and it still has that name then. One line each: of types of
 * IPv6 addresses the kernel has to get all at once.
 */
function loopbackWords(rule: Rule, chain: ChainName, family: Family): readonly string[] {
  if (!rule.loopback) {
    return [""];
  }
  if (chain === "input") {
    return ["-i lo"];
  }
  const types = family === "ipv4" ? ["LOCAL,BROADCAST,MULTICAST"] : ["LOCAL", "MULTICAST"];
  return types.map((type) => `-o lo -m addrtype --dst-type ${type}`);
}

function addressWords(peer: string | undefined, self: string | undefined, chain: ChainName): readonly string[] {
  const [far, near] = chain === "input" ? ["-s", "-d"] : ["-d", "-s"];
  return [...(peer === undefined ? [] : [`${far} ${peer}`]), ...(self === undefined ? [] : [`${near} ${self}`])];
}

function protocolWords(rule: Rule, type: IcmpType | undefined, family: Family): readonly string[] {
  if (type !== undefined) {
    const hops = rule.hopLimit === undefined ? [] : [`-m hl --hl-eq ${rule.hopLimit}`];
    return [`${ICMP_MATCH[family]} ${ICMP[type]?.[family]}`, ...hops];
  }
  if (rule.protocol === undefined) {
    return rule.ipProtocol === undefined ? [] : [`-p ${rule.ipProtocol}`];
  }
  const details = [
    ...(rule.sourcePort === undefined ? [] : [`--sport ${rule.sourcePort}`]),
    ...(rule.destinationPort === undefined ? [] : [`--dport ${rule.destinationPort}`]),
    ...(rule.flags === undefined ? [] : [FLAGS[rule.flags]]),
  ];
  return [`-p ${rule.protocol}`, ...(details.length === 0 ? [] : [`-m ${rule.protocol}`, ...details])];
}

function verdictWords(rule: Rule, family: Family, mode: Mode): readonly string[] {
  const { verdict } = rule;
  switch (verdict.kind) {
    case "pass":
      return ["-j RETURN"];
    case "accept":
      // What observes must not be the one to let a packet past the rules of others.
      return [mode === "observe" ? "-j RETURN" : "-j ACCEPT"];
    case "reject-tcp":
      return ["-j REJECT --reject-with tcp-reset"];
    case "reject-other":
      return [`-j REJECT --reject-with ${family === "ipv4" ? "icmp-admin-prohibited" : "icmp6-adm-prohibited"}`];
    case "log":
      return [`-m limit --limit ${verdict.perMinute}/minute -j LOG --log-prefix "${verdict.prefix}"`];
    default:
      return [`-j ${verdict.kind.toUpperCase()}`];
  }
}

const FLAGS: Readonly<Record<TcpFlags, string>> = {
  "not-opening": "! --tcp-flags SYN,ACK SYN",
  rst: "--tcp-flags RST RST",
};

const ICMP_MATCH: Readonly<Record<Family, string>> = {
  ipv4: "-p icmp -m icmp --icmp-type",
  ipv6: "-p ipv6-icmp -m icmp6 --icmpv6-type",
};

const ICMP: Readonly<Record<IcmpType, Readonly<Partial<Record<Family, string>>>>> = {
  "fragmentation-needed": { ipv4: "fragmentation-needed" },
  "admin-prohibited": { ipv4: "communication-prohibited", ipv6: "1/1" },
  "echo-request": { ipv4: "echo-request", ipv6: "echo-request" },
  "echo-reply": { ipv4: "echo-reply", ipv6: "echo-reply" },
  "packet-too-big": { ipv6: "packet-too-big" },
  "destination-unreachable": { ipv4: "destination-unreachable", ipv6: "destination-unreachable" },
  "time-exceeded": { ipv4: "time-exceeded", ipv6: "time-exceeded" },
  "parameter-problem": { ipv4: "parameter-problem", ipv6: "parameter-problem" },
  "router-solicitation": { ipv6: "router-solicitation" },
  "router-advertisement": { ipv6: "router-advertisement" },
  "neighbour-solicitation": { ipv6: "neighbour-solicitation" },
  "neighbour-advertisement": { ipv6: "neighbour-advertisement" },
  "mld-query": { ipv6: "130" },
  "mld-report": { ipv6: "131" },
  "mld-done": { ipv6: "132" },
  "mld2-report": { ipv6: "143" },
};
