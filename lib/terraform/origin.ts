/** Which stack, construct and workspace a lock comes from: the host records it, to recognize a hold that its state has lost. */
import { TerraformStack } from "../framework/framework";
import type { Construct } from "constructs";
import { encodedPath } from "../contract/origin";
import { expression, literal, type Term } from "./escape";

/** As settings of `lock`. */
export function originOf(firewall: Construct): Readonly<Record<"stack" | "construct" | "workspace", Term>> {
  const stack = TerraformStack.of(firewall).node;
  return {
    stack: literal(encodedPath(stack.path)),
    construct: literal(encodedPath(firewall.node.path.slice(stack.path.length).replace(/^\//, ""))),
    workspace: expression("urlencode(terraform.workspace)"),
  };
}
