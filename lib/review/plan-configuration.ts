/** The configuration in a plan: what it says of all instances of a resource. A partial plan has the whole of it. */
import { isHostNames, splitHostNames } from "../contract/names";
import type { Node } from "../input/json";

/** What the configuration says of all instances of a resource. */
export interface Block {
  /** Without keys; empty for the root. */
  readonly module: string;
  /** Addresses that its arguments refer to. */
  readonly references: readonly string[];
  /** Of each provisioner the script; undefined where the plan does not have it word for word, empty where it has none. */
  readonly provisioners: ReadonlyArray<string | undefined>;
}

/** Where a plan does not have the configuration. It may run anything. */
export const UNKNOWN_BLOCK: Block = { module: "", references: [], provisioners: [undefined] };

/** The hosts of a firewall that is in a module, or in the root. */
export interface HostNames {
  /** Without keys. */
  readonly module: string;
  readonly names: readonly string[];
}

interface Named {
  readonly module: string;
  readonly type: string;
  readonly name: string;
}

/** The block in the configuration that an instance comes from: modules are written once, whatever their keys. */
export function blockOf({ module, type, name }: Named): string {
  return within(withoutKeys(module), `${type}.${name}`);
}

export function withoutKeys(module: string): string {
  return module.replace(/\[(?:"(?:[^"\\]|\\.)*"|[0-9]+)\]/g, "");
}

const within = (module: string, name: string): string => (module === "" ? name : `${module}.${name}`);

export function blocksIn(module: Node, path: string): Array<readonly [string, Block]> {
  const own = module
    .at("resources")
    .list()
    .filter((node) => node.at("mode").optionalText() !== "data")
    .map((node): readonly [string, Block] => [
      blockOf({ module: path, type: node.at("type").text(), name: node.at("name").text() }),
      {
        module: path,
        references: node
          .at("expressions")
          .members()
          .flatMap(([, expression]) => referencesIn(expression)),
        provisioners: node.at("provisioners").list().map(scriptOf),
      },
    ]);
  return [...own, ...calledIn(module, path).flatMap(([below, at]) => blocksIn(below, at))];
}

function calledIn(module: Node, path: string): ReadonlyArray<readonly [Node, string]> {
  const calls = module.at("module_calls").members();
  return calls.map(([name, call]) => [call.at("module"), within(path, `module.${name}`)]);
}

export function hostNamesIn(module: Node, path: string): HostNames[] {
  const own = module
    .at("variables")
    .members()
    .map(([name, variable]) => ({ isOurs: isHostNames(name), value: variable.at("default").value }))
    .filter(({ isOurs, value }) => isOurs && typeof value === "string")
    .map(({ value }): HostNames => ({ module: path, names: splitHostNames(String(value)) }));
  return [...own, ...calledIn(module, path).flatMap(([below, at]) => hostNamesIn(below, at))];
}

/** Nested blocks are lists or objects of expressions; ours have none. */
function referencesIn(expression: Node): readonly string[] {
  const { value } = expression.at("references");
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

/** Undefined where the plan has the script, and not word for word; empty where it has no script. */
function scriptOf(provisioner: Node): string | undefined {
  const inline = provisioner.at("expressions").at("inline");
  if (inline.isAbsent) {
    return "";
  }
  const { value } = inline.at("constant_value");
  return Array.isArray(value) && value.every((one) => typeof one === "string") ? value.join("\n") : undefined;
}
