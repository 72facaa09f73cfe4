/** `init`: the files that are a whole project. */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { type Command, Option } from "commander";
import { CommandError } from "./errors";
import { packageFolder } from "./package";
import { collect } from "./option-values";
import { type StarterHost, starterHost, withHosts } from "./starter-hosts";
import { type Cli, CLIS, defaultCli, dependenciesOf, starterPackage } from "./starter-package";

const FILES = ["cdktf.json", "fleet.yaml"] as const;
/** Written only where there is none: a project may have one. */
const PACKAGE = "package.json";

const EXAMPLES = `
Examples:
  $ ssh-only-firewall init                here
  $ ssh-only-firewall init old-servers    in a directory, which is created if needed
  $ ssh-only-firewall init --cli cdktn    for the command line of CDK Terrain
  $ ssh-only-firewall init --host web-1=192.0.2.10 --host ops@192.0.2.11:2222 --pin
`;

interface InitOptions {
  readonly cli?: Cli;
  readonly host?: readonly StarterHost[];
  readonly pin?: boolean;
}

export function addInit(program: Command): void {
  program
    .command("init")
    .summary("write a cdktf.json, a fleet.yaml and a package.json to start from")
    .description(
      "Write a cdktf.json, a commented fleet.yaml, and a package.json with exact versions: a whole project, without a line of " +
        "code. A package.json that is there is left as it is.",
    )
    .argument("[DIRECTORY]", "where to write them", ".")
    .addOption(
      new Option(
        "--cli <NAME>",
        "the command line that runs the project (default: cdktn with Node 24 and later, otherwise cdktf)",
      ).choices(CLIS),
    )
    .addOption(
      new Option(
        "--host <HOST>",
        "a host of the fleet: [NAME=][USER@]ADDRESS[:PORT]; may be repeated (default: an example)",
      ).argParser(collect(starterHost)),
    )
    .option("--pin", "ask these hosts for their SSH host keys at once, as pin does, and write them as hostKey")
    .addHelpText("after", EXAMPLES)
    .action(start);
}

async function start(folder: string, { cli = defaultCli(), host: hosts = [], pin: pins }: InitOptions): Promise<void> {
  if (pins === true && hosts.length === 0) {
    throw new CommandError("--pin: needs hosts to ask; name them with --host", 1);
  }
  const files = init(folder, cli, await fleetFile(hosts));
  const fleet = join(folder, "fleet.yaml");
  process.stdout.write(nextSteps(files, folder, cli, { hasHosts: hosts.length > 0, pins: pins === true }));
  if (pins === true) {
    process.stdout.write("\n");
    const { pin } = await import("./pin-command.js");
    await pin(fleet, { concurrency: 20, timeout: 30 });
  }
}

async function fleetFile(hosts: readonly StarterHost[]): Promise<string> {
  const starter = readStarter("fleet.yaml");
  const made = hosts.length === 0 ? { text: starter } : await withHosts(starter, hosts);
  if ("problems" in made) {
    throw new CommandError([...made.problems, "Nothing was written."].join("\n"), 1);
  }
  return made.text;
}

const readStarter = (file: string): string => readFileSync(join(packageFolder(), "examples", "starter", file), "utf8");

function nextSteps(
  files: readonly string[],
  folder: string,
  cli: Cli,
  { hasHosts, pins }: { readonly hasHosts: boolean; readonly pins: boolean },
): string {
  const hasOwn = files.length === FILES.length;
  const run = hasOwn ? `npx ${cli}` : "npm run";
  const step = (command: string, why: string): string => `  ${command.padEnd(30)}  ${why}`;
  const versions = Object.entries(dependenciesOf(cli)).map(([name, version]) => `${name}@${version}`);
  const install = hasOwn ? `npm install --save-exact ${versions.join(" ")}` : "npm install";
  return [
    `Wrote ${files.slice(0, -1).join(", ")} and ${files.at(-1)}.`,
    "",
    `Name ${hasHosts ? "" : "your hosts in fleet.yaml, and "}in allowFrom ${hasHosts ? "of fleet.yaml " : ""}the addresses that you log in from. Then run`,
    "",
    ...(folder === "." ? [] : [`  cd ${folder}`]),
    `  ${install}`,
    ...(pins
      ? []
      : [step("npx ssh-only-firewall pin", "to write their SSH host keys into fleet.yaml; compare the fingerprints")]),
    step("npx ssh-only-firewall check", "to ask every host whether it could be locked; this changes nothing"),
    step(`${run} diff`, "to see what the deploy would do"),
    step(`${run} deploy`, "to record what a lock would deny, as fleet.yaml has mode: observe"),
    step("npx ssh-only-firewall report", "days later, to see who still uses each host"),
    step(`${run} deploy`, "without mode: observe, to lock the hosts"),
    "",
  ].join("\n");
}

/** Writes all files or none, and never over another; returns their paths. */
function init(folder: string, cli: Cli, fleet: string): readonly string[] {
  const paths = FILES.map((file) => join(folder, file));
  const existing = paths.filter((path) => existsSync(path));
  if (existing.length > 0) {
    throw new CommandError(
      `${existing.join(" and ")} ${existing.length === 1 ? "exists" : "exist"} already, and nothing was written; ` +
        "choose another directory, or move them away",
      1,
    );
  }
  const starter = FILES.map((file): [string, string] => [
    join(folder, file),
    file === "fleet.yaml" ? fleet : readStarter(file),
  ]);
  if (!existsSync(join(folder, PACKAGE))) {
    starter.push([join(folder, PACKAGE), starterPackage(cli)]);
  }
  const written: string[] = [];
  try {
    makeFolder(folder, written);
    starter.forEach(([path, content]) => writeNew(path, content, written));
    return starter.map(([path]) => path);
  } catch (error) {
    written.reverse().forEach(remove);
    const reason = (error as Error).message;
    throw new CommandError(`${folder}: ${reason}; nothing was written; choose a directory that you may write to`, 1);
  }
}

function writeNew(path: string, content: string, made: string[]): void {
  const file = openSync(path, "wx");
  made.push(path);
  try {
    writeFileSync(file, content);
  } finally {
    closeSync(file);
  }
}

/** With those above it, each noted in `made`. Not left to mkdirSync, which never comes back from /proc. */
function makeFolder(folder: string, made: string[]): void {
  if (!existsSync(folder)) {
    makeFolder(dirname(folder), made);
    mkdirSync(folder);
    made.push(folder);
  }
}

function remove(path: string): void {
  (statSync(path).isDirectory() ? rmdirSync : unlinkSync)(path);
}
