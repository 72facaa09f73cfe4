/** `moved` blocks, by which Terraform takes a resource's new address for the old one instead of making it anew. */
import { TerraformElement } from "cdktf";
import type { Construct } from "constructs";

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
