/** Asks all hosts whether they match the state, and probes those that can be reached directly. */
import { question } from "../host/program";
import type { Answer } from "../ssh/answer";
import type { Reply } from "../ssh/question";
import { type Reach, type ReachSettings, type Visit, visitAll } from "../ssh/reach";
import type { Host } from "../state/hosts";
import { judge, type Outside, type Verdict } from "./judge";
import { readRuleset } from "../ruleset/reader";
import { openPorts, portsToTry, probe } from "./ports";

export interface LiveSettings extends ReachSettings {
  /** Undefined: those that are most likely to answer. */
  readonly probePorts: readonly number[] | undefined;
  readonly probe: boolean;
}

export interface Finding extends Verdict {
  readonly answer: Answer;
  readonly outside: Outside;
}

/** A login is nine round trips and more, so that a third of its time is three. After a second, TCP would send a third packet. */
const PROBE_MS = { share: 1 / 3, least: 150, most: 950 } as const;

/** What was found of each host, in the order of `hosts`. */
export function askAll(
  hosts: readonly Host[],
  settings: LiveSettings,
  visit: Visit<Finding>,
): Promise<readonly Finding[]> {
  return visitAll(hosts, settings, (host, reach) => look(host, reach, settings), visit);
}

async function look(host: Host, reach: Reach, settings: LiveSettings): Promise<Finding> {
  const reply = await reach.ask(announcement(host, settings) + question());
  const { answer } = reply;
  // Probing is waiting, and takes no turn.
  const outside = await outsideOf(host, reply, reach, settings);
  return { ...judge(host, answer, outside), answer, outside };
}

/** The host notes what is going to be probed from here, so that its report does not take it for use. */
function announcement(host: Host, { probe: isProbed, probePorts }: LiveSettings): string {
  if (!isProbed || host.connection.bastionHost !== undefined) {
    return "";
  }
  return `probe='${probePorts?.join(" ") ?? "auto"}'\nprobe_except='${openPorts(readRuleset(host.texts)).join(" ")}'\n`;
}

async function outsideOf(host: Host, reply: Reply, reach: Reach, settings: LiveSettings): Promise<Outside> {
  const { answer, milliseconds } = reply;
  if (!settings.probe || answer.kind !== "answered" || answer.state !== "locked") {
    return skipped("not tried");
  }
  if (host.connection.bastionHost !== undefined) {
    return skipped("not tried: through a bastion");
  }
  const destination = await reach.destinationOf(reply);
  if (destination === undefined) {
    return skipped("not tried: no address");
  }
  if (!destination.isDirect) {
    return skipped("not tried: through a bastion");
  }
  // Behind that port of a gateway is the host; behind its others there may be anything.
  if (answer.port !== undefined && destination.port !== undefined && destination.port !== answer.port) {
    return skipped("not tried: through a forwarded port");
  }
  const ruleset = readRuleset(host.texts);
  const ports = portsToTry(settings.probePorts, answer, ruleset, destination.port);
  const wait = Math.min(Math.max(milliseconds * PROBE_MS.share, PROBE_MS.least), PROBE_MS.most);
  return ports.length === 0 ? skipped("not tried: no port") : probe(destination.host, ports, ruleset, wait);
}

const skipped = (why: string): Outside => ({ kind: "skipped", why });
