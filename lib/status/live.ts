/** Asks all hosts whether they are as the state says, and knocks at those that can be reached directly. */
import { question } from "../host/program";
import type { Host } from "./hosts";
import { type Answer, judge, type Outside, type Verdict } from "./judge";
import { messages } from "./messages";
import { knock, mannersOf, portsToTry } from "./ports";
import { type Reach, type ReachSettings, visitAll } from "./reach";
import { destinationOf } from "./ssh";

export interface LiveSettings extends ReachSettings {
  /** Undefined: those that tell most. */
  readonly probePorts?: readonly number[];
  readonly probe: boolean;
}

export interface Finding extends Verdict {
  readonly answer: Answer;
  readonly outside: Outside;
}

/** Longer than the second after which a lost packet is sent again. */
const KNOCK_MS = 1300;

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
  const { answer } = await reach.ask(question());
  // Knocking is waiting, and takes no turn.
  const outside = await outsideOf(host, answer, reach, settings);
  return { ...judge(host, answer, outside), answer, outside };
}

async function outsideOf(host: Host, answer: Answer, reach: Reach, settings: LiveSettings): Promise<Outside> {
  if (!settings.probe || answer.kind !== "told" || answer.state !== "locked") {
    return skipped(messages.notWanted());
  }
  if (host.connection.bastionHost !== undefined) {
    return skipped(messages.throughBastion());
  }
  const destination = destinationOf(await reach.explain());
  if (destination === undefined) {
    return skipped(messages.notResolved());
  }
  if (!destination.isDirect) {
    return skipped(messages.throughBastion());
  }
  const manners = mannersOf(host.texts);
  const ports = portsToTry(settings.probePorts, answer, manners, destination.port);
  return ports.length === 0 ? skipped(messages.noPort()) : knock(destination.host, ports, manners, KNOCK_MS);
}

const skipped = (why: string): Outside => ({ kind: "skipped", why });
