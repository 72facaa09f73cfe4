/** The nodes of a YAML document, in the words of the paths that problems are reported with. */
import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type Pair, visit } from "yaml";
import { placeOf } from "../input/keys";

/** A value in a collection: how paths call it, where its line begins to speak of it, and the value. */
export interface Step {
  readonly place: string;
  readonly offset: number;
  readonly node: unknown;
  /** Whether this is `<<`, which takes in what stands elsewhere. */
  readonly isMerge: boolean;
}

/** What a collection holds itself; of a mapping also its `<<`. */
export function stepsOf(node: unknown): readonly Step[] {
  if (isSeq(node)) {
    return node.items.map((item, index) => ({
      place: `[${index}]`,
      offset: offsetOf(item),
      node: item,
      isMerge: false,
    }));
  }
  return isMap(node) ? node.items.map(stepOf) : [];
}

function stepOf(pair: Pair<unknown, unknown>): Step {
  const name = isScalar(pair.key) ? String(pair.key.value) : "";
  return {
    place: placeOf(name),
    offset: offsetOf(pair.key),
    node: pair.value,
    isMerge: isScalar(pair.key) && pair.key.type === "PLAIN" && name === "<<",
  };
}

export function offsetOf(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0;
}

/** What every alias repeats: the last node before it that bears its name as an anchor. */
export class Aliases {
  private readonly targets = new Map<unknown, unknown>();

  public constructor(document: Document) {
    const anchored = new Map<string, unknown>();
    visit(document, {
      Alias: (_key, alias) => {
        this.targets.set(alias, anchored.get(alias.source));
      },
      Value: (_key, node) => {
        if (node.anchor !== undefined) {
          anchored.set(node.anchor, node);
        }
      },
    });
  }

  /** The node itself, or the one that it repeats; undefined when there is none. */
  public follow(node: unknown): unknown {
    return isAlias(node) ? this.targets.get(node) : node;
  }
}
