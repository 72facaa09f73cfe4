/** `moved` blocks, by which Terraform takes a resource's new address for the old one instead of making it anew. */
import { TerraformElement } from "../framework/framework";
import type { Construct } from "constructs";
import { type Part, PARTS } from "../contract/names";
import type { Context } from "./context";
import { groupsOf, type Layout, suffixesOf } from "./layout";

export interface Move {
  readonly from: string;
  readonly to: string;
}

/** Writes blocks for what `produce` returns when the stack is written. */
export class Moved extends TerraformElement {
  public constructor(
    scope: Construct,
    id: string,
    private readonly produce: () => readonly Move[],
  ) {
    super(scope, id);
  }

  public override toTerraform(): unknown {
    const moves = this.produce();
    return moves.length === 0 ? {} : { moved: moves };
  }
}

/** From where the resources are that were made with another number of shards: one step for each number. */
export function movesOf(context: Context): readonly Move[] {
  const { layout } = context.props;
  const layouts = [...layout.movedFromShards, layout.shards].map((shards) => ({ ...layout, shards }));
  return layouts.slice(1).flatMap((after, index) => movesBetween(context, layouts[index] ?? after, after));
}

function movesBetween(context: Context, before: Layout, after: Layout): readonly Move[] {
  return context.configuration.hosts.flatMap(({ key }) => {
    const [from, to] = [suffixesOf(key, before), suffixesOf(key, after)];
    return [
      moveOf(context, PARTS.hold, key, { from: from.hold, to: to.hold }),
      moveOf(context, PARTS.lockdown, key, { from: from.lockdown, to: to.lockdown }),
    ];
  });
}

/** @param suffixes what the names of the resource end in */
function moveOf(context: Context, part: Part, key: string, suffixes: Move): Move {
  const instance = (suffix: string): string => `${context.address(part, suffix)}["${key}"]`;
  return { from: instance(suffixes.from), to: instance(suffixes.to) };
}

/** The addresses of lockdowns in a state with another number of shards. */
export function formerLockdowns(context: Context): readonly string[] {
  const { layout } = context.props;
  return layout.movedFromShards
    .flatMap((shards) => groupsOf({ ...layout, shards }).flat())
    .map(({ suffix }) => context.address(PARTS.lockdown, suffix));
}
