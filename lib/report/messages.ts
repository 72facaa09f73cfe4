/** What the report says in words. It claims no more than the host could see. */
import type { Direction } from "./parse";

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
  peers: (peers: number, observed: boolean, last: string): string =>
    `${count(peers, "peer")} ${observed ? `${peers === 1 ? "was" : "were"} seen that would be` : peers === 1 ? "was" : "were"} denied, last on ${last}.`,
  addresses: (addresses: number, observed: boolean, last: string): string =>
    `The host tried ${count(addresses, "address", "addresses")} that ${observed ? "it would be denied" : "it was denied"}, last on ${last}.`,
  sum: (direction: Direction, packets: number, observed: boolean, last: string): string =>
    `${count(packets, "packet")} ${WAYS[direction]} ${observed ? "would have been" : packets === 1 ? "was" : "were"} denied, last on ${last}.`,

  /** Above what was denied. */
  deniedTitle: (observed: boolean, since: string | null): string =>
    `${observed ? "Would have been denied" : "Denied"}${since === null ? "" : ` since ${since}`}`,

  // What must be known to read it.
  onlySums: (): string =>
    "iptables counts packets for each direction only: from and to whom they were is not known. Times are those at which the host looked.",
  unremembered: (direction: Direction, packets: number): string =>
    `${count(packets, "packet")} more ${WAYS[direction]} ${packets === 1 ? "was" : "were"} counted than peers are remembered for.`,
  observed: (): string => "It is observed: nothing is denied. What is counted are openings that would be denied.",
  pending: (): string => "A lock waits for its confirm.",
  drifted: (): string =>
    "Its live rules are not what it was given, so not all that came may have been counted; ssh-only-firewall status --live says more.",
  otherTime: (seconds: number): string =>
    `Its clock is ${count(Math.abs(seconds), "second")} ${seconds > 0 ? "ahead of" : "behind"} this machine's; all times are its own.`,
  multicast: (): string =>
    "Peers that only sent to everybody (broadcast, multicast) are among those counted, and cannot be told from those that meant this host.",
  noLogins: (): string => "It has no log of logins over SSH that could be read.",
  noYear: (): string => "Logins without a year are in the time of the host; its log does not say more.",
  unread: (lines: number): string => `${count(lines, "line")} of its report could not be read; --json has them.`,
} as const;

const WAYS: Readonly<Record<Direction, string>> = {
  in: "coming in",
  out: "going out",
  forward: "passing through",
};
