/** Asks all hosts for their reports, beside their state, which says whether the report can be believed. */
import { reportQuestion } from "../host/program";
import type { Host } from "../state/hosts";
import type { Answer } from "../ssh/answer";
import { type Reach, type ReachSettings, visitAll } from "../ssh/reach";
import { lastLine } from "../output/plain";
import { messages } from "./messages";
import { parseReport, type Told } from "./parse";

/** What came of asking a host. `told` is undefined where it has no report: it is open, and nothing is kept there. */
export type Reply =
  | { readonly kind: "told"; readonly state: Answer & { kind: "told" }; readonly told: Told | undefined }
  | { readonly kind: "not asked"; readonly why: string };

/** Five thousand peers, five hundred logins and the sockets of a busy host are about 500 kB. */
const MOST_BYTES = 8 * 1024 * 1024;

export function askAllReports(
  hosts: readonly Host[],
  settings: ReachSettings,
  heard: (reply: Reply) => void,
  stoppable: (stop: () => void) => void,
): Promise<readonly Reply[]> {
  return visitAll(hosts, settings, (_, reach) => askReport(reach), heard, stoppable);
}

async function askReport(reach: Reach): Promise<Reply> {
  const { answer, stdout, stderr } = await reach.ask(reportQuestion(), MOST_BYTES);
  return replyOf(answer, stdout, stderr);
}

export function replyOf(answer: Answer, stdout: string, stderr: string): Reply {
  if (answer.kind !== "told") {
    return { kind: "not asked", why: answer.why };
  }
  const begin = /^ssh-only-firewall-report\r?\n/m.exec(stdout);
  if (begin === null) {
    return { kind: "told", state: answer, told: undefined };
  }
  const text = stdout.slice(begin.index + begin[0].length);
  const end = /\r?\nssh-only-firewall-end (\d{1,3})\s*$/.exec(text);
  if (end === null) {
    return { kind: "not asked", why: messages.cutOff() };
  }
  return end[1] === "0"
    ? { kind: "told", state: answer, told: parseReport(text.slice(0, end.index)) }
    : { kind: "not asked", why: messages.failed(lastLine(stderr)) };
}
