/** Lists of sources: read from what a user gave, and brought into the one form that the rules are written from. */
import { Token } from "../framework/framework";
import type { Problems } from "../input/problems";
import { parseList } from "../input/values";
import { addressMessages } from "./address-messages";
import { policyMessages } from "./policy-messages";
import { AllowedSource } from "./source";

/** A list of sources, each checked; `whenEmpty` is the problem with a list that has none. */
export function parseSources(
  value: unknown,
  whenEmpty: string,
  problems: Problems,
): readonly AllowedSource[] | undefined {
  if (Token.isUnresolved(value)) {
    problems.add("", Array.isArray(value) ? addressMessages.tokenList() : addressMessages.tokenWithoutFamily());
    return undefined;
  }
  const items = parseList(value, problems);
  if (items?.length === 0) {
    problems.add("", whenEmpty);
    return undefined;
  }
  const sources = items?.map((item, index) => AllowedSource.parse(item, problems.at(`[${index}]`)));
  return sources?.every((source) => source !== undefined) ? normalised(sources) : undefined;
}

/** One multicast group, or a list of them. */
export function parseGroups(value: unknown, problems: Problems): readonly AllowedSource[] | undefined {
  if (typeof value === "string") {
    const group = AllowedSource.parseGroup(value, problems);
    return group && normalised([group]);
  }
  const items = parseList(value, problems);
  if (items?.length === 0) {
    problems.add("", policyMessages.noGroup());
    return undefined;
  }
  const groups = items?.map((item, index) => AllowedSource.parseGroup(item, problems.at(`[${index}]`)));
  return groups?.every((group) => group !== undefined) ? normalised(groups) : undefined;
}

/** Sorted, without duplicates, and without what another source in the list covers anyway. */
export function normalised(sources: readonly AllowedSource[]): readonly AllowedSource[] {
  const needed: AllowedSource[] = [];
  // Two ranges overlap only if one contains the other, and the wider one comes first: if the last one kept does not cover a
  // source, no other does.
  for (const source of [...sources].sort(AllowedSource.compare)) {
    if (!needed.at(-1)?.covers(source)) {
      needed.push(source);
    }
  }
  return Object.freeze(needed);
}
