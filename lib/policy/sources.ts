/** Lists of sources: read from what a user gave, and brought into the one form that the rules are written from. */
import { Token } from "cdktf";
import { messages } from "../input/messages";
import type { Problems } from "../input/problems";
import { AllowedSource } from "./source";

/** A list of sources, each checked; `whenEmpty` is the problem with a list that has none. */
export function parseSources(
  value: unknown,
  whenEmpty: string,
  problems: Problems,
): readonly AllowedSource[] | undefined {
  if (Token.isUnresolved(value)) {
    problems.add("", Array.isArray(value) ? messages.tokenList() : messages.tokenWithoutFamily());
    return undefined;
  }
  if (!Array.isArray(value)) {
    problems.add("", messages.notAList(value));
    return undefined;
  }
  if (value.length === 0) {
    problems.add("", whenEmpty);
    return undefined;
  }
  // Array.from visits holes too, which would otherwise pass as sources.
  const sources = Array.from(value, (item, index) => AllowedSource.parse(item, problems.at(`[${index}]`)));
  return sources.every((source) => source !== undefined) ? normalised(sources) : undefined;
}

/** Sorted, without duplicates, and without what another source in the list covers anyway. */
export function normalised(sources: readonly AllowedSource[]): readonly AllowedSource[] {
  const distinct = [...new Map(sources.map((source) => [`${source.family} ${source.cidr}`, source])).values()];
  const needed = distinct.filter((source) => !distinct.some((other) => other !== source && other.covers(source)));
  return Object.freeze(needed.sort(AllowedSource.compare));
}
