/** Reading what other commands printed: plans and reports. */
import { UnreadableError } from "../input/json";
import { type KeptReport, readKeptReport } from "../input/kept-report";
import { readFileOrStandardInput } from "../input/standard-input";
import { StateError } from "../state/state-error";
import { CommandError } from "./errors";

/** What `report --json` printed. */
export function keptReport(file: string): KeptReport {
  const place = placeOf(file);
  const remedy = "give the file that report --json was written to";
  const content = attempt(place, () => readFileOrStandardInput(file), remedy);
  if (content === undefined) {
    throw new CommandError(`standard input is a terminal; ${remedy}`, 1);
  }
  return readable(place, () => readKeptReport(content));
}

export const placeOf = (file: string): string => (file === "-" ? "standard input" : file);

export function readable<T>(place: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof StateError) {
      throw new CommandError(error.message, 1);
    }
    throw error instanceof UnreadableError ? new CommandError(`${place}: ${error.message}`, 1) : error;
  }
}

export function attempt<T>(place: string, action: () => T, remedy: string): T {
  try {
    return action();
  } catch (error) {
    throw new CommandError(`${place}: ${(error as Error).message}; ${remedy}`, 1);
  }
}
