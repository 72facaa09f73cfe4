/** The host program, once in a stack, however many firewalls there are. */
import { TerraformLocal, TerraformStack } from "../framework/framework";
import { Construct } from "constructs";
import { PROGRAM_LOCALS } from "../contract/names";
import { HEADER, hostProgramParts, VERSION_DIGITS } from "../host/program";
import { templateLiteral } from "./escape";
import { LAUNCHER } from "./scripts";

export class Program extends Construct {
  private readonly launcher = this.local(PROGRAM_LOCALS.launcher, LAUNCHER.whole);

  private readonly parts = this.local(PROGRAM_LOCALS.pieces, hostProgramParts().map(templateLiteral));

  // Expressions.
  public readonly text = this.local(PROGRAM_LOCALS.program, `\${join("\\n", ${this.parts})}`);
  /** As hostProgramVersion, but from the texts themselves, so that a plan shows whether they are those of this package. */
  public readonly version = this.local(
    PROGRAM_LOCALS.version,
    `\${substr(sha256(join("\\n", [replace(${this.text}, "/${HEADER.source}/", ""), ${this.launcher}])), 0, ${VERSION_DIGITS})}`,
  );

  public static of(scope: Construct): Program {
    const stack = TerraformStack.of(scope);
    return (
      (stack.node.tryFindChild(PROGRAM_LOCALS.program) as Program | undefined) ??
      new Program(stack, PROGRAM_LOCALS.program)
    );
  }

  private local(name: string, value: string | readonly string[]): string {
    new TerraformLocal(this, name, value).overrideLogicalId(name);
    return `local.${name}`;
  }
}
