/** What a host is, by the state, by its answer, and by probing it from outside. */
import { SAME_STACK } from "../contract/settings";
import { plain, short } from "../output/text";
import type { Answer, Answered, LockedBy } from "../ssh/answer";
import type { Host } from "../state/hosts";
import { type Condition, CONDITIONS, isLockedInState } from "./conditions";

/** What came of probing ports that must be closed. */
export type Outside =
  | { readonly kind: "tried"; readonly ports: readonly number[]; readonly answers: readonly PortAnswer[] }
  | { readonly kind: "skipped"; readonly why: string };

export interface PortAnswer {
  readonly port: number;
  readonly how: "accepts" | "refuses";
}

export interface Verdict {
  readonly condition: Condition;
  /** Whether state and host agree. */
  readonly agrees: boolean;
  readonly details: readonly string[];
}

export function judge(host: Host, answer: Answer, outside: Outside): Verdict {
  const [condition, ...details] = found(host, answer, outside);
  // Whether it was confirmed, the host itself shows.
  const why = host.why === undefined || host.claim === "unconfirmed" ? [] : [host.why];
  return { condition, agrees: CONDITIONS[condition].agrees, details: [...details, ...why] };
}

function found(host: Host, answer: Answer, outside: Outside): [Condition, ...string[]] {
  if (answer.kind !== "answered") {
    return [answer.kind, answer.why];
  }
  const { state, rules, owner } = answer;
  if (state === "pending") {
    return ["pending", owner === host.owner ? details.isPending(owner) : details.pendingOfOther(owner)];
  }
  if (state === "unlocking") {
    return ["unlocking", details.isUnlocking];
  }
  if (state === "open") {
    if (rules !== "none") {
      return ["drifted", details.rulesUnrecorded];
    }
    return host.claim === "absent" ? ["unlocked"] : ["open", details.isOpen];
  }
  if (state === "observed" && !host.observes) {
    return ["open", details.onlyObserves(answer)];
  }
  return foundOfLock(host, answer, outside);
}

function foundOfLock(host: Host, answer: Answered, outside: Outside): [Condition, ...string[]] {
  const { state, owner } = answer;
  const differences = differencesOf(host, answer);
  if (host.claim === "declared" || host.claim === "absent") {
    return ["locked-but-not-in-state", ...details.ownedBy(answer), ...differences];
  }
  if (owner !== host.owner) {
    return ["locked-by-someone-else", ...details.ownedBy(answer), ...differences];
  }
  if (host.claim === "unfinished") {
    return ["locked-but-not-in-state", ...differences];
  }
  const answering = outside.kind === "tried" ? outside.answers : [];
  if (answering.length > 0) {
    return ["open", details.answersOutside(answering), ...differences];
  }
  if (state === "locked" && host.observes) {
    return ["drifted", details.isLocked, ...differences];
  }
  return differences.length > 0 ? ["drifted", ...differences] : [state, ...details.bridged(answer)];
}

function differencesOf(host: Host, { rules, problem, owner, ruleset, program }: Answered): string[] {
  const isOfState = isLockedInState(host.claim) && owner === host.owner;
  const differs = (what: string, live: string, state: string | undefined): string[] =>
    isOfState && state !== undefined && state !== live
      ? [`has ${what} ${short(live)}, but the state has ${short(state)}`]
      : [];
  return [
    ...(rules === "matches" ? [] : [rules === "damaged" ? details.recordDamaged : details.rulesDrifted]),
    // Such as that no guard would restore the rules.
    ...(rules === "matches" && problem !== "" ? [plain(problem)] : []),
    ...differs("ruleset", ruleset, host.ruleset),
    ...differs("host program", program, host.program),
  ];
}

const details = {
  isOpen: "it is not locked",
  isLocked: "it is locked, but only observed according to the state",
  bridged: ({ bridged }: Answered): readonly string[] =>
    bridged === undefined
      ? []
      : [`guests on its bridge ${plain(bridged)} are reached past its rules: see host.sh status there`],
  rulesDrifted: "the live rules differ from the ruleset: another program changed them",
  recordDamaged: "its record of the lock is damaged",
  rulesUnrecorded: "unrecorded rules of the host program are live",
  onlyObserves: ({ owner, lockedAt }: Answered): string =>
    `it is only observed (hold ${owner}, since ${lockedAt}): nothing is denied`,
  isPending: (owner: string): string => `a lock of ${short(owner)} waits for its confirm, or for its watchdog`,
  pendingOfOther: (owner: string): string => `a lock of another owner (${plain(owner)}) waits for its confirm`,
  isUnlocking: "its unlock waits for its confirm, or for its watchdog, which locks it again",
  ownedBy: ({ owner, lockedAt, lockedBy }: Answered): readonly string[] => [
    `owned by ${plain(owner)}${lockedAt === "" ? "" : ` since ${plain(lockedAt)}`}`,
    ...(lockedBy === undefined ? [] : [details.lockedBy(lockedBy), details.ofSameStack]),
  ],
  lockedBy: ({ stack, construct, workspace, host, from }: LockedBy): string =>
    `locked by stack ${plain(stack)}, construct ${plain(construct)}, workspace ${plain(workspace)}, as ${plain(host)}${from === "" ? "" : `, from ${plain(from)}`}`,
  // A state does not say which stack it is of.
  ofSameStack: `if that is your stack, deploy with takeOver: ${SAME_STACK}`,
  answersOutside: (answers: readonly PortAnswer[]): string =>
    `it reports that it is locked, but from here ${answers.map(({ port, how }) => `port ${port} ${how} connections`).join(", ")}`,
} as const;
