/** Asks all hosts at once, as many as are wanted at a time, and knocks at those that can be reached directly. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pLimit from "p-limit";
import { question } from "../host/program";
import { ask, Processes } from "./ask";
import type { Host } from "./hosts";
import { type Answer, judge, type Outside, type Verdict } from "./judge";
import { messages } from "./messages";
import { knock, mannersOf, portsToTry } from "./ports";
import { destinationOf, pinnedKeys, type Route, routeTo, type SshSettings, unusable } from "./ssh";

export interface LiveSettings extends SshSettings {
  readonly concurrency: number;
  /** After this long a host has not answered. */
  readonly timeoutSeconds: number;
  /** Undefined: those that tell most. */
  readonly probePorts?: readonly number[];
  readonly probe: boolean;
}

export interface Finding extends Verdict {
  readonly answer: Answer;
  readonly outside: Outside;
}

/** A host that has not answered by then holds up no other: it goes on beside them. */
const PATIENCE_MS = 3000;
/** sshd begins to refuse at ten logins that are under way. */
const MOST_AT_A_BASTION = 8;
/** Longer than the second after which a lost packet is sent again. */
const KNOCK_MS = 1300;

/**
 * What was found of each host, in the order of `hosts`; `heard` is called in any. Keys that are pinned lie in a folder of
 * their own as long as this runs; call `stop` of what `stoppable` gets to end it at once.
 */
export async function askAll(
  hosts: readonly Host[],
  settings: LiveSettings,
  heard: (host: Host, finding: Finding) => void,
  stoppable: (stop: () => void) => void,
): Promise<readonly Finding[]> {
  const processes = new Processes();
  const folder = mkdtempSync(join(tmpdir(), "ssh-only-firewall-status-"));
  const stop = (): void => {
    processes.killAll();
    rmSync(folder, { recursive: true, force: true });
  };
  stoppable(stop);
  try {
    chmodSync(folder, 0o700);
    const pinned = join(folder, "pinned");
    const routes = hosts.map((host, index) =>
      unusable(host) === undefined ? routeTo(host, settings, pinned, `ssh-only-firewall-${index}`) : undefined,
    );
    writeFileSync(pinned, pinnedKeys(routes.flatMap((route) => route?.pins ?? [])), { mode: 0o600 });
    const turns = new Turns(settings.concurrency);
    return await Promise.all(
      hosts.map(async (host, index) => {
        const finding = await look(host, routes[index], settings, processes, turns);
        heard(host, finding);
        return finding;
      }),
    );
  } finally {
    stop();
  }
}

async function look(
  host: Host,
  route: Route | undefined,
  settings: LiveSettings,
  processes: Processes,
  turns: Turns,
): Promise<Finding> {
  if (route === undefined) {
    const answer: Answer = { kind: "unclear", why: unusable(host) as string };
    return found(host, answer, skipped(messages.notWanted()));
  }
  const answer = await turns.take(host.connection.bastionHost, () =>
    ask(processes, route.args, question(), settings.timeoutSeconds),
  );
  // Knocking is waiting, and takes no turn.
  return found(host, answer, await outsideOf(host, answer, route, settings, processes));
}

async function outsideOf(
  host: Host,
  answer: Answer,
  route: Route,
  settings: LiveSettings,
  processes: Processes,
): Promise<Outside> {
  if (!settings.probe || answer.kind !== "told" || answer.state !== "locked") {
    return skipped(messages.notWanted());
  }
  if (host.connection.bastionHost !== undefined) {
    return skipped(messages.throughBastion());
  }
  const { stdout } = await processes.run(["-G", ...route.args], "", settings.timeoutSeconds);
  const destination = destinationOf(stdout);
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

function found(host: Host, answer: Answer, outside: Outside): Finding {
  return { ...judge(host, answer, outside), answer, outside };
}

const skipped = (why: string): Outside => ({ kind: "skipped", why });

/** Who may go next. */
class Turns {
  private readonly all: ReturnType<typeof pLimit>;
  private readonly bastions = new Map<string, ReturnType<typeof pLimit>>();

  public constructor(concurrency: number) {
    this.all = pLimit(concurrency);
  }

  public async take<T>(bastion: string | undefined, action: () => Promise<T>): Promise<T> {
    const inTurn = (): Promise<[Promise<T>]> => this.all(() => patiently(action));
    const [done] = await (bastion === undefined ? inTurn() : this.at(bastion)(inTurn));
    return done;
  }

  private at(bastion: string): ReturnType<typeof pLimit> {
    const turns = this.bastions.get(bastion) ?? pLimit(MOST_AT_A_BASTION);
    this.bastions.set(bastion, turns);
    return turns;
  }
}

/** Ends with the action, or when patience does; in a list, for else waiting for one would be waiting for the other. */
async function patiently<T>(action: () => Promise<T>): Promise<[Promise<T>]> {
  const running = action();
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise((resolve) => (timer = setTimeout(resolve, PATIENCE_MS)));
  await Promise.race([running, patience]).finally(() => clearTimeout(timer));
  return [running];
}
