/** What the commands that ask hosts share: their options, the hosts, and how it goes. */
import { existsSync } from "node:fs";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type Host, hostsIn, type NamedHost, withNamed } from "../state/hosts";
import { messages as words, StateError } from "../state/messages";
import type { ReachSettings } from "../ssh/reach";
import { at, readSource } from "../state/source";
import { parseDestination } from "../ssh/route";
import { readState } from "../state/state";
import { CommandError } from "./errors";
import { messages } from "./messages";

export interface AskingOptions extends ReachOptions {
  readonly fleet?: string;
  readonly also?: readonly NamedHost[];
}

export interface ReachOptions {
  readonly user?: string;
  readonly identity?: string;
  readonly sshConfig?: string;
  readonly sshOption?: readonly string[];
  readonly concurrency: number;
  readonly timeout: number;
}

export const STATE_HELP = `
STATE is the folder of a stack, in which terraform show -json is run; or a file with what terraform show -json,
terraform state pull or terraform output -json prints; or - for standard input.
`;

export function addAskingOptions(command: Command): Command {
  command
    .option("--fleet <FILE>", "a fleet file: whose hosts should be locked, and how each is reached")
    .addOption(
      new Option(
        "--also <HOST>",
        "a host that the state may not have: [USER@]ADDRESS[:PORT]; may be repeated",
      ).argParser((value, before: readonly NamedHost[] = []) => [...before, alsoHost(value)]),
    );
  return addReachOptions(command);
}

/** How hosts are reached, whoever names them. */
export function addReachOptions(command: Command): Command {
  return command
    .option("--user <USER>", "who logs in (default: as the state says, or ~/.ssh/config)")
    .addOption(new Option("--identity <FILE>", "the private key, for hosts and bastions").argParser(fileThatIsThere))
    .addOption(new Option("--ssh-config <FILE>", "instead of ~/.ssh/config").argParser(fileThatIsThere))
    .addOption(
      new Option("--ssh-option <NAME=VALUE>", "as behind ssh -o, for bastions too; may be repeated").argParser(
        (value, before: readonly string[] = []) => [...before, sshOption(value)],
      ),
    )
    .addOption(
      new Option("--concurrency <COUNT>", "how many hosts are asked at a time").default(20).argParser(number(1, 1000)),
    )
    .addOption(
      new Option("--timeout <SECONDS>", "after which a host is unreachable").default(30).argParser(number(1, 3600)),
    );
}

export async function hostsToLookAt(named: string, { fleet, also = [] }: AskingOptions): Promise<readonly Host[]> {
  try {
    const { place, text } = readSource(named);
    try {
      const hosts = withNamed(hostsIn(readState(text)), [...(await declared(fleet)), ...also]);
      if (hosts.length === 0) {
        throw new StateError(words.noHosts());
      }
      return hosts;
    } catch (error) {
      throw error instanceof StateError ? at(place, error.message) : error;
    }
  } catch (error) {
    throw error instanceof StateError ? new CommandError(error.message, 1) : error;
  }
}

async function declared(file: string | undefined): Promise<readonly NamedHost[]> {
  if (file === undefined) {
    return [];
  }
  // Only now, for it brings cdktf with it, which takes longer than asking a host.
  const [{ readFleet }, { hostsOf }] = await Promise.all([
    import("../fleet/fleet-file.js"),
    import("../fleet/fleet-hosts.js"),
  ]);
  return [...hostsOf(readFleet(file)).values()].map(({ key, address, policy, connection }): NamedHost => {
    const known = {
      port: String(connection.port ?? policy.sshPort),
      user: connection.user,
      hostKey: connection.hostKey,
      privateKeyPath: connection.privateKeyPath,
      bastionHost: connection.bastionHost,
      bastionPort: connection.bastionPort === undefined ? undefined : String(connection.bastionPort),
      bastionUser: connection.bastionUser,
      bastionHostKey: connection.bastionHostKey,
      bastionPrivateKeyPath: connection.bastionPrivateKeyPath,
    };
    const set = Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined));
    return { key, address, claim: "declared", connection: set };
  });
}

export function reachSettings(options: ReachOptions): ReachSettings {
  return {
    ...options,
    config: options.sshConfig,
    options: options.sshOption ?? [],
    timeoutSeconds: options.timeout,
    connectSeconds: Math.min(10, options.timeout),
  };
}

/**
 * Runs what asks all hosts, with a line of progress on a terminal; leaves nothing behind, whatever ends it.
 *
 * @param isOdd whether what was found of a host is to be counted in that line, in the words of `others`
 */
export async function withProgress<T>(
  count: number,
  others: string,
  isOdd: (found: T) => boolean,
  asking: (heard: (found: T) => void, stoppable: (stop: () => void) => void) => Promise<readonly T[]>,
): Promise<readonly T[]> {
  const progress = new Progress(count, others);
  const endings: Array<() => void> = [];
  try {
    return await asking(
      (found) => progress.heard(isOdd(found)),
      (stop) => endings.push(onSignals(stop, progress)),
    );
  } catch (error) {
    throw error instanceof StateError ? new CommandError(error.message, 1) : error;
  } finally {
    endings.forEach((end) => end());
    progress.clear();
  }
}

/** Colours are for people at a terminal who want them. */
export function coloured(): boolean {
  const { NO_COLOR, TERM } = process.env;
  return process.stdout.isTTY === true && (NO_COLOR ?? "") === "" && TERM !== "dumb";
}

const SIGNALS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

/** Tidies up before a signal, or an error, ends us; returns what takes the handlers away again. */
function onSignals(stop: () => void, progress: Progress): () => void {
  const handlers = Object.entries(SIGNALS).map(([name, number]) => {
    const handler = (): void => {
      stop();
      progress.clear();
      process.stderr.write(messages.stopped());
      process.exit(128 + number);
    };
    process.on(name, handler);
    return (): void => void process.off(name, handler);
  });
  process.on("exit", stop);
  return () => {
    handlers.forEach((off) => off());
    process.off("exit", stop);
  };
}

/** One line on a terminal, written over itself. */
class Progress {
  private asked = 0;
  private odd = 0;
  private readonly isShown = process.stderr.isTTY === true;

  public constructor(
    private readonly all: number,
    private readonly others: string,
  ) {
    this.show();
  }

  public heard(isOdd: boolean): void {
    this.asked += 1;
    this.odd += Number(isOdd);
    this.show();
  }

  public clear(): void {
    if (this.isShown) {
      process.stderr.write("\r\u001b[K");
    }
  }

  private show(): void {
    if (this.isShown) {
      process.stderr.write(`\r\u001b[K${messages.progress(this.asked, this.all, this.odd, this.others)}`);
    }
  }
}

function alsoHost(value: string): NamedHost {
  const destination = parseDestination(value);
  if (destination === undefined) {
    throw new InvalidArgumentError(messages.badDestination());
  }
  const { address, user, port } = destination;
  const connection = { ...(user === undefined ? {} : { user }), ...(port === undefined ? {} : { port }) };
  return { key: address, address, claim: "absent", connection };
}

function sshOption(value: string): string {
  if (!/^[A-Za-z0-9]+[= ]./.test(value)) {
    throw new InvalidArgumentError(messages.badOption());
  }
  return value;
}

function fileThatIsThere(value: string): string {
  if (!existsSync(value)) {
    throw new InvalidArgumentError(messages.noFile(value));
  }
  return value;
}

export function number(min: number, max: number): (value: string) => number {
  return (value) => {
    if (!/^[0-9]{1,9}$/.test(value) || Number(value) < min || Number(value) > max) {
      throw new InvalidArgumentError(messages.badNumber(min, max));
    }
    return Number(value);
  };
}
