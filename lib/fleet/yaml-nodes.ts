/** The nodes of a YAML document, in the words of the paths that problems are reported with. */
import { type Alias, isAlias, isMap, isNode, isScalar, isSeq, type Node, type Pair } from "yaml";
import { placeOf } from "../input/keys";

/** A value in a collection. */
export interface Step {
  /** The key in a mapping, and its text. */
  readonly key?: unknown;
  readonly name: string;
  /** How paths call it. */
  readonly place: string;
  /** Where its line begins. */
  readonly offset: number;
  readonly node: unknown;
  /** Whether this is `<<`, which takes in what stands elsewhere. */
  readonly isMerge: boolean;
}

/** What each alias repeats. */
export type Targets = ReadonlyMap<Alias, Node>;

/** What a collection holds itself; of a mapping also its `<<`. */
export function stepsOf(node: unknown): readonly Step[] {
  if (isSeq(node)) {
    return node.items.map((item, index) => ({
      name: String(index),
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
    key: pair.key,
    name,
    place: placeOf(name),
    offset: offsetOf(pair.key),
    node: pair.value,
    isMerge: isScalar(pair.key) && pair.key.type === "PLAIN" && name === "<<",
  };
}

export function offsetOf(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0;
}

/** Finds where values are; each collection is looked through once, however many values are asked for. */
export class Places {
  private readonly known = new Map<unknown, ReadonlyMap<string, Step>>();

  public constructor(private readonly targets: Targets) {}

  /** The offset of the innermost part of the path that there is below `node`. */
  public find(node: unknown, path: string, offset = offsetOf(node)): number {
    const steps = this.reachable(node);
    // The longest name that fits, because names may have dots.
    for (let end = path.length; end > 0; end--) {
      const step = /^([.[]|$)/.test(path.slice(end, end + 1)) ? steps.get(path.slice(0, end)) : undefined;
      if (step !== undefined) {
        return this.find(step.node, path.slice(end).replace(/^\./, ""), step.offset);
      }
    }
    return offset;
  }

  /** What a collection holds, also through aliases and `<<`; its own, which win, last. */
  private reachable(node: unknown): ReadonlyMap<string, Step> {
    const collection = this.follow(node);
    const known = this.known.get(collection);
    if (known !== undefined) {
      return known;
    }
    const steps = new Map<string, Step>();
    // Not complete yet: for what is part of itself.
    this.known.set(collection, steps);
    const own = stepsOf(collection);
    for (const source of own.filter(({ isMerge }) => isMerge).flatMap((step) => this.sourcesOf(step.node))) {
      this.reachable(source).forEach((step, place) => steps.set(place, step));
    }
    own.forEach((step) => steps.set(step.place, step));
    return steps;
  }

  /** What a `<<` takes in, the first of several last, because it wins. */
  private sourcesOf(node: unknown): readonly unknown[] {
    const source = this.follow(node);
    return isSeq(source) ? source.items.toReversed() : [source];
  }

  private follow(node: unknown): unknown {
    return isAlias(node) ? this.targets.get(node) : node;
  }
}
