/** YAML text as plain values, and the place of each, so that a problem is shown where a person will look for it. */
import { type Document, isScalar, isSeq, LineCounter, parseDocument, type YAMLError } from "yaml";
import { type Problem, Problems } from "../input/problems";
import { messages } from "./messages";
import { Aliases, offsetOf, type Step, stepsOf } from "./yaml-nodes";
import { checkUsage } from "./yaml-usage";

/** A problem and where it is in the file; line and column count from 1. */
export interface PlacedProblem extends Problem {
  readonly line: number;
  readonly column: number;
}

export class YamlFile {
  /** What is wrong with the text as YAML, and with its use of YAML. */
  public readonly problems: readonly PlacedProblem[];
  /** What the text says: null where it is empty, undefined where the problems are such that it says nothing. */
  public readonly value: unknown;

  private readonly document: Document;
  private readonly aliases: Aliases;
  private readonly lines = new LineCounter();

  public constructor(text: string) {
    this.document = parseDocument(text, {
      lineCounter: this.lines,
      prettyErrors: false,
      logLevel: "error",
      merge: true,
      stringKeys: true, // A host may be called 1.10, which is not 1.1.
      uniqueKeys: false, // Found by checkUsage, which knows the path.
    });
    this.aliases = new Aliases(this.document);
    const { contents, errors, warnings } = this.document;
    const syntax = [...errors, ...warnings.filter(({ code }) => code === "BAD_DIRECTIVE")];
    if (syntax.length > 0) {
      this.problems = firstOfEachLine(syntax.map((error) => this.syntaxProblem(error)));
    } else if (contents === null || (isScalar(contents) && contents.source === "")) {
      this.problems = [];
      this.value = null;
    } else {
      const usage = new Problems();
      const hasValue = checkUsage(this.document, this.aliases, this.lines, usage);
      this.problems = usage.list.map((problem) => this.place(problem));
      this.value = hasValue ? this.document.toJS({ maxAliasCount: -1 }) : undefined;
    }
  }

  /** A problem with the value, at the innermost part of its path that the file has. */
  public place(problem: Problem): PlacedProblem {
    return this.placed(this.find(this.document.contents, problem.path), problem);
  }

  private placed(offset: number, problem: Problem): PlacedProblem {
    const { line, col } = this.lines.linePos(offset);
    return { ...problem, line, column: col };
  }

  private syntaxProblem(error: YAMLError): PlacedProblem {
    const message = SYNTAX[error.code]?.(error.message) ?? messages.notYaml(error.message);
    return this.placed(error.pos[0], { path: "", message });
  }

  private find(node: unknown, path: string, offset = offsetOf(node)): number {
    // The longest name that fits, for names may have dots; and of these the last, which wins.
    const step = this.reachable(node)
      .filter(({ place }) => leadsTo(place, path))
      .reduce<Step | undefined>((best, one) => (best && best.place.length > one.place.length ? best : one), undefined);
    return step === undefined ? offset : this.find(step.node, after(step.place, path), step.offset);
  }

  /** What a collection holds, also through aliases and `<<`; its own come last. */
  private reachable(node: unknown, around: readonly unknown[] = []): readonly Step[] {
    const collection = this.aliases.follow(node);
    if (around.includes(collection)) {
      return [];
    }
    const own = stepsOf(collection);
    const merged = own
      .filter(({ isMerge }) => isMerge)
      .flatMap((step) => this.sourcesOf(step.node))
      .flatMap((source) => this.reachable(source, [...around, collection]));
    return [...merged, ...own];
  }

  /** What a `<<` takes in, the first of several last, because it wins. */
  private sourcesOf(node: unknown): readonly unknown[] {
    const source = this.aliases.follow(node);
    return isSeq(source) ? source.items.toReversed() : [source];
  }
}

const SYNTAX: Readonly<Partial<Record<string, (reason: string) => string>>> = {
  BAD_DIRECTIVE: messages.directive,
  BAD_SCALAR_START: messages.needsQuotes,
  MULTIPLE_DOCS: messages.severalDocuments,
  NON_STRING_KEY: messages.notAName,
  TAB_AS_INDENT: messages.tabIndent,
};

/** One mistake makes the parser stumble several times. */
function firstOfEachLine(problems: readonly PlacedProblem[]): readonly PlacedProblem[] {
  return problems.filter(({ line }, index) => problems.findIndex((other) => other.line === line) === index);
}

function leadsTo(place: string, path: string): boolean {
  return path.startsWith(place) && /^([.[]|$)/.test(path.slice(place.length));
}

function after(place: string, path: string): string {
  return path.slice(place.length).replace(/^\./, "");
}
