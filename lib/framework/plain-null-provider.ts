/** The null provider without a package: as much of @cdktf/provider-null as is used here, and the same configuration. */
import type { Construct } from "constructs";
import { TerraformProvider, TerraformResource } from "./framework";

const NULL = "null";
const PROVIDER = { providerName: NULL, providerVersion: "3.2.4", providerVersionConstraint: "~> 3.0" };

export class NullProvider extends TerraformProvider {
  public constructor(scope: Construct, id: string) {
    super(scope, id, {
      terraformResourceType: NULL,
      terraformGeneratorMetadata: PROVIDER,
      terraformProviderSource: "hashicorp/null",
    });
  }
}

type Meta = Omit<ConstructorParameters<typeof TerraformResource>[2], "terraformResourceType">;

export class NullResource extends TerraformResource {
  public triggers: Record<string, string> = {};

  public constructor(scope: Construct, id: string, meta: Meta) {
    super(scope, id, { ...meta, terraformResourceType: "null_resource", terraformGeneratorMetadata: PROVIDER });
  }

  protected override synthesizeAttributes(): Record<string, unknown> {
    return { triggers: this.triggers };
  }
}
