/** Collects what is wrong with an input, each problem with its place, so that a person hears of all of them at once. */

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

export class Problems {
  private readonly collected: Problem[];

  /** @param here the place that the paths given to `add` and `at` start from. */
  public constructor(
    private readonly here: string = "",
    parent?: Problems,
  ) {
    this.collected = parent?.collected ?? [];
  }

  /** Everything collected so far, also through the parent and its other children. */
  public get list(): readonly Problem[] {
    return this.collected;
  }

  public get isEmpty(): boolean {
    return this.collected.length === 0;
  }

  /** Adds a problem at `path` below this place; an empty path is this place itself. */
  public add(path: string, message: string): void {
    this.collected.push({ path: join(this.here, path), message });
  }

  /** The same collection, seen from a place further down: `at("allowFrom").at("[2]")`. */
  public at(path: string): Problems {
    return new Problems(join(this.here, path), this);
  }

  /** One line a problem. */
  public lines(): string[] {
    return this.collected.map(describeProblem);
  }

  public throwIfAny(what: string): void {
    if (!this.isEmpty) {
      throw new InvalidInputError(what, this.collected);
    }
  }
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
