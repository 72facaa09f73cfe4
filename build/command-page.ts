/** docs/commands.md, from the help of the command line. `npm run commands` writes it; a test compares it with the help. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command, type Option } from "commander";
import { COMMANDS } from "../lib/cli/run";

/** Each is in one table for all commands that have it. */
const SHARED = ["--user", "--identity", "--ssh-config", "--ssh-option", "--concurrency", "--timeout"];

/** Parts of the help that the page repeats; the others are explained in pages of their own. */
const LISTS = /^(Thresholds|Exit codes.*):$/;

const ASKS = " It also has the options for [asking hosts](#asking-hosts).";

const HEAD = `# Commands

\`npx ssh-only-firewall COMMAND\`, in the directory of \`cdktf.json\`. \`--help\` prints what this page says, and more. A command that
lists no exit codes ends with 0 if it is done, 1 if it could not be done, and 2 on wrong usage.
\`source <(ssh-only-firewall completion bash)\` completes commands and options.
`;

/** All commands, with their help, as one program. */
export async function wholeProgram(): Promise<Command> {
  const program = new Command("ssh-only-firewall");
  for (const load of Object.values(COMMANDS)) {
    (await load())(program);
  }
  return program;
}

export function commandPage({ commands }: Command): string {
  const shared = commands.flatMap(({ options }) => options).filter(isShared);
  const one = SHARED.flatMap((flag) => shared.find(({ long }) => long === flag) ?? []);
  return [
    HEAD,
    ...commands.map(section),
    `## Asking hosts\n\nThe options of all commands that ask hosts over \`ssh\`:\n\n${table(one)}`,
  ].join("\n");
}

const isShared = ({ long }: Option): boolean => SHARED.includes(long ?? "");

function section(command: Command): string {
  const own = command.options.filter((option) => !isShared(option));
  const asks = command.options.some(isShared);
  const { lists, examples } = partsOf(afterHelp(command));
  return [
    `## ${command.name()}`,
    `\`ssh-only-firewall ${command.name()} ${command.usage()}\`  \n${command.description()}${asks ? ASKS : ""}`,
    ...(own.length === 0 ? [] : [table(own)]),
    ...lists,
    ...(examples.length === 0 ? [] : [`\`\`\`sh\n${examples.join("\n")}\n\`\`\``]),
    "",
  ].join("\n\n");
}

function table(options: readonly Option[]): string {
  const rows = options
    .filter((option) => !isShort(option))
    .map((option) => `| \`${option.flags}\` | ${cell(described(option))}${shortFormsOf(option, options)} |`);
  return ["| option | |", "| --- | --- |", ...rows, ""].join("\n").trimEnd();
}

const isShort = ({ description }: Option): boolean => description.startsWith("short for --format ");

function shortFormsOf({ long }: Option, options: readonly Option[]): string {
  const forms = options.filter((option) => long === "--format" && isShort(option)).map(({ flags }) => `\`${flags}\``);
  return forms.length === 0 ? "" : `; short: ${forms.join(", ")}`;
}

/** As commander's help has it. */
function described(option: Option): string {
  const choices =
    option.argChoices === undefined ? "" : ` (${option.argChoices.map((one) => `\`${one}\``).join(", ")})`;
  const isValue = option.defaultValue !== undefined && !option.negate && typeof option.defaultValue !== "boolean";
  const value = String(option.defaultValueDescription ?? option.defaultValue);
  return `${option.description.replace("; see below", "")}${choices}${isValue ? ` (default: ${value})` : ""}`;
}

/** Kinds and names stand in angle brackets and pipes, which Markdown would read. */
const cell = (text: string): string => text.replace(/[|<>*]/g, "\\$&");

/** What stands behind the options in the help. */
function afterHelp(command: Command): string {
  let text = "";
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text.slice(command.helpInformation().length);
}

function partsOf(text: string): { readonly lists: readonly string[]; readonly examples: readonly string[] } {
  const parts = text.split("\n\n").map((part) => part.trim().split("\n"));
  const lists = parts
    .filter(([title = ""]) => LISTS.test(title))
    .map(([title = "", ...lines]) => `${title} ${lines.map(item).join("; ")}.`);
  const [, ...examples] = parts.find(([title]) => title === "Examples:") ?? [];
  return {
    lists,
    examples: examples.map((line) =>
      line
        .replace(/^ {2}/, "")
        .replace(/^\$ (.*\S) {3,}(?=\S)/, "$1   # ")
        .replace(/^\$ /, ""),
    ),
  };
}

/** A row of two columns of the help. */
function item(line: string): string {
  const [, name = "", meaning = ""] = /^ +(\S+) +(.*)$/.exec(line) ?? [];
  return `\`${name}\` ${cell(meaning.replaceAll(";", ","))}`;
}

if (require.main === module) {
  void wholeProgram().then((program) => writeFileSync(join(__dirname, "../docs/commands.md"), commandPage(program)));
}
