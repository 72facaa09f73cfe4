/** The commands in a block of shell, as far as the manual writes shell: words, quotes, pipes, redirections, comments. */

export interface ShellCommand {
  readonly words: readonly string[];
  /** The file that its output goes to. */
  readonly into: string | undefined;
}

/** Commands that read from one another, in their order. */
export type Pipeline = readonly ShellCommand[];

type Token = { readonly word: string } | { readonly operator: string };

const TOKENS =
  /(?<blank>(?:[ \t]|\\\n)+)|(?<comment>#[^\n]*)|(?<operator>\n|;|&&|\|\|?|>>?|<\(|\))|(?<word>(?:'[^']*'|"(?:[^"\\]|\\.)*"|\\.|[^\s;|>()&'"\\<])+)/sy;

export function pipelinesOf(code: string): Pipeline[] {
  const found: Pipeline[] = [];
  let commands: ShellCommand[] = [];
  let words: string[] = [];
  let into: string | undefined;
  let isFile = false;
  const endCommand = (): void => {
    if (words.length > 0) {
      commands.push({ words, into });
    }
    [words, into] = [[], undefined];
  };
  for (const token of [...tokensOf(code), { operator: "\n" }]) {
    if ("word" in token) {
      into = isFile ? token.word : into;
      words = isFile ? words : [...words, token.word];
      isFile = false;
    } else if (token.operator.startsWith(">")) {
      isFile = true;
    } else {
      endCommand();
      if (token.operator !== "|" && commands.length > 0) {
        found.push(commands);
        commands = [];
      }
    }
  }
  return found;
}

function tokensOf(code: string): Token[] {
  const pattern = new RegExp(TOKENS);
  const found: Token[] = [];
  while (pattern.lastIndex < code.length) {
    const at = pattern.lastIndex;
    const { operator, word } = pattern.exec(code)?.groups ?? {};
    if (pattern.lastIndex === 0) {
      throw new Error(`The shell in this block is not of the kind that the manual writes: ${code.slice(at)}`);
    }
    if (operator !== undefined || word !== undefined) {
      found.push(operator === undefined ? { word: unquoted(word ?? "") } : { operator });
    }
  }
  return found;
}

const unquoted = (word: string): string =>
  word.replace(
    /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)/gs,
    (_, single: string | undefined, double: string | undefined, escaped: string | undefined) =>
      single ?? double?.replace(/\\(["\\$`])/g, "$1") ?? escaped ?? "",
  );
