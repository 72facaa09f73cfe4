/** The forms in which a command prints what it found. */

export interface Format<T> {
  readonly help: string;
  /** Whether `--NAME` stands for `--format NAME`. */
  readonly hasShortForm?: boolean;
  /** @param isExplained of forms that can be shorter: whether all is asked for */
  readonly print: (found: T, isExplained?: boolean) => string;
}

/** By the name for `--format`; the first one is the default. */
export type Formats<T> = Readonly<Record<string, Format<T>>>;

export const printJson = (found: unknown): string => `${JSON.stringify(found, undefined, 2)}\n`;
