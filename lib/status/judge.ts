/** What a host is, by what the state says, what the host says, and what is seen of it from the outside. */
import type { Answer } from "../ssh/answer";
import type { Claim, Host } from "../state/hosts";
import { messages } from "../state/messages";
import { plain } from "../output/plain";

/** What came of knocking at ports that must be closed. */
export type Outside =
  | { readonly kind: "tried"; readonly ports: readonly number[]; readonly answers: readonly PortAnswer[] }
  | { readonly kind: "skipped"; readonly why: string };

export interface PortAnswer {
  readonly port: number;
  readonly how: "accepts" | "refuses";
}

/** The words for a host, and what each means. */
export const CONDITIONS = {
  locked: "locked, as the state says: owner, ruleset and live rules agree, and nothing answers outside",
  observed: "observed, as the state says: nothing is denied, and owner, ruleset and live rules agree",
  unlocked: "open, and the state does not have it (only for hosts that --also names)",
  open: "it should be locked, and is not; or a port that must be closed answers",
  pending: "a lock waits for its confirm",
  drifted: "locked, but the live rules or the ruleset are others",
  "locked-by-someone-else": "locked, by another owner than the state says",
  "locked-but-not-in-state": "locked, and the state does not say so",
  unreachable: "no SSH connection to it, or to a machine that could prove to be it",
  unclear: "it could not be asked, or its answer makes no sense",
} as const;

export type Condition = keyof typeof CONDITIONS;

export interface Verdict {
  readonly condition: Condition;
  /** Whether state and host agree. */
  readonly agrees: boolean;
  readonly details: readonly string[];
}

export function judge(host: Host, answer: Answer, outside: Outside): Verdict {
  const [condition, ...details] = found(host, answer, outside);
  const why = host.why === undefined ? [] : [host.why];
  return {
    condition,
    agrees: agrees(condition),
    details: [...details, ...why],
  };
}

export const agrees = (condition: Condition): boolean => ["locked", "observed", "unlocked"].includes(condition);

/** What a state alone can say of a host. */
export const claimAgrees = (claim: Claim): boolean => ["locked", "observed", "absent"].includes(claim);

function found(host: Host, answer: Answer, outside: Outside): [Condition, ...string[]] {
  if (answer.kind !== "told") {
    return [answer.kind, answer.why];
  }
  const inState = host.claim === "locked" || host.claim === "observed" || host.claim === "unfinished";
  const { state, rules, owner, lockedAt } = answer;
  if (state === "pending") {
    return ["pending", owner === host.owner ? messages.isPending(owner) : messages.pendingOfOther(owner)];
  }
  if (state === "open") {
    if (rules !== "none") {
      return ["drifted", messages.rulesUnrecorded()];
    }
    return host.claim === "absent" ? ["unlocked"] : ["open", messages.isOpen()];
  }
  if (state === "observed" && host.claim !== "observed") {
    return ["open", messages.onlyObserves(owner, lockedAt)];
  }
  const drift = drifts(host, answer);
  if (!inState) {
    return ["locked-but-not-in-state", messages.otherOwner(owner, lockedAt), ...drift];
  }
  if (owner !== host.owner) {
    return ["locked-by-someone-else", messages.otherOwner(owner, lockedAt), ...drift];
  }
  if (host.claim === "unfinished") {
    return ["locked-but-not-in-state", ...drift];
  }
  const answers = outside.kind === "tried" ? outside.answers.map(({ port, how }) => messages.answersAt(port, how)) : [];
  if (answers.length > 0) {
    return ["open", messages.answers(answers), ...drift];
  }
  if (state === "locked" && host.claim === "observed") {
    return ["drifted", messages.isLocked(), ...drift];
  }
  return drift.length > 0 ? ["drifted", ...drift] : [state];
}

function drifts(host: Host, answer: Answer & { kind: "told" }): string[] {
  const differs = (live: string, state: string | undefined): boolean => state !== undefined && state !== live;
  return [
    ...(answer.rules === "matches" ? [] : [messages.rulesDrifted()]),
    // Such as that nothing would put the rules back.
    ...(answer.rules === "matches" && answer.problem !== "" ? [plain(answer.problem)] : []),
    ...((host.claim === "locked" || host.claim === "observed") && answer.owner === host.owner
      ? [
          ...(differs(answer.ruleset, host.ruleset) ? [messages.otherRuleset(answer.ruleset, host.ruleset ?? "")] : []),
          ...(differs(answer.program, host.program) ? [messages.otherProgram(answer.program, host.program ?? "")] : []),
        ]
      : []),
  ];
}
