/** The rulesets of a plan, found by the hash that a lockdown names, and what is different between two of them. */
import { structuredPatch } from "diff";
import { RULESET_TEXTS, type RulesetTexts } from "../contract/backends";
import { rulesetHash } from "../contract/triggers";
import { type Change, known } from "./plan";
import { type Side, SIDES, trigger } from "./resources";

export class Rulesets {
  private readonly byHash = new Map<string, RulesetTexts>();

  public constructor(rulesets: readonly Change[]) {
    for (const change of rulesets) {
      for (const side of SIDES) {
        const texts = textsOf(change, side);
        if (texts !== undefined) {
          this.byHash.set(rulesetHash(texts), texts);
        }
      }
    }
  }

  /** What a ruleset is before or after; undefined where that is not known. */
  public of(change: Change, side: Side): RulesetTexts | undefined {
    const texts = textsOf(change, side);
    return texts && this.find(rulesetHash(texts));
  }

  /** The texts whose SHA-256 this is: what the hosts check too. */
  public find(sha256: string | undefined): RulesetTexts | undefined {
    return sha256 === undefined ? undefined : this.byHash.get(sha256);
  }
}

/** Undefined where one of them is not known. */
function textsOf(change: Change, side: Side): RulesetTexts | undefined {
  const texts = RULESET_TEXTS.map((name) => [name, known(trigger(change, side, name))] as const);
  return texts.some(([, text]) => text === undefined) ? undefined : Object.fromEntries(texts);
}

/** The lines of a unified diff, without a time. @param before undefined shows the whole of `after`. */
export function diffLines(before: RulesetTexts | undefined, after: RulesetTexts): readonly string[] {
  return RULESET_TEXTS.flatMap((name) => {
    const [old, current] = [before?.[name] ?? "", after[name] ?? ""];
    const { hunks } = structuredPatch(name, name, old, current, undefined, undefined, { context: 3 });
    return hunks.length === 0
      ? []
      : [
          `--- ${old === "" ? "/dev/null" : name}`,
          `+++ ${current === "" ? "/dev/null" : name}`,
          ...hunks.flatMap((hunk) => [
            `@@ -${range(hunk.oldStart, hunk.oldLines)} +${range(hunk.newStart, hunk.newLines)} @@`,
            ...hunk.lines,
          ]),
        ];
  });
}

/** An empty range is said to be behind the line above it. */
const range = (start: number, lines: number): string => `${lines === 0 ? start - 1 : start},${lines}`;
