/** What the report says in words. It claims no more than the host could see. */
import { count } from "../output/text";
import type { Condition } from "../status/conditions";
import type { Direction, Gap, LoginSource } from "./evidence";
import { duration } from "./time";

/** Whether traffic was denied, or would have been, or both, one after the other. */
export type Handling = "denied" | "observed" | "both";

export const UNKNOWN = "unknown";

/** In one line, whether the host was used. */
export const verdicts = {
  notAsked: (why: string): string => `It could not be asked: ${withoutStop(why)}.`,
  open: "It is not locked and has no records: its use is unknown.",
  nobody: (since: string | null, isSure: boolean): string =>
    `Nothing but SSH was seen${since === null ? "" : ` since ${since}`}${isSure ? "" : ", but some traffic may not have been counted"}.`,
  openBefore: (connections: number): string =>
    `${count(connections, "connection")} other than SSH ${was(connections)} already open at the first lock. Traffic on them while the host was only observed is not counted: see who was connected then.`,
  disagrees: (condition: Condition, details: string): string =>
    `It does not match the state: it is ${condition}${details === "" ? "" : ` (${withoutStop(details)})`}.`,
  unfinished: (why: string): string => `By the state, it may be locked: ${withoutStop(why)}.`,
  peers: (peers: number, handling: Handling, last: string): string =>
    `${count(peers, "peer")} ${wereDenied(peers, handling)}, last on ${last}.`,
  addresses: (addresses: number, handling: Handling, last: string): string => {
    const some = count(addresses, "address", "addresses");
    const what = {
      denied: `The host tried to reach ${some} and was denied`,
      observed: `The host tried to reach ${some} and would have been denied`,
      both: `The host tried to reach ${some} and was denied, or succeeded while it was only observed`,
    };
    return `${what[handling]}, last on ${last}.`;
  },
  sum: (direction: Direction, packets: number, handling: Handling, last: string): string =>
    `${packetsOf(direction, packets)} ${wereDenied(packets, handling)}, last on ${last}.`,
} as const;

/** Where not all of the evidence decides: " Only the last 30 days count." */
export const judgedOf = ({ unusedForSeconds }: { readonly unusedForSeconds?: number }): string =>
  unusedForSeconds === undefined ? "" : ` Only the last ${duration(unusedForSeconds)} count.`;

export const titles = {
  denied: (handling: Handling, since: string | null): string => {
    const what = {
      denied: "Denied",
      observed: "Would have been denied",
      both: "Denied, or passed while the host was only observed,",
    };
    return `${what[handling]}${since === null ? "" : ` since ${since}`}`;
  },
  sampled: "Of these, in the kernel's log",
  /** @param since when the first observation began, null where that is not known; undefined where there was none */
  first: (baseline: string | null, since: string | null | undefined): string => {
    const isFirst = Date.parse(since ?? "") - Date.parse(baseline ?? "") <= LOCK_MS;
    const unknown = since === null || baseline === null ? "locked or observed" : "locked";
    const word = since === undefined ? "locked" : isFirst ? "observed" : unknown;
    return `first ${word}${baseline === null ? "" : `, ${baseline}`}`;
  },
} as const;

/** So long a lock may take from looking at the host to its rules. */
const LOCK_MS = 600_000;

/** What others say may be a whole sentence. */
const withoutStop = (text: string): string => text.replace(/\.+$/, "");

/** What must be known to read the report. */
export const notes = {
  onlySums:
    "iptables counts packets for each direction only: their peers are unknown. Times are those at which the host looked.",
  sample: (perMinute: string | null): string =>
    perMinute === null
      ? "To see some of the peers, set logDeniedPerMinute: the report then lists those in the kernel's log. To see all of them, install nft on the host."
      : `The peers in the kernel's log are a sample: at most ${perMinute} packets a minute in each direction, as far back as that log reaches.`,
  unrecorded: (direction: Direction, packets: number): string =>
    `${packetsOf(direction, packets)} ${direction === "in" ? "came from" : "went to"} peers that were not recorded.`,
  observed: (onlySums: boolean): string =>
    `It is only observed: nothing is denied. The counts are of new connections that would be denied${onlySums ? ", and with iptables also of UDP answers" : ""}.`,
  wasObserved: (from: string | null, until: string): string =>
    `It was only observed${from === null ? "" : ` from ${from}`} until ${until}: traffic counted in that time was not denied but passed.`,
  gaps: (times: number, gaps: readonly Gap[]): string =>
    `Its rules were missing or changed, or what they had counted was lost${times === 1 ? "" : ` ${times} times`}${times > gaps.length ? `, the last ${gaps.length} of them` : ""} ${gaps.map(gapText).join(", ")}: traffic in that time is not in the counts and may have passed.`,
  noFirst:
    "The first time is unknown if several packets had arrived when the host looked, more than a minute after it had looked before.",
  otherSockets: (lines: number): string =>
    `${count(lines, "line")} of its socket list could not be read; --json lists them.`,
  pending: "A lock waits for its confirm.",
  drifted:
    "Its live rules differ from its ruleset, so some traffic may not have been counted; ssh-only-firewall status --live shows more.",
  otherTime: (seconds: number): string =>
    `Its clock is ${count(Math.abs(seconds), "second")} ${seconds > 0 ? "ahead of" : "behind"} this machine's; all times are by the host's clock.`,
  multicast:
    "Peers that only sent broadcast or multicast are counted too, and cannot be distinguished from peers that addressed this host.",
  noLogins: "It has no readable log of SSH logins.",
  loginSource: ({ name, all, begins }: LoginSource, since: string | null): string => {
    const isLate = begins !== null && since !== null && /^\d/.test(begins) && begins > since;
    return [
      `${SOURCES[name] ?? name} begins ${begins === null ? "at an unknown time" : `on ${begins}`}`,
      ...(isLate ? [", later than the lock: earlier logins are unknown"] : []),
      ...(FORGEABLE.has(name) ? [". Any local user can write to it"] : []),
      ...(all > MOST_LOGINS ? [`; only the last ${MOST_LOGINS} of its ${all} logins are listed`] : []),
      ".",
    ].join("");
  },
  noYear: "Logins without a year are in the host's time zone; its log does not show more.",
  unread: (lines: number): string => `${count(lines, "line")} of its report could not be read; --json lists them.`,
} as const;

/** Of the journal only what sshd itself wrote is asked for. */
const FORGEABLE: ReadonlySet<string> = new Set(["auth.log", "secure"]);

const was = (number: number): string => (number === 1 ? "was" : "were");

function wereDenied(number: number, handling: Handling): string {
  return {
    denied: `${was(number)} denied`,
    observed: "would have been denied",
    both: `${was(number)} denied, or passed while the host was only observed`,
  }[handling];
}

const WAYS: Readonly<Record<Direction, string>> = { in: "inbound", out: "outbound", forward: "forwarded" };

const packetsOf = (direction: Direction, packets: number): string => count(packets, `${WAYS[direction]} packet`);

const gapText = ({ from, until }: Gap): string =>
  `${from === null ? "" : `from ${from} `}until ${until ?? "an unknown time"}`;

/** As many of each source as the host program prints. */
export const MOST_LOGINS = 500;

const SOURCES: Readonly<Record<string, string>> = {
  journal: "Its journal",
  "auth.log": "Its auth.log",
  secure: "Its log secure",
  last: "The output of `last`",
};
