/** `status`: which hosts the state says are locked, and whether they are. */
import { existsSync } from "node:fs";
import { type Command, InvalidArgumentError, Option } from "commander";
import { readFleet } from "../fleet/fleet-file";
import { hostsOf } from "../fleet/fleet-hosts";
import { type Host, hostsIn, type NamedHost, withNamed } from "../status/hosts";
import { CONDITIONS } from "../status/judge";
import { toJunit } from "../status/junit";
import { askAll, type Finding } from "../status/live";
import { messages as words, StateError } from "../status/messages";
import { type Report, reportOf } from "../status/report";
import { at, readSource } from "../status/source";
import { parseDestination } from "../status/ssh";
import { readState } from "../status/state";
import { toTable } from "../status/table";
import { CommandError } from "./errors";
import { messages } from "./messages";

interface StatusOptions {
  readonly live?: boolean;
  readonly fleet?: string;
  readonly also?: readonly NamedHost[];
  readonly user?: string;
  readonly identity?: string;
  readonly sshConfig?: string;
  readonly sshOption?: readonly string[];
  readonly concurrency: number;
  readonly timeout: number;
  readonly probePorts?: readonly number[];
  readonly probe: boolean;
  readonly json?: boolean;
  readonly junit?: boolean;
}

const HELP = `
STATE is the folder of a stack, in which terraform show -json is run; or a file with what terraform show -json,
terraform state pull or terraform output -json prints; or - for standard input.

What a host is, with --live:
${Object.entries(CONDITIONS)
  .map(([word, meaning]) => `  ${word.padEnd(25)}${meaning}`)
  .join("\n")}

Exit codes:
  0  every host is as the state says: locked (or unlocked, where only --also names it)
  2  at least one is not
  1  the state could not be read, or the command line could not; nothing was checked

Examples:
  $ ssh-only-firewall status
  $ ssh-only-firewall status --live
  $ ssh-only-firewall status cdktf.out/stacks/fleet --live --fleet fleet.yaml --also 192.0.2.99
  $ terraform state pull | ssh-only-firewall status - --live --junit > status.xml
  $ ssh-only-firewall status --live --json | jq -r '.hosts[] | select(.agrees | not) | .host'
`;

export function addStatus(program: Command): void {
  const command = program
    .command("status")
    .summary("say which hosts are locked: by the state, and with --live really")
    .description("Says which hosts a Terraform state has as locked, and with --live whether they are.")
    .argument("[STATE]", "a folder, a file, or - for standard input", ".")
    .option("--live", "ask every host over ssh, as ~/.ssh/config says, and knock at it from outside")
    .option("--fleet <FILE>", "a fleet file: whose hosts should be locked, and how each is reached")
    .addOption(
      new Option(
        "--also <HOST>",
        "a host that the state may not have: [USER@]ADDRESS[:PORT]; may be repeated",
      ).argParser((value, before: readonly NamedHost[] = []) => [...before, alsoHost(value)]),
    )
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
    )
    .addOption(
      new Option(
        "--probe-ports <PORTS>",
        "TCP ports that must be closed (default: some that the host listens on, 80 and 443)",
      ).argParser(portList),
    )
    .option("--no-probe", "do not knock from outside")
    .addOption(new Option("--json", "for programs, instead of the table"))
    .addOption(new Option("--junit", "for build servers, instead of the table").conflicts("json"))
    .addHelpText("after", HELP)
    .action(async (state: string, options: StatusOptions) => {
      checkOnlyLive(command, options);
      await status(state, options);
    });
  // Exit code 2 is a verdict here, and a monitor must not take a mistyped option for one.
  command.exitOverride((error) => {
    throw error.exitCode === 0 ? error : new CommandError(messages.notChecked(), 1);
  });
}

async function status(state: string, options: StatusOptions): Promise<void> {
  const hosts = hostsToLookAt(state, options);
  const findings = options.live === true ? await ask(hosts, options) : undefined;
  const report = reportOf(hosts, findings);
  process.stdout.write(written(report, options));
  if (!report.agrees) {
    throw new CommandError("", 2);
  }
}

function hostsToLookAt(named: string, { fleet, also = [] }: StatusOptions): readonly Host[] {
  try {
    const { place, text } = readSource(named);
    try {
      const hosts = withNamed(hostsIn(readState(text)), [...declared(fleet), ...also]);
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

function declared(file: string | undefined): readonly NamedHost[] {
  if (file === undefined) {
    return [];
  }
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

async function ask(hosts: readonly Host[], options: StatusOptions): Promise<readonly Finding[]> {
  const progress = new Progress(hosts.length);
  const settings = {
    ...options,
    config: options.sshConfig,
    options: options.sshOption ?? [],
    timeoutSeconds: options.timeout,
    connectSeconds: Math.min(10, options.timeout),
  };
  const endings: Array<() => void> = [];
  try {
    return await askAll(
      hosts,
      settings,
      (_, finding) => progress.heard(finding),
      (stop) => endings.push(onSignals(stop, progress)),
    );
  } catch (error) {
    throw error instanceof StateError ? new CommandError(error.message, 1) : error;
  } finally {
    endings.forEach((end) => end());
    progress.clear();
  }
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
  private others = 0;
  private readonly isShown = process.stderr.isTTY === true;

  public constructor(private readonly all: number) {
    this.show();
  }

  public heard({ agrees }: Finding): void {
    this.asked += 1;
    this.others += Number(!agrees);
    this.show();
  }

  public clear(): void {
    if (this.isShown) {
      process.stderr.write("\r\u001b[K");
    }
  }

  private show(): void {
    if (this.isShown) {
      process.stderr.write(`\r\u001b[K${messages.progress(this.asked, this.all, this.others)}`);
    }
  }
}

function written(report: Report, { json, junit }: StatusOptions): string {
  if (json === true) {
    return `${JSON.stringify(report, undefined, 2)}\n`;
  }
  const { NO_COLOR, TERM } = process.env;
  return junit === true
    ? toJunit(report)
    : toTable(report, process.stdout.isTTY === true && (NO_COLOR ?? "") === "" && TERM !== "dumb");
}

/** An option that would do nothing is a mistake. */
function checkOnlyLive(command: Command, { live }: StatusOptions): void {
  const names = ["also", "user", "identity", "sshConfig", "sshOption", "concurrency", "timeout", "probePorts", "probe"];
  const given = command.options
    .filter((option) => names.includes(option.attributeName()))
    .filter((option) => command.getOptionValueSource(option.attributeName()) === "cli")
    .map((option) => option.long as string);
  if (live !== true && given.length > 0) {
    throw new CommandError(messages.onlyLive(given), 1);
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

function number(min: number, max: number): (value: string) => number {
  return (value) => {
    if (!/^[0-9]{1,9}$/.test(value) || Number(value) < min || Number(value) > max) {
      throw new InvalidArgumentError(messages.badNumber(min, max));
    }
    return Number(value);
  };
}

function portList(value: string): readonly number[] {
  const ports = value.split(",").map(number1To65535);
  if (ports.includes(0)) {
    throw new InvalidArgumentError(messages.badPorts());
  }
  return ports;
}

const number1To65535 = (text: string): number =>
  /^[1-9][0-9]{0,4}$/.test(text) && Number(text) < 65536 ? Number(text) : 0;
