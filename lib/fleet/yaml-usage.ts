/** Looks for what is YAML, but does not mean in it what a reader would think, or has no place in a fleet file. */
import { Token } from "cdktf";
import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type LineCounter } from "yaml";
import type { Problems } from "../input/problems";
import { messages } from "./messages";
import { type Aliases, stepsOf } from "./yaml-nodes";

/** Adds what it finds; false when tags, aliases or merges are such that the document has no value. */
export function checkUsage(document: Document, aliases: Aliases, lines: LineCounter, problems: Problems): boolean {
  let hasValue = true;
  const refuse = (place: Problems, message: string): void => {
    hasValue = false;
    place.add("", message);
  };

  const visit = (node: unknown, place: Problems, around: readonly unknown[]): void => {
    if (isAlias(node)) {
      const repeated = aliases.follow(node);
      if (repeated === undefined || around.includes(repeated)) {
        refuse(place, repeated === undefined ? messages.noAnchor(node.source) : messages.ownAnchor(node.source));
      }
    } else if (isNode(node) && node.tag !== undefined) {
      refuse(place, messages.tagged(node.tag.replace("tag:yaml.org,2002:", "!!")));
    } else if (isMap(node) || isSeq(node)) {
      visitSteps(node, place, [...around, node]);
    } else if (!isScalar(node) || node.value === null) {
      place.add("", messages.noValue());
    } else if (Token.isUnresolved(node.value)) {
      place.add("", messages.holdsToken());
    }
  };

  const visitSteps = (collection: unknown, place: Problems, around: readonly unknown[]): void => {
    const seen = new Map<string, number>();
    for (const step of stepsOf(collection)) {
      const below = place.at(step.place);
      const before = seen.get(step.place);
      if (before !== undefined) {
        below.add("", messages.twice(lines.linePos(before).line));
      }
      seen.set(step.place, before ?? step.offset);
      visit(step.node, below, around);
      if (step.isMerge && !isMergeable(step.node, aliases)) {
        refuse(below, messages.notMergeable());
      }
    }
  };

  visit(document.contents, problems, []);
  return hasValue;
}

/** A mapping, or several. */
function isMergeable(node: unknown, aliases: Aliases): boolean {
  const source = aliases.follow(node);
  const sources = isSeq(source) ? source.items.map((item) => aliases.follow(item)) : [source];
  // That an alias repeats nothing is said elsewhere.
  return sources.every((each) => isMap(each) || each === undefined);
}
