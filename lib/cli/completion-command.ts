/** `completion`: the completion of this command line, for bash, zsh and fish, made from its commands and options. */
import { Argument, Command, type Option } from "commander";
import { shellWord } from "../output/shell-word";

const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];
const NAME = "ssh-only-firewall";

const HELP = `
Examples:
  $ ssh-only-firewall completion bash > /etc/bash_completion.d/ssh-only-firewall
  $ source <(ssh-only-firewall completion zsh)
  $ ssh-only-firewall completion fish > ~/.config/fish/completions/ssh-only-firewall.fish
`;

/** @param addAll adds all other commands to a program */
export function addCompletion(program: Command, addAll: (to: Command) => void): void {
  program
    .command("completion")
    .summary("print the completion for a shell")
    .description("Print the completion of commands, options and their choices for a shell.")
    .addArgument(new Argument("<SHELL>", "the shell").choices(SHELLS))
    .addHelpText("after", HELP)
    .action((shell: Shell) => {
      const all = new Command(NAME).helpCommand(true);
      addAll(all);
      process.stdout.write((shell === "fish" ? fish : shell === "zsh" ? zsh : bash)(all.commands));
    });
}

const longNames = (command: Command): readonly string[] => [
  ...command.options.flatMap(({ long }) => long ?? []),
  "--help",
];

const valuesOf = ({ argChoices }: Option): readonly string[] => argChoices ?? [];

function bash(commands: readonly Command[]): string {
  const choices = commands.flatMap((command) =>
    command.options
      .filter((option) => valuesOf(option).length > 0)
      .map((option) => `    ${command.name()}:${option.long}) words=${shellWord(valuesOf(option).join(" "))} ;;`),
  );
  const options = commands.map(
    (command) => `    ${command.name()}:*) words=${shellWord(longNames(command).join(" "))} ;;`,
  );
  return `_ssh_only_firewall() {
  local words current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" command="\${COMP_WORDS[1]}"
  if [ "$COMP_CWORD" -eq 1 ]; then
    words=${shellWord([...commands.map((one) => one.name()), "--help", "--version"].join(" "))}
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    return
  fi
  case "$command:$previous" in
${choices.join("\n")}
${options.join("\n")}
  esac
  case "$current:$words" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
    *:--*) COMPREPLY=($(compgen -f -- "$current")) ;;
    *) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
  esac
}
complete -o filenames -F _ssh_only_firewall ${NAME}
`;
}

const zsh = (commands: readonly Command[]): string => `autoload -U +X bashcompinit && bashcompinit\n${bash(commands)}`;

function fish(commands: readonly Command[]): string {
  const line = (...words: readonly string[]): string => `complete -c ${NAME} ${words.join(" ")}\n`;
  const names = commands.map((command) =>
    line("-n __fish_use_subcommand", "-f", `-a ${command.name()}`, `-d ${quoted(command.summary())}`),
  );
  const options = commands.flatMap((command) =>
    command.options.map((option) => {
      const values = valuesOf(option);
      const value = values.length > 0 ? `-x -a ${quoted(values.join(" "))}` : option.required ? "-r" : "";
      const when = quoted(`__fish_seen_subcommand_from ${command.name()}`);
      return line(`-n ${when}`, `-l ${(option.long ?? "").slice(2)}`, value, `-d ${quoted(option.description)}`);
    }),
  );
  return [...names, ...options].join("");
}

/** fish knows two escapes in single quotes. */
const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
