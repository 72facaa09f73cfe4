/** Collects what is wrong with an input, each problem with its place, so that a person sees all of them at once. */

export interface Problem {
  /** Where, in the user's own words: `hosts.web-1.allowFrom[2]`. Empty when the input is a single value. */
  readonly path: string;
  /** What is wrong with the value there, and what to do. */
  readonly message: string;
}

/** Thrown by whatever checks a value on its own, outside of a synth that could collect problems. */
export class InvalidInputError extends Error {
  public constructor(
    what: string,
    public readonly problems: readonly Problem[],
  ) {
    super(`${what}: ${problems.map(describeProblem).join("\n")}`);
    this.name = "InvalidInputError";
  }
}

export function describeProblem(problem: Problem): string {
  return problem.path === "" ? problem.message : `${problem.path}: ${problem.message}`;
}

/** More are counted, but neither kept nor shown. */
export const MOST_PROBLEMS = 100;

/** What was found to be wrong. */
export interface Found {
  /** Of very many problems, the first. */
  readonly list: readonly Problem[];
  /** All of them. */
  readonly count: number;
}

export class Problems implements Found {
  private readonly collected: { readonly list: Problem[]; count: number };

  /** @param here the place that the paths given to `add` and `at` start from. */
  public constructor(
    private readonly here: string = "",
    parent?: Problems,
  ) {
    this.collected = parent?.collected ?? { list: [], count: 0 };
  }

  /** Also what was added through the parent and its other children. */
  public get list(): readonly Problem[] {
    return this.collected.list;
  }

  public get count(): number {
    return this.collected.count;
  }

  public get isEmpty(): boolean {
    return this.collected.count === 0;
  }

  /** Adds a problem at `path` below this place (empty: this place itself). A message that takes time is a function. */
  public add(path: string, message: string | (() => string)): void {
    const { list } = this.collected;
    this.collected.count += 1;
    if (list.length < MOST_PROBLEMS) {
      list.push({ path: join(this.here, path), message: typeof message === "string" ? message : message() });
    }
  }

  /** The same collection, seen from a place further down: `at("allowFrom").at("[2]")`. */
  public at(path: string): Problems {
    return new Problems(join(this.here, path), this);
  }

  /** One line a problem. */
  public lines(): string[] {
    return withRest(this).map(describeProblem);
  }

  public throwIfAny(what: string): void {
    if (!this.isEmpty) {
      throw new InvalidInputError(what, withRest(this));
    }
  }
}

/** The problems, and last how many more there are. */
export function withRest({ list, count }: Found): readonly Problem[] {
  const rest = count - list.length;
  return rest === 0 ? list : [...list, { path: "", message: `and ${rest} more problems; fix these first` }];
}

/** Runs a parser that collects problems, for a caller that has nowhere to collect them. */
export function parseOrThrow<T>(what: string, parse: (problems: Problems) => T | undefined): T {
  const problems = new Problems();
  const value = parse(problems);
  problems.throwIfAny(what);
  return value as T;
}

function join(place: string, below: string): string {
  const separator = place === "" || below === "" || below.startsWith("[") ? "" : ".";
  return place + separator + below;
}
