/** The values that a host is configured with, by the names under which they travel: in locals, in scripts, and in memory. */
import { Token } from "../framework/framework";
import { ADDRESS, CONNECTION, type ConnectionAttribute } from "../contract/connection";
import { type HostSetting, SETTINGS } from "../contract/settings";
import type { Host } from "../policy/host";
import { literal, type Term, toJson } from "./escape";

/** A value in the configuration: a literal, a template with tokens, or nothing. */
export type Value = string | number | boolean | undefined;

type ValueOf = (host: Host) => Value;

const attributes = Object.entries(CONNECTION) as ReadonlyArray<[keyof Host["connection"], ConnectionAttribute]>;

const settings = Object.entries(SETTINGS) as ReadonlyArray<[keyof typeof SETTINGS, HostSetting]>;

export const CONNECTION_VALUES: ReadonlyMap<string, ValueOf> = new Map([
  [ADDRESS.name, (host: Host): Value => host.address],
  ...attributes.map(([property, { name, unit = "" }]): [string, ValueOf] => [
    name,
    ({ connection }) => (unit === "" ? connection[property] : `${connection[property]}${unit}`),
  ]),
  [CONNECTION.port.name, (host: Host): Value => host.connection.port ?? host.policy.sshPort],
]);

const VALUES: ReadonlyMap<string, ValueOf> = new Map([
  ...CONNECTION_VALUES,
  ...settings.map(([property, { name }]): [string, ValueOf] => [name, (host) => host[property]]),
]);

/** The values of a host that not all hosts have in common. */
export function ownValues(host: Host, common: ReadonlyMap<string, Value>): ReadonlyArray<readonly [string, Value]> {
  return [...VALUES].flatMap(([name, valueOf]) => (common.has(name) ? [] : [[name, valueOf(host)] as const]));
}

/** Values that are literally the same for all hosts stand once, in the resource. */
export function commonValues([first, ...others]: readonly Host[]): ReadonlyMap<string, Value> {
  const common = new Map<string, Value>();
  for (const [name, valueOf] of VALUES) {
    const value = first && valueOf(first);
    if (name !== ADDRESS.name && isLiteral(value) && others.every((host) => valueOf(host) === value)) {
      common.set(name, value);
    }
  }
  return common;
}

export function isLiteral(value: Value): boolean {
  return !Token.isUnresolved(value);
}

/** Of a literal: tokens stand only in the hosts' entries, as the templates that they are. */
export function term(value: Value): Term {
  return literal(value ?? null);
}

export const toTemplate = (value: Term): string => String(toJson(value));
