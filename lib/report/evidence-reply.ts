/** Asks all hosts for their evidence, beside their status, which says whether the evidence can be believed. */
import { reportQuestion } from "../host/program";
import { lastLine } from "../output/text";
import type { Answered } from "../ssh/answer";
import type { Reply } from "../ssh/question";
import { type Reach, type ReachSettings, type Visit, visitAll } from "../ssh/reach";
import type { Host } from "../state/hosts";
import { type Evidence, parseEvidence } from "./evidence";

/** What came of asking a host. `evidence` is undefined where it has none: it is open, and nothing is kept there. */
export type EvidenceReply =
  | { readonly kind: "answered"; readonly status: Answered; readonly evidence: Evidence | undefined }
  | { readonly kind: "not asked"; readonly why: string };

/** Five thousand peers, five hundred logins and the sockets of a busy host are about 500 kB. */
const MAX_BYTES = 8 * 1024 * 1024;

export function askForEvidence(
  hosts: readonly Host[],
  settings: ReachSettings,
  visit: Visit<EvidenceReply>,
): Promise<readonly EvidenceReply[]> {
  return visitAll(hosts, settings, (_, reach) => ask(reach), visit);
}

async function ask(reach: Reach): Promise<EvidenceReply> {
  return evidenceReply(await reach.ask(reportQuestion(), MAX_BYTES));
}

export function evidenceReply({ answer, stdout, stderr }: Pick<Reply, "answer" | "stdout" | "stderr">): EvidenceReply {
  if (answer.kind !== "answered") {
    return { kind: "not asked", why: answer.why };
  }
  const begin = /^ssh-only-firewall-report\r?\n/m.exec(stdout);
  if (begin === null) {
    return { kind: "answered", status: answer, evidence: undefined };
  }
  const text = stdout.slice(begin.index + begin[0].length);
  const end = /\r?\nssh-only-firewall-end (\d{1,3})\s*$/.exec(text);
  if (end === null) {
    return { kind: "not asked", why: "its report is incomplete; ask again, with a longer --timeout" };
  }
  const output = lastLine(stderr);
  return end[1] === "0"
    ? { kind: "answered", status: answer, evidence: parseEvidence(text.slice(0, end.index)) }
    : {
        kind: "not asked",
        why: `its host program gave no report${output === "" ? "" : `: ${output}`}; deploy again, so that it gets the current one`,
      };
}
