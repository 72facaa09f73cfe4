/** What is wrong with a fleet file, in the forms of `validate`. */
import { describeProblem, withRest } from "../input/problems";
import { type Formats, printJson } from "../output/formats";
import { annotation } from "../output/github";
import { parseFleet } from "./fleet-file";
import { readText } from "./file-text";
import type { PlacedProblem } from "./yaml-file";

export interface Validated {
  readonly file: string;
  readonly problems: readonly PlacedProblem[];
  /** Also of those that are not listed. */
  readonly count: number;
}

export function validated(file: string): Validated {
  const { problems, count } = parseFleet(readText(file));
  return { file, problems, count };
}

const placeOf = ({ line, column }: PlacedProblem): string => `${line}:${column}`;

/** With one line for all that are not listed. */
const restOf = ({ problems, count }: Validated): readonly string[] =>
  withRest({ list: problems, count }).slice(problems.length).map(describeProblem);

export const VALIDATION_FORMATS: Formats<readonly Validated[]> = {
  text: {
    help: "a line for each problem, with its place (the default)",
    print: (files) =>
      files
        .flatMap((one) => [
          ...one.problems.map((problem) => `${one.file}:${placeOf(problem)}: ${describeProblem(problem)}\n`),
          ...restOf(one).map((rest) => `${one.file}: ${rest}\n`),
        ])
        .join(""),
  },
  github: {
    help: "annotations of GitHub Actions",
    print: (files) =>
      files
        .flatMap((one) => [
          ...one.problems.map((problem) =>
            annotation("error", { file: one.file, line: problem.line, col: problem.column }, describeProblem(problem)),
          ),
          ...restOf(one).map((rest) => annotation("error", { file: one.file }, rest)),
        ])
        .join(""),
  },
  json: {
    help: "for programs",
    hasShortForm: true,
    print: (files) =>
      printJson(
        files.map(({ file, problems, count }) => ({
          file,
          count,
          problems: problems.map(({ line, column, path, message }) => ({ line, column, path, message })),
        })),
      ),
  },
};
