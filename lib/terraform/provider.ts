/** Providers that our resources need: the user's own where there is one, otherwise one that we create. */
import { Aspects, TerraformProvider, TerraformStack } from "../framework/framework";
import type { Construct, IConstruct } from "constructs";

/**
 * Without a provider in the stack, synth fails; with two that have no alias, `terraform init` does. The user's own may
 * come after us, so this is looked at when everything has been built.
 */
export function ensureProvider(scope: Construct, type: string, create: (stack: TerraformStack) => void): void {
  const stack = TerraformStack.of(scope);
  const seen = ensured.get(stack) ?? new Set<string>();
  if (seen.has(type)) {
    return;
  }
  ensured.set(stack, seen.add(type));
  Aspects.of(stack).add({
    visit(node: IConstruct): void {
      if (node === stack && !stack.node.findAll().some((one) => isDefaultProvider(one, type))) {
        create(stack);
      }
    },
  });
}

const ensured = new WeakMap<TerraformStack, Set<string>>();

function isDefaultProvider(node: IConstruct, type: string): boolean {
  return TerraformProvider.isTerraformProvider(node) && node.terraformResourceType === type && node.alias === undefined;
}
