/**
 * How a plan comes to know which hosts have drifted: one `data "external"` for a firewall, whose program asks them all,
 * and a check that warns of those which it left alone.
 *
 * The query holds literals only: Terraform would put off a question that it cannot ask yet, and then every lockdown would
 * have a trigger that is not known.
 */
import { TerraformDataSource, TerraformProvider, TerraformStack } from "../framework/framework";
import type { Construct } from "constructs";
import { LEFT_ALONE, NEVER_DRIFTED } from "../contract/drift";
import { quoted, templateLiteral } from "./escape";
import { ensureProvider } from "./provider";
import { triggerUnless } from "./tracker";

export interface DriftDetectionProps {
  /** The program and its arguments. */
  readonly program: readonly string[];
  /** What it gets; asked when the stack is written. */
  readonly query: () => Readonly<Record<string, string>>;
}

export class DriftDetection {
  private readonly result: string;

  /** Creates `data.external.logicalId` and `check.logicalId`. */
  public constructor(scope: Construct, id: string, logicalId: string, props: DriftDetectionProps) {
    ensureProvider(scope, EXTERNAL, (stack) => new ExternalProvider(stack, "ssh-only-firewall-external"));
    new ExternalData(scope, id, props).overrideLogicalId(logicalId);
    this.result = `data.external.${logicalId}.result`;
    const leftAlone = `lookup(${this.result}, ${quoted(LEFT_ALONE)}, "")`;
    TerraformStack.of(scope).addOverride(`check.${logicalId}`, {
      // Terraform shows what the condition refers to; the words are said once, below.
      assert: [{ condition: `\${length(${leftAlone}) == 0}`, error_message: `\${${leftAlone}}` }],
    });
  }

  /** The trigger of the lockdown that this stands in, as an object that is empty where the host has never drifted. */
  public get trigger(): string {
    return triggerUnless("drift", `lookup(${this.result}, each.key, ${quoted(NEVER_DRIFTED)})`, NEVER_DRIFTED);
  }
}

const EXTERNAL = "external";
const PROVIDER = { providerName: EXTERNAL, providerVersion: "2.3.5", providerVersionConstraint: "~> 2.0" };

class ExternalProvider extends TerraformProvider {
  public constructor(scope: Construct, id: string) {
    super(scope, id, {
      terraformResourceType: EXTERNAL,
      terraformGeneratorMetadata: PROVIDER,
      terraformProviderSource: "hashicorp/external",
    });
  }
}

class ExternalData extends TerraformDataSource {
  public constructor(
    scope: Construct,
    id: string,
    private readonly props: DriftDetectionProps,
  ) {
    super(scope, id, { terraformResourceType: EXTERNAL, terraformGeneratorMetadata: PROVIDER });
  }

  protected override synthesizeAttributes(): Record<string, unknown> {
    const { program, query } = this.props;
    return {
      program: program.map(templateLiteral),
      query: Object.fromEntries(Object.entries(query()).map(([name, value]) => [name, templateLiteral(value)])),
    };
  }
}
