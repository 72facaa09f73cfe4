/** The rulesets of a plan, found by the hash that a lockdown names, and what is different between two of them. */
import { createHash } from "node:crypto";
import { structuredPatch } from "diff";
import { TEXTS, trigger } from "./firewalls";
import { type Change, known } from "./plan";
import type { Texts } from "../ruleset/reader/ssh-access";

export class Rulesets {
  private readonly byHash = new Map<string, Texts>();

  public constructor(rulesets: readonly Change[]) {
    for (const change of rulesets) {
      for (const side of ["before", "after"] as const) {
        const hash = hashOf(change, side);
        const texts = TEXTS.map((name) => [name, known(trigger(change, side, name)) ?? ""] as const);
        if (hash !== undefined && !this.byHash.has(hash)) {
          this.byHash.set(hash, Object.fromEntries(texts));
        }
      }
    }
  }

  /** What a ruleset is before or after; undefined where that is not known. */
  public of(change: Change, side: "before" | "after"): Texts | undefined {
    return this.find(hashOf(change, side));
  }

  /** The texts whose SHA-256 this is: what the hosts check too. */
  public find(sha256: string | undefined): Texts | undefined {
    return sha256 === undefined ? undefined : this.byHash.get(sha256);
  }
}

function hashOf(change: Change, side: "before" | "after"): string | undefined {
  const texts = TEXTS.map((name) => known(trigger(change, side, name)));
  return texts.includes(undefined) ? undefined : createHash("sha256").update(texts.join("")).digest("hex");
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
