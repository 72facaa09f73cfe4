/** The rulesets of a plan, found by the hash that a lockdown names, and what is different between two of them. */
import { createHash } from "node:crypto";
import { structuredPatch } from "diff";
import { TEXTS, trigger } from "./firewalls";
import { type Change, known } from "./plan";
import type { Texts } from "./ssh";

export class Rulesets {
  private readonly byHash = new Map<string, Texts>();

  public constructor(rulesets: readonly Change[]) {
    for (const change of rulesets) {
      for (const side of ["before", "after"] as const) {
        const texts = TEXTS.map((name) => known(trigger(change, side, name)));
        if (texts.every((one) => one !== undefined)) {
          const hash = createHash("sha256").update(texts.join("")).digest("hex");
          this.byHash.set(hash, Object.fromEntries(TEXTS.map((name, index) => [name, texts[index] as string])));
        }
      }
    }
  }

  /** The texts whose SHA-256 this is: what the hosts check too. */
  public find(sha256: string | undefined): Texts | undefined {
    return sha256 === undefined ? undefined : this.byHash.get(sha256);
  }
}

const NOTHING: Texts = Object.fromEntries(TEXTS.map((name) => [name, ""]));

/** The lines of a unified diff, without a time. @param before undefined shows the whole of `after`. */
export function diffLines(before: Texts | undefined, after: Texts): readonly string[] {
  return TEXTS.filter((name) => (before ?? NOTHING)[name] !== after[name]).flatMap((name) => {
    const old = (before ?? NOTHING)[name];
    const { hunks } = structuredPatch(name, name, old, after[name], undefined, undefined, { context: 3 });
    return [
      `--- ${old === "" ? "/dev/null" : name}`,
      `+++ ${after[name] === "" ? "/dev/null" : name}`,
      ...hunks.flatMap((hunk) => [
        `@@ -${range(hunk.oldStart, hunk.oldLines)} +${range(hunk.newStart, hunk.newLines)} @@`,
        ...hunk.lines,
      ]),
    ];
  });
}

/** An empty range is said to be behind the line above it. */
const range = (start: number, lines: number): string => `${lines === 0 ? start - 1 : start},${lines}`;
