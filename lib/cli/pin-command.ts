/** `pin`: asks every host of a fleet file for its key, and writes it there. */
import { readFileSync, writeFileSync } from "node:fs";
import type { Command } from "commander";
import { columns } from "../output/columns";
import { count, plain } from "../output/text";
import { askForKeys, fingerprintOf, type FoundKey } from "../ssh/host-keys";
import { unknownHost } from "../state/hosts";
import { withProgress } from "./ask-hosts";
import { CommandError, endWith1OnWrongUsage } from "./errors";
import { addReachOptions, reachSettings, type ReachOptions } from "./host-options";
import { declaredIn } from "./hosts";
import { collect } from "./option-values";

interface PinOptions extends ReachOptions {
  readonly update?: readonly string[];
}

const HELP = `
Every host is asked over ssh, with ~/.ssh/config, without logging in. A bastion's key must be known already. Before you deploy,
compare the fingerprints with what the hosts themselves print (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub): this command
believes whoever answers. The rest of the file stays as it is.

Exit codes:
  0  every host has the key that it answered with
  2  at least one did not answer, has another key than the file, or has to be written by hand
  1  the fleet file could not be read or written, or the command line is wrong

Examples:
  $ ssh-only-firewall pin
  $ ssh-only-firewall pin fleet.yaml --update web-1
`;

export function addPin(program: Command): void {
  const command = program
    .command("pin")
    .summary("write the hosts' keys into the fleet file")
    .description(
      "Ask every host of a fleet file for its SSH host key, show the fingerprints, and write them as hostKey.",
    )
    .argument("[FILE]", "the fleet file", "fleet.yaml")
    .option("--update <HOST>", "take the new key of a host that has another one; may be repeated", collect(String));
  addReachOptions(command).addHelpText("after", HELP).action(pin);
  endWith1OnWrongUsage(command, "");
}

type Outcome = "pinned" | "as in the file" | "CHANGED" | "not reached" | "by hand";

export async function pin(file: string, options: PinOptions): Promise<void> {
  const declared = await declaredIn(file);
  const text = readFileSync(file, "utf8");
  const unknown = (options.update ?? []).find((name) => !declared.some(({ key }) => key === name));
  if (unknown !== undefined) {
    throw new CommandError(
      `--update: ${plain(JSON.stringify(unknown))} is not a host of ${file}; name one that is.`,
      1,
    );
  }
  const hosts = declared.map((host) => ({ ...unknownHost(host.key, "declared"), ...host }));
  const found = await withProgress<FoundKey>(
    { count: hosts.length, isNotable: ({ key }) => key === undefined, notableAs: "not reached" },
    (visit) => askForKeys(hosts, reachSettings(options), visit),
  );
  const judged = found.map((one) => ({ ...one, outcome: outcomeOf(one, options.update ?? []) }));
  const keys = judged.flatMap(({ host, key, outcome }) =>
    outcome === "pinned" && key !== undefined ? [[host.key, key] as const] : [],
  );
  const { withPins } = await import("../fleet/pins.js");
  const pins = withPins(text, new Map(keys));
  if (pins.written.length > 0) {
    if (readFileSync(file, "utf8") !== text) {
      throw new CommandError(`${file} was changed while the hosts were asked; nothing was written. Run pin again.`, 1);
    }
    writeFileSync(file, pins.text);
  }
  const byHand = new Set(pins.byHand);
  show(
    file,
    judged.map((one) => (byHand.has(one.host.key) ? { ...one, outcome: "by hand" as const } : one)),
  );
}

/** Type and value, without the comment behind them. */
const bare = (key: string): string => key.trim().split(/\s+/).slice(0, 2).join(" ");

function outcomeOf({ host, key }: FoundKey, update: readonly string[]): Outcome {
  const { hostKey } = host.connection;
  if (key === undefined) {
    return "not reached";
  }
  if (hostKey === undefined || update.includes(host.key)) {
    return hostKey !== undefined && bare(hostKey) === key ? "as in the file" : "pinned";
  }
  return bare(hostKey) === key ? "as in the file" : "CHANGED";
}

function show(file: string, judged: ReadonlyArray<FoundKey & { readonly outcome: Outcome }>): void {
  const rows = judged.map(({ host, key, why, outcome }) => [
    plain(host.key),
    outcome,
    key === undefined ? plain(why) : `${fingerprintOf(key)} ${key.split(" ")[0]}`,
  ]);
  const bastions = judged.filter(
    ({ host, outcome }) => outcome === "pinned" && host.connection.bastionHost !== undefined,
  );
  const notes = judged.flatMap(({ host, key, outcome }) => {
    if (outcome === "CHANGED") {
      return [
        `${plain(host.key)} has another key than ${file}. If the host was installed anew, run: ssh-only-firewall pin ${file} --update ${plain(host.key)}`,
      ];
    }
    return outcome === "by hand"
      ? [`${plain(host.key)}: its entry shares its text with others. Write into its connection: hostKey: ${key}`]
      : [];
  });
  if (bastions.length > 0) {
    notes.push(
      `${count(bastions.length, "host is", "hosts are")} behind a bastion. There, Terraform before 1.15 and OpenTofu fail with a hostKey: with those, take it out again.`,
    );
  }
  process.stdout.write([...columns(rows), ...notes].map((line) => `${line}\n`).join(""));
  if (judged.some(({ outcome }) => outcome !== "pinned" && outcome !== "as in the file")) {
    throw new CommandError("", 2);
  }
}
