/** The forms in which a command prints what it found. */

export interface Format<T> {
  readonly help: string;
  /** Whether `--NAME` stands for `--format NAME`. */
  readonly hasShortForm?: boolean;
  readonly print: (found: T) => string;
}

/** By the name for `--format`; the first one is the default. */
export type Formats<T> = Readonly<Record<string, Format<T>>>;

export const printJson = (found: unknown): string => `${JSON.stringify(found, undefined, 2)}\n`;
