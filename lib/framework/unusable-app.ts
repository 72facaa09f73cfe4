/** That the app which a firewall stands in can be written: one copy of the framework, and JSON. */
import type { Construct } from "constructs";
import { App, FRAMEWORK, TerraformStack } from "./framework";
import { type Framework, frameworkMessages } from "./framework-messages";

export class UnusableAppError extends Error {}

/** Throws if the app of `scope` cannot be written with what this package makes. */
export function assertUsableApp(scope: Construct): void {
  assertSameCopy(scope);
  assertJson(scope);
}

/** As jsii marks what it compiles: `cdktf.TerraformStack`, and the version. */
const JSII = Symbol.for("jsii.rtti");

/**
 * Aspects of one copy of the framework are not seen by another: all warnings, and the providers, would be lost without a word.
 */
function assertSameCopy(scope: Construct): void {
  const stack: object = TerraformStack.of(scope);
  if (!(stack instanceof TerraformStack)) {
    throw new UnusableAppError(frameworkMessages.otherCopy(scope.node.path, FRAMEWORK, frameworkOf(stack)));
  }
}

/** The framework writes no valid HCL of a connection inside a provisioner, nor of texts with several lines. */
function assertJson(scope: Construct): void {
  const app = scope.node.root;
  if (App.isApp(app) && app.hclOutput) {
    throw new UnusableAppError(frameworkMessages.hcl(scope.node.path));
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
