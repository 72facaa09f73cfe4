/** Goes to all hosts at once, as many as are wanted at a time, over ssh. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pLimit from "p-limit";
import { ask, Processes, type Said } from "./ask";
import type { Host } from "../state/hosts";
import {
  connectedTo,
  type Destination,
  destinationOf,
  pinnedKeys,
  type Route,
  routeTo,
  type SshSettings,
  unusable,
} from "./route";

export interface ReachSettings extends SshSettings {
  readonly concurrency: number;
  /** After this long a host has not answered. */
  readonly timeoutSeconds: number;
}

/** A host that has not answered by then holds up no other: it goes on beside them. */
const PATIENCE_MS = 3000;
/** sshd begins to refuse at ten logins that are under way. */
const MOST_AT_A_BASTION = 8;

/** The way to one host. */
export class Reach {
  public constructor(
    private readonly host: Host,
    private readonly route: Route | undefined,
    private readonly logFile: string,
    private readonly settings: ReachSettings,
    private readonly processes: Processes,
    private readonly turns: Turns,
  ) {}

  /** Gives the host's root shell a question, in turn. A host that cannot be given to ssh is not asked. */
  public async ask(question: string, mostBytes?: number): Promise<Said> {
    const { route, logFile, host, settings, processes } = this;
    if (route === undefined) {
      const answer = { kind: "unclear", why: unusable(host) as string } as const;
      return { answer, stdout: "", stderr: "", log: "", milliseconds: 0 };
    }
    return this.turns.take(host.connection.bastionHost, () =>
      ask(processes, route.args, logFile, question, settings.timeoutSeconds, mostBytes),
    );
  }

  /** Where ssh came to when it `said` that. */
  public async destinationOf(said: Said): Promise<Destination | undefined> {
    const { route, settings, processes } = this;
    const known = connectedTo(said.log);
    if (known !== undefined || route === undefined) {
      return known;
    }
    const { stdout } = await processes.run(["-G", ...route.args], "", settings.timeoutSeconds);
    return destinationOf(stdout);
  }
}

/**
 * What `visit` found at each host, in the order of `hosts`; `heard` is called in any. Keys that are pinned lie in a folder of
 * their own as long as this runs; call `stop` of what `stoppable` gets to end it at once.
 */
export async function visitAll<T>(
  hosts: readonly Host[],
  settings: ReachSettings,
  visit: (host: Host, reach: Reach) => Promise<T>,
  heard: (found: T) => void,
  stoppable: (stop: () => void) => void,
): Promise<readonly T[]> {
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
        const found = await visit(
          host,
          new Reach(host, routes[index], join(folder, `log-${index}`), settings, processes, turns),
        );
        heard(found);
        return found;
      }),
    );
  } finally {
    stop();
  }
}

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
