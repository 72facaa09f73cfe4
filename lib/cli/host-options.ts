/** The options of the commands that ask hosts. */
import { type Command, Option } from "commander";
import type { ReachSettings } from "../ssh/reach";
import type { NamedHost } from "../state/named-hosts";
import { collect, existingFile, namedHost, number, sshOption } from "./option-values";

export interface ReachOptions {
  readonly user?: string;
  readonly identity?: string;
  readonly sshConfig?: string;
  readonly sshOption?: readonly string[];
  readonly concurrency: number;
  readonly timeout: number;
}

export interface HostOptions extends ReachOptions {
  readonly fleet?: string;
  readonly also?: readonly NamedHost[];
}

export const STATE_ARGUMENT = ["[STATE]", "a directory, a file, or - for standard input", "."] as const;

export const STATE_HELP = `
STATE is the directory of a stack, in which terraform show -json is run; or a file with what terraform show -json,
terraform state pull or terraform output -json prints; or - for standard input.
`;

/** How hosts are reached, whoever names them. */
export function addReachOptions(command: Command): Command {
  return command
    .option("--user <USER>", "the user to log in as (default: from the state, or ~/.ssh/config)")
    .addOption(new Option("--identity <FILE>", "the private key, for hosts and bastions").argParser(existingFile))
    .addOption(new Option("--ssh-config <FILE>", "instead of ~/.ssh/config").argParser(existingFile))
    .addOption(
      new Option("--ssh-option <NAME=VALUE>", "an option for ssh -o, for bastions too; may be repeated").argParser(
        collect(sshOption),
      ),
    )
    .addOption(
      new Option("--concurrency <COUNT>", "how many hosts to ask at a time").default(20).argParser(number(1, 1000)),
    )
    .addOption(
      new Option("--timeout <SECONDS>", "how long to wait for the answer of a host")
        .default(30)
        .argParser(number(1, 3600)),
    );
}

export function addHostOptions(command: Command): Command {
  command
    .option("--fleet <FILE>", "a fleet file: the hosts that should be locked, and how to reach each")
    .addOption(
      new Option(
        "--also <HOST>",
        "a host that the state may not have: [USER@]ADDRESS[:PORT]; may be repeated",
      ).argParser(collect(namedHost)),
    );
  return addReachOptions(command);
}

export function reachSettings(options: ReachOptions): ReachSettings {
  const { user, identity, sshConfig, sshOption: more = [], concurrency, timeout } = options;
  return {
    user,
    identity,
    config: sshConfig,
    options: more,
    concurrency,
    timeoutSeconds: timeout,
    connectSeconds: Math.min(10, timeout),
  };
}
