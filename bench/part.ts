/** What a part of the benchmark is, and what it has to tell. */

/** Something that must hold, and what was found. */
export interface Demand {
  readonly what: string;
  readonly measured: string;
  readonly holds: boolean;
}

/** What RESULTS.md says of a part. */
export interface Section {
  readonly title: string;
  readonly demands: readonly Demand[];
  /** Markdown. */
  readonly lines: readonly string[];
}

export interface Part {
  readonly name: string;
  /** What it is, for those who choose. */
  readonly about: string;
  /** Commands that it needs besides the lab's, each as COMMAND=PACKAGE. */
  readonly needs?: readonly string[];
  run(): Promise<Section>;
}

/** A demand that a number is at most a bound. */
export function atMost(what: string, value: number, bound: number, unit = ""): Demand {
  return { what, measured: `${shown(value)}${unit}`, holds: value <= bound };
}

/** A demand that a number is at least a bound. */
export function atLeast(what: string, value: number, bound: number, unit = ""): Demand {
  return { what, measured: `${shown(value)}${unit}`, holds: value >= bound };
}

/** Three digits, or all of those before the point. */
export function shown(value: number): string {
  return Math.abs(value) >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}

/** For scripts: 0 when every part was measured and every demand holds, 2 when one does not hold, 1 when a part failed. */
export function exitCodeOf(sections: ReadonlyArray<Section | undefined>): number {
  if (sections.includes(undefined)) {
    return 1;
  }
  return sections.every((section) => section?.demands.every(({ holds }) => holds)) ? 0 : 2;
}

/** A Markdown table. */
export function table(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string[] {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
}
