/** Asks hosts whether lock would refuse them, and gives each one word. */
import type { Answer, Answered, NotAnswered } from "../ssh/answer";
import { type Reach, type ReachSettings, type Visit, visitAll } from "../ssh/reach";
import { plain } from "../output/text";
import { bastionOf } from "../ssh/route";
import { keyProblems } from "./private-key";
import { type CheckReply, checkReply, LOCKED, type Reason } from "./reply";
import { questionFor, type Subject, unknownUntilApply } from "./subject";

export const WORDS = {
  ready: "a lock would succeed: deploy",
  locked: "already locked; a note names the owner. Ready only if this fleet locked it: the next deploy locks it again",
  refused: "a lock would be refused; each reason has a word and a remedy",
  unreachable: "no SSH connection from here",
} as const;

export type Word = keyof typeof WORDS;

export interface Finding {
  readonly word: Word;
  readonly ready: boolean;
  /** Why it is not ready. */
  readonly reasons: readonly Reason[];
  /** What does not keep it from being locked. */
  readonly notes: readonly string[];
}

export async function checkAll(
  subjects: readonly Subject[],
  settings: ReachSettings,
  visit: Visit<Finding>,
): Promise<readonly Finding[]> {
  const byHost = new Map(subjects.map((subject) => [subject.host, subject]));
  return visitAll(
    subjects.map(({ host }) => host),
    settings,
    (host, reach) => look(byHost.get(host) as Subject, reach),
    visit,
  );
}

async function look(subject: Subject, reach: Reach): Promise<Finding> {
  const unknown = unknownUntilApply(subject);
  if (unknown !== undefined) {
    return { word: "refused", ready: false, reasons: [{ word: "unknown", text: unknown }], notes: [] };
  }
  const local = keyProblems(subject);
  const { answer, stdout } = await reach.ask(questionFor(subject));
  return judge(subject, answer, checkReply(stdout), local);
}

export function judge(
  subject: Subject,
  answer: Answer,
  reply: CheckReply | undefined,
  local: readonly Reason[],
): Finding {
  const notes = notesOf(subject, reply);
  if (answer.kind === "unreachable") {
    return { word: "unreachable", ready: false, reasons: [...local, unreachable(subject, answer)], notes };
  }
  if (reply === undefined) {
    const why = answer.kind === "unclear" ? answer.why : "the check ended early on the host: check again";
    const word = answer.kind === "unclear" && /root|sudo/.test(why) ? "no-root" : "no-answer";
    return { word: "refused", ready: false, reasons: [...local, { word, text: why }], notes };
  }
  const reasons = [...local, ...reply.refusals];
  if (reasons.some(({ word }) => word !== LOCKED)) {
    return { word: "refused", ready: false, reasons, notes };
  }
  const lock = answer.kind === "answered" ? lockOf(subject, answer) : undefined;
  const isFree = reasons.length === 0;
  if (lock === undefined) {
    return { word: isFree ? "ready" : "locked", ready: isFree, reasons, notes };
  }
  return { word: lock.word, ready: isFree && lock.ready, reasons, notes: [lock.text, ...notes] };
}

function lockOf(subject: Subject, answer: Answered): { word: Word; ready: boolean; text: string } | undefined {
  const { state, owner, lockedAt, lockedBy } = answer;
  if (state === "open") {
    return undefined;
  }
  if (state === "pending" || state === "unlocking") {
    return {
      word: "locked",
      ready: false,
      text: `${state} (hold ${plain(owner)}): check again when it is confirmed or has rolled back`,
    };
  }
  const isOwn =
    lockedBy?.stack === subject.stack && lockedBy.construct === subject.construct && lockedBy.host === subject.host.key;
  const by = isOwn
    ? `by this stack (${subject.stack})`
    : `by hold ${plain(owner)}${lockedBy === undefined ? "" : `, stack ${plain(lockedBy.stack)}, as ${plain(lockedBy.host)}`}`;
  // One that is only observed is what a rehearsal leaves.
  const word = state === "observed" && isOwn ? "ready" : "locked";
  return { word, ready: true, text: `${state} ${by}, since ${plain(lockedAt)}` };
}

function unreachable({ host }: Subject, { why, proxy }: NotAnswered): Reason {
  const bastion = bastionOf(host);
  if (bastion !== undefined && proxy === "lost") {
    return {
      word: "bastion",
      text: `the bastion ${bastion} lets nobody through: ${why}: log in there with ssh from here first; check its address, port, user, key and host key`,
    };
  }
  if (bastion !== undefined && proxy === "passed") {
    return {
      word: "unreachable",
      text: `the bastion ${bastion} answers, and does not reach the host: ${why}: check the host's address and port, and what is between the two`,
    };
  }
  const remedy = /host key|Host key/.test(why)
    ? "compare the host's key, then add it to known_hosts (log in once with ssh), or set connection.hostKey"
    : /ermission denied|Authentication/.test(why)
      ? "name the user and the key that the host accepts (connection.user, privateKeyPath)"
      : "log in with ssh from here first; check address, port, bastion, and firewalls in between";
  return { word: "unreachable", text: `${why}: ${remedy}` };
}

function notesOf({ host, settings }: Subject, reply: CheckReply | undefined): readonly string[] {
  const { hostKey } = host.connection;
  const bastion = bastionOf(host);
  return [
    ...(bastion !== undefined && reply !== undefined ? [`reached through the bastion ${bastion}, which answers`] : []),
    ...(hostKey === undefined
      ? [
          bastion === undefined
            ? "host key not pinned, so that anyone in between can answer for it: run ssh-only-firewall pin, or set connection.hostKey"
            : "host key not pinned: behind a bastion, only Terraform 1.15 and later can check it (connection.hostKey)",
        ]
      : []),
    ...(reply?.bridges ?? []),
    ...(reply?.conflicts ?? []).map((rule) => `another firewall may drop SSH on port ${settings.port ?? "?"}: ${rule}`),
  ];
}
