/** Reading the JSON of a state. Absent and null are the same there: a value that is not known. */
import { isObject } from "../input/keys";
import { StateError, stateProblems } from "./state-error";

export type Json = Record<string, unknown>;

export function parseJson(text: string): unknown {
  if (text.trim() === "") {
    throw new StateError(stateProblems.empty());
  }
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch {
    // The error repeats a piece of the text.
    throw new StateError(stateProblems.notJson());
  }
}

export function object(value: unknown, place: string): Json {
  if (value === undefined || value === null) {
    return {};
  }
  return isObject(value) ? value : malformed(place);
}

export function list(value: unknown, place: string): readonly unknown[] {
  if (value === undefined || value === null) {
    return [];
  }
  return Array.isArray(value) ? value : malformed(place);
}

export function text(value: unknown, place: string): string {
  return typeof value === "string" ? value : malformed(place);
}

export function optionalText(value: unknown): string | undefined {
  return typeof value === "number" ? String(value) : typeof value === "string" && value !== "" ? value : undefined;
}

function malformed(place: string): never {
  throw new StateError(stateProblems.malformed(place));
}
