/** YAML text as plain values, and the place of each, so that a problem is shown where a person will look for it. */
import { Composer, type CST, isScalar, Lexer, LineCounter, Parser } from "yaml";
import { type Found, MOST_PROBLEMS, type Problem, Problems } from "../input/problems";
import { fleetFileMessages } from "./fleet-file-messages";
import { Places } from "./yaml-nodes";
import { YamlReader } from "./yaml-reader";

/** A problem and where it is in the file; line and column count from 1. */
export interface PlacedProblem extends Problem {
  readonly line: number;
  readonly column: number;
}

export interface FoundInFile extends Found {
  readonly list: readonly PlacedProblem[];
}

/** Of collections in collections. What is deeper would exhaust the stack. */
const MOST_DEPTH = 100;
/** Of lexemes: memory and time grow with them. 100,000 hosts have fewer. */
const MOST_PARTS = 3_000_000;

export class YamlFile {
  /** What is wrong with the text as YAML, and with its use of YAML. */
  public readonly found: FoundInFile;
  /** What the text says: null where it is empty, undefined where the problems are such that it says nothing. */
  public readonly value: unknown;

  private readonly contents: unknown;
  private readonly places: Places;
  private readonly lines = new LineCounter();

  public constructor(text: string) {
    const { contents, mistakes } = compose(text, this.lines);
    const reader = new YamlReader(this.lines);
    const usage = new Problems();
    this.contents = contents;
    this.places = new Places(reader.targets);
    if (mistakes.length === 0) {
      const isEmpty = contents === null || (isScalar(contents) && contents.source === "");
      const value = isEmpty ? null : reader.read(contents, usage);
      this.value = reader.hasValue ? value : undefined;
    }
    const syntax = firstOfEachLine(mistakes.map(({ offset, message }) => this.placed(offset, { path: "", message })));
    this.found = {
      list: [...syntax.slice(0, MOST_PROBLEMS), ...usage.list.map((problem) => this.place(problem))],
      count: syntax.length + usage.count,
    };
  }

  /** A problem with the value, at the innermost part of its path that the file has. */
  public place(problem: Problem): PlacedProblem {
    return this.placed(this.places.find(this.contents, problem.path), problem);
  }

  private placed(offset: number, problem: Problem): PlacedProblem {
    const { line, col } = this.lines.linePos(offset);
    return { ...problem, line, column: col };
  }
}

/** What keeps a text from being one YAML document. */
interface Mistake {
  readonly offset: number;
  readonly message: string;
}

/** Thrown out of the parser, before it takes more memory. */
class OutOfBounds extends Error implements Mistake {
  public constructor(
    message: string,
    public readonly offset: number,
  ) {
    super(message);
  }
}

function compose(
  text: string,
  lines: LineCounter,
): { readonly contents?: unknown; readonly mistakes: readonly Mistake[] } {
  const composer = new Composer({
    prettyErrors: false,
    logLevel: "error",
    merge: true,
    stringKeys: true, // A host may be called 1.10, which is not 1.1.
    uniqueKeys: false, // Found by the reader, which knows the path.
  });
  try {
    const [first, second] = composer.compose(boundedTokens(text, lines), true, text.length);
    const { contents = null, errors = [], warnings = [] } = first ?? {};
    const mistakes = [...errors, ...warnings.filter(({ code }) => code === "BAD_DIRECTIVE")].map(
      ({ code, message, pos: [offset] }) => ({ offset, message: (SYNTAX[code] ?? fleetFileMessages.notYaml)(message) }),
    );
    return {
      contents,
      mistakes:
        second === undefined
          ? mistakes
          : [...mistakes, { offset: second.range[0], message: fleetFileMessages.severalDocuments() }],
    };
  } catch (error) {
    if (error instanceof OutOfBounds) {
      return { mistakes: [error] };
    }
    throw error;
  }
}

const SYNTAX: Readonly<Partial<Record<string, (reason: string) => string>>> = {
  BAD_DIRECTIVE: fleetFileMessages.directive,
  BAD_SCALAR_START: fleetFileMessages.needsQuotes,
  NON_STRING_KEY: fleetFileMessages.notAName,
  TAB_AS_INDENT: fleetFileMessages.tabIndent,
};

function* boundedTokens(text: string, lines: LineCounter): Generator<CST.Token> {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  let parts = 0;
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme);
    parts += 1;
    if (parser.stack.length > MOST_DEPTH) {
      throw new OutOfBounds(fleetFileMessages.tooDeep(MOST_DEPTH), parser.offset);
    }
    if (parts > MOST_PARTS) {
      throw new OutOfBounds(fleetFileMessages.tooManyParts(MOST_PARTS), parser.offset);
    }
  }
  yield* parser.end();
}

/** One mistake makes the parser stumble several times. */
function firstOfEachLine(problems: readonly PlacedProblem[]): readonly PlacedProblem[] {
  const lines = new Set<number>();
  return problems.filter(({ line }) => !lines.has(line) && lines.add(line));
}
