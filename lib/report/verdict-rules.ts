/**
 * The rules by which the evidence of a host becomes one word. docs/observe-and-decide.md explains them. Everything stays in the
 * evidence: only uses, logins and doubts decide.
 */

import type { VerdictWord } from "../contract/verdicts";

/** Worst first. */
export const VERDICTS = {
  used: "somebody else tried a service of this host or came back again and again, or a program here tried to reach something",
  unknown: "not known; the reasons follow",
  "ssh-only": "none of that, but logins of others over SSH",
  unused: "nothing but noise, housekeeping and our own traffic since a known time",
} as const satisfies Record<VerdictWord, string>;
export type Verdict = keyof typeof VERDICTS;

export type Kind = "use" | "doubt" | "login" | "noise" | "housekeeping" | "own" | "ignored";

export interface Rule {
  readonly kind: Kind;
  readonly meaning: string;
}

export const RULES = {
  service: { kind: "use", meaning: "packets to a port on which something listened at the first lock" },
  return: {
    kind: "use",
    meaning:
      "a peer that came back: return-packets packets or more, over return-seconds or longer, to the same port, or to two or three ports",
  },
  protocol: { kind: "use", meaning: "packets of a protocol that carries others, such as GRE or ESP" },
  "more-than-probed": {
    kind: "use",
    meaning:
      "a peer from which status --live probed that port, with more packets than it announced, or at another time",
  },
  program: {
    kind: "use",
    meaning: "a program on this host tried to reach something, and is not known as housekeeping",
  },
  login: { kind: "login", meaning: "a login over SSH that is not known to be Terraform's or this program's" },
  "not-asked": { kind: "doubt", meaning: "the host could not be asked" },
  "not-locked": { kind: "doubt", meaning: "the host is open, pending or being unlocked, or has no evidence" },
  "other-state": { kind: "doubt", meaning: "the host does not match the Terraform state" },
  "live-rules": { kind: "doubt", meaning: "the live rules may differ from the ruleset" },
  gap: {
    kind: "doubt",
    meaning:
      "within the last gap-days the rules were gone, or counts were lost; an older gap only limits since when it is quiet",
  },
  clock: {
    kind: "doubt",
    meaning: "the clock of the host is wrong by more than clock-seconds, or times are in the future",
  },
  unread: { kind: "doubt", meaning: "a part of the evidence could not be read" },
  baseline: { kind: "doubt", meaning: "what listened at the first lock is not known, and ports were tried" },
  sums: { kind: "doubt", meaning: "packets were counted, and nobody knows from whom or to where" },
  "open-before": {
    kind: "doubt",
    meaning: "a connection was open when the host began to observe, and its packets are not counted",
  },
  "no-logins": { kind: "doubt", meaning: "no log of the host has all logins over SSH" },
  resolver: { kind: "doubt", meaning: "a name was asked for, and nobody knows by which program" },
  "too-short": { kind: "doubt", meaning: "the host has not been quiet and watched for as long as --unused-for asks" },
  announcement: {
    kind: "noise",
    meaning: "what neighbours send to everybody: mDNS, LLMNR, SSDP, NetBIOS, DHCP, IGMP, VRRP, OSPF, PIM",
  },
  scan: {
    kind: "noise",
    meaning:
      "a peer that tried scan-ports or more ports where nothing listened; other ports too, where it sent no more than there, in the same time",
  },
  attempt: { kind: "noise", meaning: "a peer that tried few ports where nothing listened, and did not come back" },
  "single-syn": {
    kind: "noise",
    meaning: "one TCP packet to a port that drops it: a client would have sent it again; a scanner does not",
  },
  stray: { kind: "noise", meaning: "what belongs to a connection that was open at the first lock, and its end" },
  time: { kind: "housekeeping", meaning: "the host asked for the time (NTP)" },
  lease: { kind: "housekeeping", meaning: "the host asked for its address (DHCP)" },
  announced: { kind: "housekeeping", meaning: "what the host sends to all its neighbours" },
  probe: {
    kind: "own",
    meaning: "what status --live announced over its SSH connection: two packets a port, within a minute; more is use",
  },
  session: {
    kind: "own",
    meaning: "a login, known by its address and port, in whose session this program ran: Terraform's too",
  },
  ignored: { kind: "ignored", meaning: "what --ignore names" },
} as const satisfies Record<string, Rule>;
export type RuleName = keyof typeof RULES;

/** With their defaults; --threshold NAME=NUMBER changes one. */
export const THRESHOLDS = {
  "scan-ports": { value: 10, meaning: "ports where nothing listened, from which on a peer is a scanner" },
  "return-packets": { value: 3, meaning: "packets, from which on a peer came back" },
  "return-seconds": {
    value: 3600,
    meaning: "seconds from the first to the last packet, from which on a peer came back",
  },
  "gap-days": { value: 30, meaning: "days after which a gap no longer makes a host unknown" },
  "clock-seconds": { value: 3600, meaning: "seconds by which a clock may be wrong" },
} as const;
export type Threshold = keyof typeof THRESHOLDS;

/** What is taken out of the verdict, by peer, by port, or by both. */
export interface Ignored {
  /** As it was given. */
  readonly text: string;
  readonly covers: (peer: string, protocol: string, port: number | null) => boolean;
}

export interface VerdictSettings {
  readonly thresholds: Readonly<Record<Threshold, number>>;
  /** --unused-for: how long a host has to have been quiet. What is older decides nothing. */
  readonly unusedForSeconds: number | undefined;
  readonly ignored: readonly Ignored[];
}

export const DEFAULT_SETTINGS: VerdictSettings = {
  thresholds: Object.fromEntries(Object.entries(THRESHOLDS).map(([name, { value }]) => [name, value])) as Record<
    Threshold,
    number
  >,
  unusedForSeconds: undefined,
  ignored: [],
};

/** A part of the evidence, and the rule that says what it is. */
export interface Finding {
  readonly rule: RuleName;
  readonly kind: Kind;
  readonly text: string;
  /** Null for what is not traffic. */
  readonly packets: number | null;
  readonly first: string | null;
  readonly last: string | null;
}

/** As many packets as a probe sends to a port, and how long they may take. */
export const PROBE = { packets: 2, seconds: 60 } as const;

export function finding(
  rule: RuleName,
  text: string,
  seen: Partial<Omit<Finding, "rule" | "kind" | "text">> = {},
): Finding {
  return { rule, kind: RULES[rule].kind, text, packets: null, first: null, last: null, ...seen };
}

/** UDP ports of what is sent to everybody. Whoever uses the service that is announced tries its port, too. */
export const ANNOUNCED_PORTS: ReadonlySet<number> = new Set([68, 137, 138, 546, 1900, 5353, 5355]);
/** Of servers that are asked by a broadcast: noise where this host was none. */
export const ASKED_OF_ALL: ReadonlySet<number> = new Set([67, 547]);
export const ANNOUNCED_PROTOCOLS: ReadonlySet<string> = new Set(["igmp", "ospf", "pim", "vrrp"]);
export const TIME_PORTS: ReadonlySet<number> = new Set([123]);
export const RESOLVER_PORTS: ReadonlySet<number> = new Set([53, 853]);
