/** The end of each chain: what happens to everything that no rule above has let pass. */
import { FAMILIES } from "../policy/address";
import type { Denial, Policy } from "../policy/policy";
import { ACCEPT, type ChainName, type Group, type IcmpType, type Rule, type Topic, type Verdict } from "./rule";

const DIRECTIONS: Readonly<Record<ChainName, { readonly short: string; readonly words: string }>> = {
  input: { short: "in", words: "inbound" },
  output: { short: "out", words: "outbound" },
  forward: { short: "forward", words: "forwarded" },
};

export function deniedTopics(policy: Policy): readonly Topic[] {
  const each = (group: (chain: ChainName) => Group): Topic => ({
    input: group("input"),
    output: group("output"),
    forward: group("forward"),
  });
  const log = policy.logDeniedPerMinute;
  return [
    ...(policy.mode === "enforce" && policy.deniedInbound === "reject" ? [refusals(policy)] : []),
    laterPieces(policy),
    ...(policy.mode === "observe" ? [each(answers)] : []),
    ...(log === undefined ? [] : [each((chain) => logged(chain, log))]),
    { input: remembered("source"), output: remembered("destination") },
    each((chain) => (policy.mode === "observe" ? observed(chain) : denied(chain, denialIn(chain, policy)))),
  ];
}

/** The words that the kernel log puts before a denied packet; iptables takes 29 characters. */
export function logPrefix(chain: ChainName): string {
  return `ssh-only-firewall ${DIRECTIONS[chain].short}: `;
}

/** The name of the counter of denied packets, where the backend has one. */
export function counterName(chain: ChainName): string {
  return `denied ${DIRECTIONS[chain].short}`;
}

function denialIn(chain: ChainName, policy: Policy): Denial {
  const denials: Readonly<Record<ChainName, Denial>> = {
    input: policy.deniedInbound,
    output: policy.deniedOutbound,
    forward: "drop",
  };
  return denials[chain];
}

function logged(chain: ChainName, perMinute: number): Group {
  return {
    comment: [`Log denied packets, at most ${perMinute} a minute.`],
    rules: [{ verdict: { kind: "log", prefix: logPrefix(chain), perMinute } }],
  };
}

/** The kernel puts datagrams of IPv4 together before our chains, those of IPv6 only where it tracks connections. */
function laterPieces(policy: Policy): Topic {
  const verdict: Verdict = { kind: policy.mode === "observe" ? "pass" : "drop" };
  return {
    input: {
      comment: ["Later fragments of a datagram have no ports: only its first fragment is recorded."],
      rules: [{ family: "ipv6", laterPiece: true, verdict }],
    },
  };
}

/** For whoever asks later whether anybody still needs this host. */
function remembered(peer: string): Group {
  return {
    comment: [`Record the ${peer} and the port, for the report on who still uses this host.`],
    rules: FAMILIES.flatMap((family) =>
      (["tcp", "udp", "others"] as const).map((what) => ({
        family,
        verdict: { kind: "remember", what },
      })),
    ),
  };
}

function observed(chain: ChainName): Group {
  return {
    comment: [`All other ${DIRECTIONS[chain].words} packets would be denied; here they are only counted.`],
    rules: [{ verdict: { kind: "count", name: counterName(chain) } }, { verdict: { kind: "pass" } }],
  };
}

/**
 * Where all passes, answers pass too: only what opens a connection shows who uses the host. The kernel's connection tracking
 * would know, but then it keeps a list of all connections of a host that may be busy, and drops what does not fit.
 */
function answers(chain: ChainName): Group {
  const PASS: Verdict = { kind: "pass" };
  const icmp = { ipv4: ANSWERS, ipv6: [...ANSWERS, ...OF_THE_LINK] } as const;
  const common: readonly Rule[] = [
    { protocol: "tcp", flags: "not-opening", verdict: PASS },
    ...FAMILIES.map((family): Rule => ({ family, icmp: icmp[family], verdict: PASS })),
  ];
  if (chain === "forward") {
    return {
      comment: [
        "Not counted: TCP packets that open no connection, ICMP replies, IPv6 neighbour discovery and multicast reports.",
      ],
      rules: common,
    };
  }
  const answering = FAMILIES.map((family): Rule => ({ family, verdict: { kind: "pass-answering-udp" } }));
  const asking = FAMILIES.map((family): Rule => ({ family, verdict: { kind: "know-udp" } }));
  return {
    comment: [
      "Replies are not counted: TCP packets that open no connection, ICMP replies, and, where the firewall can record who",
      "asked, UDP within 30 seconds of the packet that it answers. IPv6 neighbour discovery and multicast reports are not",
      "counted either. Connection tracking is not used.",
    ],
    rules: [...common, ...answering, ...asking],
  };
}

const ANSWERS: readonly IcmpType[] = ["echo-reply", "destination-unreachable", "time-exceeded", "parameter-problem"];
const OF_THE_LINK: readonly IcmpType[] = [
  "packet-too-big",
  "router-solicitation",
  "router-advertisement",
  "neighbour-solicitation",
  "neighbour-advertisement",
  "mld-query",
  "mld-report",
  "mld-done",
  "mld2-report",
];

function denied(chain: ChainName, denial: Denial): Group {
  const comment = [`All other ${DIRECTIONS[chain].words} packets are counted and ${outcome(chain, denial)}.`];
  const count: Rule = { verdict: { kind: "count", name: counterName(chain) } };
  const rules: readonly Rule[] =
    denial === "drop"
      ? [{ verdict: { kind: "drop" } }]
      : [{ protocol: "tcp", verdict: { kind: "reject-tcp" } }, { verdict: { kind: "reject-other" } }];
  return { comment, rules: [count, ...rules] };
}

function outcome(chain: ChainName, denial: Denial): string {
  if (denial === "drop") {
    return chain === "input" ? "dropped without an answer" : "dropped";
  }
  return chain === "input"
    ? "rejected: the sender gets an answer"
    : "rejected: local programs fail at once instead of waiting";
}

/** The answers to refused inbound traffic pass the output chain, so they need a rule of their own there. */
function refusals(policy: Policy): Topic {
  const prohibited: readonly IcmpType[] = ["admin-prohibited"];
  const rules = policy.families.flatMap((family): readonly Rule[] => [
    { family, protocol: "tcp", flags: "rst", states: ["related"], verdict: ACCEPT },
    { family, icmp: prohibited, states: ["related"], verdict: ACCEPT },
  ]);
  return {
    output: {
      comment: ["Rejected inbound packets: the kernel's own replies to what the input chain rejected (related)."],
      rules,
    },
  };
}
