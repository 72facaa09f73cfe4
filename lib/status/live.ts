/** Asks all hosts whether they are as the state says, and knocks at those that can be reached directly. */
import { question } from "../host/program";
import type { Said } from "../ssh/ask";
import type { Host } from "../state/hosts";
import type { Answer } from "../ssh/answer";
import { judge, type Outside, type Verdict } from "./judge";
import { messages } from "../state/messages";
import { knock, mannersOf, portsToTry } from "./ports";
import { type Reach, type ReachSettings, visitAll } from "../ssh/reach";

export interface LiveSettings extends ReachSettings {
  /** Undefined: those that tell most. */
  readonly probePorts?: readonly number[];
  readonly probe: boolean;
}

export interface Finding extends Verdict {
  readonly answer: Answer;
  readonly outside: Outside;
}

/** A login is nine round trips and more, so that a third of its time is three. */
const KNOCK_MS = { share: 1 / 3, least: 150, most: 1300 } as const;

/** What was found of each host, in the order of `hosts`; for the rest, see `visitAll`. */
export function askAll(
  hosts: readonly Host[],
  settings: LiveSettings,
  heard: (finding: Finding) => void,
  stoppable: (stop: () => void) => void,
): Promise<readonly Finding[]> {
  return visitAll(hosts, settings, (host, reach) => look(host, reach, settings), heard, stoppable);
}

async function look(host: Host, reach: Reach, settings: LiveSettings): Promise<Finding> {
  const said = await reach.ask(question());
  const { answer } = said;
  // Knocking is waiting, and takes no turn.
  const outside = await outsideOf(host, said, reach, settings);
  return { ...judge(host, answer, outside), answer, outside };
}

async function outsideOf(host: Host, said: Said, reach: Reach, settings: LiveSettings): Promise<Outside> {
  const { answer, milliseconds } = said;
  if (!settings.probe || answer.kind !== "told" || answer.state !== "locked") {
    return skipped(messages.notWanted());
  }
  if (host.connection.bastionHost !== undefined) {
    return skipped(messages.throughBastion());
  }
  const destination = await reach.destinationOf(said);
  if (destination === undefined) {
    return skipped(messages.notResolved());
  }
  if (!destination.isDirect) {
    return skipped(messages.throughBastion());
  }
  // Behind that port of a gateway is the host; behind its others there may be anything.
  if (answer.port !== undefined && destination.port !== undefined && destination.port !== answer.port) {
    return skipped(messages.throughForward());
  }
  const manners = mannersOf(host.texts);
  const ports = portsToTry(settings.probePorts, answer, manners, destination.port);
  const wait = Math.min(Math.max(milliseconds * KNOCK_MS.share, KNOCK_MS.least), KNOCK_MS.most);
  return ports.length === 0 ? skipped(messages.noPort()) : knock(destination.host, ports, manners, wait);
}

const skipped = (why: string): Outside => ({ kind: "skipped", why });
