/** What the report says in words. It claims no more than the host could see. */
import type { Condition } from "../status/judge";
import type { Direction, Gap, LoginSource } from "./parse";

/** Whether what came was denied, or would have been, or both, one after the other. */
export type Manner = "denied" | "observed" | "both";

const count = (number: number, one: string, several = `${one}s`): string => `${number} ${number === 1 ? one : several}`;

export const messages = {
  // Hosts that could not be asked.
  cutOff: (): string => "its report ended half-way; ask again, with a longer --timeout",
  failed: (words: string): string =>
    `its host program gave no report${words === "" ? "" : `: ${words}`}; deploy again, so that it gets the present one`,

  // The verdict.
  notAsked: (why: string): string => `It could not be asked: ${why}.`,
  open: (): string => "It is not locked, and has kept nothing: who uses it is not known.",
  nobody: (since: string | null, isSure: boolean): string =>
    `Nobody but SSH was seen${since === null ? "" : ` since ${since}`}${isSure ? "" : ", but not all that came may have been counted"}.`,
  openBefore: (connections: number): string =>
    `${count(connections, "connection")} other than SSH ${connections === 1 ? "was" : "were"} open already when it was first locked, and what went on there while it observed is not counted: see who was connected then.`,
  disagrees: (condition: Condition, details: string): string =>
    `It is not what the state says, but ${condition}${details === "" ? "" : `: ${details}`}.`,
  peers: (peers: number, manner: Manner, last: string): string =>
    `${count(peers, "peer")} ${
      {
        denied: `${peers === 1 ? "was" : "were"} denied`,
        observed: `${peers === 1 ? "was" : "were"} seen that would be denied`,
        both: `${peers === 1 ? "was" : "were"} denied, or let pass while it was only observed`,
      }[manner]
    }, last on ${last}.`,
  addresses: (addresses: number, manner: Manner, last: string): string =>
    `The host tried ${count(addresses, "address", "addresses")} that ${
      {
        denied: "it was denied",
        observed: "it would be denied",
        both: "it was denied, or reached while it was only observed",
      }[manner]
    }, last on ${last}.`,
  sum: (direction: Direction, packets: number, manner: Manner, last: string): string =>
    `${count(packets, "packet")} ${WAYS[direction]} ${
      {
        denied: `${packets === 1 ? "was" : "were"} denied`,
        observed: "would have been denied",
        both: `${packets === 1 ? "was" : "were"} denied, or let pass while it was only observed`,
      }[manner]
    }, last on ${last}.`,

  /** Above what was denied. */
  deniedTitle: (manner: Manner, since: string | null): string =>
    `${
      {
        denied: "Denied",
        observed: "Would have been denied",
        both: "Denied, or let pass while it was only observed",
      }[manner]
    }${since === null ? "" : ` since ${since}`}`,
  unknown: "unknown",

  // What must be known to read it.
  onlySums: (): string =>
    "iptables counts packets for each direction only: from and to whom they were is not known. Times are those at which the host looked.",
  sample: (perMinute: string | null): string =>
    perMinute === null
      ? "To know some of them, set logDeniedPerMinute: the report then has whom the kernel's log names. To know all, the host needs nft."
      : `Whom the kernel's log names is a sample: of each direction ${perMinute} packets a minute at most, and as far back as that log reaches.`,
  sampledTitle: (): string => "Of these, named in the kernel's log",
  unremembered: (direction: Direction, packets: number): string =>
    `${count(packets, "packet")} more ${WAYS[direction]} ${packets === 1 ? "was" : "were"} counted than peers are remembered for.`,
  observed: (onlySums: boolean): string =>
    `It is observed: nothing is denied. What is counted are openings that would be denied${onlySums ? ", and with iptables the answers over UDP too" : ""}.`,
  wasObserved: (from: string | null, until: string): string =>
    `It was only observed${from === null ? "" : ` from ${from}`} until ${until}: what is counted of that time was not denied, but let pass.`,
  gaps: (times: number, gaps: readonly Gap[]): string =>
    `Its rules had been gone or changed${times === 1 ? "" : ` ${times} times`}${times > gaps.length ? `, the last ${gaps.length} of them` : ""} ${gaps.map(gapWords).join(", ")}: what came then was not counted, and may have passed.`,
  noFirst: (): string =>
    "Where the first time is unknown, several packets had come when the host looked, and it had not looked for more than a minute.",
  otherSockets: (lines: number): string =>
    `${count(lines, "line")} of what it had for sockets could not be read; --json has them.`,
  pending: (): string => "A lock waits for its confirm.",
  drifted: (): string =>
    "Its live rules are not what it was given, so not all that came may have been counted; ssh-only-firewall status --live says more.",
  otherTime: (seconds: number): string =>
    `Its clock is ${count(Math.abs(seconds), "second")} ${seconds > 0 ? "ahead of" : "behind"} this machine's; all times are its own.`,
  multicast: (): string =>
    "Peers that only sent to everybody (broadcast, multicast) are among those counted, and cannot be told from those that meant this host.",
  noLogins: (): string => "It has no log of logins over SSH that could be read.",
  loginSource: ({ name, all, begins }: LoginSource, since: string | null): string =>
    `${SOURCES[name] ?? name} begins ${begins === null ? "at a time unknown" : `on ${begins}`}${begins !== null && since !== null && /^\d/.test(begins) && begins > since ? ", later than it was locked: of logins before nothing is known" : ""}${all > MOST_LOGINS ? `; of its ${all} logins the last ${MOST_LOGINS} are listed, and ${all - MOST_LOGINS} are not` : ""}.`,
  noYear: (): string => "Logins without a year are in the time of the host; its log does not say more.",
  unread: (lines: number): string => `${count(lines, "line")} of its report could not be read; --json has them.`,
} as const;

const WAYS: Readonly<Record<Direction, string>> = {
  in: "coming in",
  out: "going out",
  forward: "passing through",
};

const gapWords = ({ from, until }: Gap): string =>
  `${from === null ? "" : `from ${from} `}until ${until ?? "a day unknown"}`;

/** As many of each source as the host program prints. */
const MOST_LOGINS = 500;

const SOURCES: Readonly<Record<string, string>> = {
  journal: "Its journal",
  "auth.log": "Its auth.log",
  secure: "Its log secure",
  last: "What last prints",
};
