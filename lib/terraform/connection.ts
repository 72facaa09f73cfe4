/** Connection blocks, as provisioners have them. */
import type { SSHProvisionerConnection } from "../framework/framework";
import { ADDRESS, CONNECTION_LIST, type ConnectionAttribute } from "../contract/connection";
import { type Term, expression, quoted, toExpression, toJson } from "./escape";

/** @param termOf where the value of an attribute is found. @param appFolder a template: where relative paths start from */
export function connectionBlock(
  termOf: (attribute: ConnectionAttribute) => Term,
  appFolder: string,
): SSHProvisionerConnection {
  const attributes: readonly ConnectionAttribute[] = [ADDRESS, ...CONNECTION_LIST];
  const set = attributes
    .map(
      (one) => [one.argument, toJson(one.isFile === true ? contentsOf(termOf(one), appFolder) : termOf(one))] as const,
    )
    .filter(([, value]) => value !== null);
  return { type: "ssh", ...Object.fromEntries(set) } as unknown as SSHProvisionerConnection;
}

/** Keys are read from their files when Terraform runs, so that they are in no plan and no state. */
function contentsOf(path: Term, appFolder: string): Term {
  if ("literal" in path) {
    const { literal: text } = path;
    const whole = typeof text === "string" && isRelative(text) ? `"${appFolder}/${quoted(text).slice(1)}` : undefined;
    // Not a constant, or Terraform would need the key already where a plan is made for review.
    return text === null ? path : expression(`file(each.key == "" ? "" : ${whole ?? toExpression(path)})`);
  }
  return expression(`[for at in [${path.expression}] : at == null ? null : file(${wholePath("at", appFolder)})][0]`);
}

/** @param path an expression */
export function wholePath(path: string, appFolder: string): string {
  return `startswith(${path}, "/") || startswith(${path}, "~") ? ${path} : "${appFolder}/\${${path}}"`;
}

const isRelative = (path: string): boolean => !/^[/~]/.test(path);

/** A connection block as it stands in Terraform's JSON, for resources that cdktf does not write. */
export function writtenConnection(block: object): Record<string, unknown> {
  const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`);
  return Object.fromEntries(Object.entries(block).map(([name, value]) => [snakeCase(name), value as unknown]));
}
