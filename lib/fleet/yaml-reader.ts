/**
 * Makes plain values of the nodes of a YAML document, and finds what is YAML but does not mean what a reader would think, or
 * has no place in a fleet file. Aliases and merges share what they repeat and are counted before, so that a small file
 * cannot become a large value.
 */
import { Token } from "../framework/framework";
import { type Alias, isAlias, isMap, isNode, isScalar, isSeq, type LineCounter, type Node } from "yaml";
import { isObject } from "../input/keys";
import type { Problems } from "../input/problems";
import { fleetFileMessages } from "./fleet-file-messages";
import { type Step, stepsOf } from "./yaml-nodes";

/** 100,000 hosts with 20 values each. A long text counts as several. */
const MOST_VALUES = 2_000_000;
const LONG_TEXT = 100;

/** What bears an anchor. */
interface Repeatable {
  readonly node: Node;
  value?: unknown;
  /** How many values it has in all; undefined until it has been read. */
  size?: number;
}

export class YamlReader {
  /** False where tags, aliases or merges are such that the document has no value. */
  public hasValue = true;
  public readonly targets = new Map<Alias, Node>();

  /** By their anchors: what has such an anchor last. */
  private readonly anchored = new Map<string, Repeatable>();
  private size = 0;

  public constructor(private readonly lines: LineCounter) {}

  /** Undefined where the value was rejected. */
  public read(node: unknown, place: Problems): unknown {
    const before = this.size;
    this.size += 1;
    if (isAlias(node)) {
      return this.repeated(node, place);
    }
    const repeatable = this.anchor(node);
    const value = this.valueOf(node, place);
    Object.assign(repeatable ?? {}, { value, size: this.size - before });
    return value;
  }

  private anchor(node: unknown): Repeatable | undefined {
    if (!isNode(node) || isAlias(node) || node.anchor === undefined) {
      return undefined;
    }
    const repeatable: Repeatable = { node };
    this.anchored.set(node.anchor, repeatable);
    return repeatable;
  }

  private repeated(alias: Alias, place: Problems): unknown {
    const target = this.anchored.get(alias.source);
    if (target?.size === undefined) {
      const message = target === undefined ? fleetFileMessages.noAnchor : fleetFileMessages.ownAnchor;
      this.reject(place, message(alias.source));
      return undefined;
    }
    this.targets.set(alias, target.node);
    this.count(target.size, place);
    return target.value;
  }

  private valueOf(node: unknown, place: Problems): unknown {
    if (isNode(node) && !isAlias(node) && node.tag !== undefined) {
      this.reject(place, fleetFileMessages.tagged(node.tag.replace("tag:yaml.org,2002:", "!!")));
      return undefined;
    }
    if (isSeq(node)) {
      return stepsOf(node).map((step) => this.read(step.node, place.at(step.place)));
    }
    if (isMap(node)) {
      return this.mapping(stepsOf(node), place);
    }
    if (!isScalar(node) || node.value === null) {
      place.add("", fleetFileMessages.noValue());
      return null;
    }
    if (Token.isUnresolved(node.value)) {
      place.add("", fleetFileMessages.holdsToken());
      return null;
    }
    this.count(typeof node.value === "string" ? Math.floor(node.value.length / LONG_TEXT) : 0, place);
    return node.value;
  }

  private mapping(steps: readonly Step[], place: Problems): Record<string, unknown> {
    const mapping: Record<string, unknown> = {};
    const seen = new Map<string, number>();
    for (const { key, name, place: path, offset, node, isMerge } of steps) {
      const below = place.at(path);
      const before = seen.get(name);
      if (before !== undefined) {
        below.add("", fleetFileMessages.twice(this.lines.linePos(before).line));
      }
      seen.set(name, before ?? offset);
      Object.assign(this.anchor(key) ?? {}, { value: name, size: 1 });
      const value = this.read(node, below);
      if (isMerge) {
        this.merge(mapping, value, below);
      } else {
        define(mapping, name, value);
      }
    }
    return mapping;
  }

  /** What is there already wins. */
  private merge(mapping: Record<string, unknown>, value: unknown, place: Problems): void {
    const sources = (Array.isArray(value) ? Array.from<unknown>(value) : [value]).filter((one) => one !== undefined);
    if (!sources.every(isObject)) {
      this.reject(place, fleetFileMessages.notMergeable());
      return;
    }
    for (const source of sources) {
      for (const [name, one] of Object.entries(source)) {
        if (!Object.hasOwn(mapping, name)) {
          define(mapping, name, one);
        }
      }
    }
  }

  private count(values: number, place: Problems): void {
    const wasTooMuch = this.size > MOST_VALUES;
    this.size += values;
    if (this.size > MOST_VALUES && !wasTooMuch) {
      this.reject(place, fleetFileMessages.tooMuchRepeated(MOST_VALUES));
    }
  }

  private reject(place: Problems, message: string): void {
    this.hasValue = false;
    place.add("", message);
  }
}

function define(mapping: Record<string, unknown>, name: string, value: unknown): void {
  if (name === "__proto__") {
    Object.defineProperty(mapping, name, { value, writable: true, enumerable: true, configurable: true });
  } else {
    mapping[name] = value;
  }
}
