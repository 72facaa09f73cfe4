/** Goes to all hosts over ssh, several at a time. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Host } from "../state/hosts";
import { connectedTo, type Destination, destinationOf } from "./log";
import { DEFAULT_MAX_BYTES, runSsh } from "./process";
import { ask, type Reply } from "./question";
import { pinnedKeys, type Route, routeTo, type SshSettings, unusable } from "./route";
import { Turns } from "./turns";

export interface ReachSettings extends SshSettings {
  readonly concurrency: number;
  /** After this long a host has not answered. */
  readonly timeoutSeconds: number;
}

export interface Visit<T> {
  /** Ends it at once, with nothing left behind. */
  readonly signal: AbortSignal;
  /** Called for each host, in the order in which they answer. */
  readonly onResult: (found: T) => void;
}

interface Way {
  readonly host: Host;
  /** Or why the host cannot be given to ssh. */
  readonly route: Route | string;
  readonly logFile: string;
  readonly settings: ReachSettings;
  readonly signal: AbortSignal;
  readonly turns: Turns;
}

/** The way to one host. */
export class Reach {
  public constructor(private readonly way: Way) {}

  /** Gives the host's root shell a question, in turn. A host that cannot be given to ssh is not asked. */
  public async ask(question: string, maxBytes = DEFAULT_MAX_BYTES): Promise<Reply> {
    const { route, logFile, host, settings, turns, signal } = this.way;
    if (typeof route === "string") {
      return { answer: { kind: "unclear", why: route }, stdout: "", stderr: "", log: "", milliseconds: 0 };
    }
    const { timeoutSeconds } = settings;
    return turns.take(host.connection.bastionHost, () =>
      ask(route.args, logFile, question, { timeoutSeconds, maxBytes, signal }),
    );
  }

  /** Where ssh connected to for that reply. */
  public async destinationOf({ log }: Reply): Promise<Destination | undefined> {
    const { route, settings, signal } = this.way;
    const known = connectedTo(log);
    if (known !== undefined || typeof route === "string") {
      return known;
    }
    const { timeoutSeconds } = settings;
    const options = { input: "", timeoutSeconds, maxBytes: DEFAULT_MAX_BYTES, signal };
    return destinationOf((await runSsh(["-G", ...route.args], options)).stdout);
  }
}

/** What `visit` found at each host, in the order of `hosts`. Pinned keys lie in a directory of their own as long as this runs. */
export async function visitAll<T>(
  hosts: readonly Host[],
  settings: ReachSettings,
  visit: (host: Host, reach: Reach) => Promise<T>,
  { signal, onResult }: Visit<T>,
): Promise<readonly T[]> {
  signal.throwIfAborted();
  const folder = mkdtempSync(join(tmpdir(), "ssh-only-firewall-status-"));
  const tidyUp = (): void => rmSync(folder, { recursive: true, force: true });
  // A signal is followed by the end of this process: nothing waits for a promise any more.
  signal.addEventListener("abort", tidyUp, { once: true });
  try {
    chmodSync(folder, 0o700);
    const pinned = join(folder, "pinned");
    const turns = new Turns(settings.concurrency);
    const ways = hosts.map((host, index) => {
      const route = unusable(host) ?? routeTo(host, settings, pinned, `ssh-only-firewall-${index}`);
      return { host, route, logFile: join(folder, `log-${index}`), settings, signal, turns };
    });
    const pins = ways.flatMap(({ route }) => (typeof route === "string" ? [] : route.pins));
    writeFileSync(pinned, pinnedKeys(pins), { mode: 0o600 });
    return await Promise.all(
      ways.map(async (way) => {
        const found = await visit(way.host, new Reach(way));
        onResult(found);
        return found;
      }),
    );
  } finally {
    signal.removeEventListener("abort", tidyUp);
    tidyUp();
  }
}
