/** The host program, once in a stack, however many firewalls there are. */
import { TerraformLocal, TerraformStack } from "cdktf";
import { Construct } from "constructs";
import { HEADER, hostProgramParts, LAUNCHER_LOCAL, VERSION_DIGITS } from "../host/program";
import { templateLiteral } from "../terraform/escape";
import { LAUNCHER } from "../terraform/scripts";

const ID = "ssh_only_firewall_host_program";

export class Program extends Construct {
  private readonly launcher = this.local(LAUNCHER_LOCAL, LAUNCHER.whole);

  private readonly parts = this.local(`${ID}_parts`, hostProgramParts().map(templateLiteral));

  // Expressions.
  public readonly text = this.local(ID, `\${join("\\n", ${this.parts})}`);
  /** As hostProgramVersion, but worked out from the texts themselves, so that a plan shows whether they are those of this package. */
  public readonly version = this.local(
    "ssh_only_firewall_version",
    `\${substr(sha256(join("\\n", [replace(${this.text}, "/${HEADER.source}/", ""), ${this.launcher}])), 0, ${VERSION_DIGITS})}`,
  );

  public static of(scope: Construct): Program {
    const stack = TerraformStack.of(scope);
    return (stack.node.tryFindChild(ID) as Program | undefined) ?? new Program(stack, ID);
  }

  private local(name: string, value: string | readonly string[]): string {
    new TerraformLocal(this, name, value).overrideLogicalId(name);
    return `local.${name}`;
  }
}
