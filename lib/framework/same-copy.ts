/** That the app and this package use one copy of the framework. */
import type { Construct } from "constructs";
import { FRAMEWORK, TerraformStack } from "./framework";
import { type Framework, frameworkMessages } from "./framework-messages";

/** As jsii marks what it compiles: `cdktf.TerraformStack`, and the version. */
const JSII = Symbol.for("jsii.rtti");

/**
 * Throws if the stack of `scope` is of another copy of the framework. Aspects of one copy are not seen by another: all warnings,
 * and the providers, would be lost without a word.
 */
export function assertSameCopy(scope: Construct): void {
  const stack: object = TerraformStack.of(scope);
  if (!(stack instanceof TerraformStack)) {
    throw new Error(frameworkMessages.otherCopy(scope.node.path, FRAMEWORK, frameworkOf(stack)));
  }
}

/** What a stack was made with. Classes of the user's own, which extend it, may be marked likewise. */
function frameworkOf(stack: object): Framework {
  for (let proto: unknown = stack; proto !== null; proto = Object.getPrototypeOf(proto)) {
    const made = (proto as { constructor: { readonly [JSII]?: { readonly fqn: string; readonly version: string } } })
      .constructor;
    const [name, type] = made[JSII]?.fqn.split(".") ?? [];
    if (name !== undefined && type === "TerraformStack") {
      return { name, version: made[JSII]?.version ?? "" };
    }
  }
  return { name: "another framework", version: "" };
}
