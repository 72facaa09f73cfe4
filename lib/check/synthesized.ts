/**
 * The hosts of a synthesized stack, for people who use the construct: what the provisioners of its lockdowns would give to each
 * host, as far as it is known at synth. Only the expressions that this package writes are understood.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ADDRESS, CONNECTION, askedConnection } from "../contract/connection";
import { parseResourceName, PARTS } from "../contract/names";
import { decoded } from "../contract/origin";
import { TRACKERS } from "../contract/triggers";
import { isObject } from "../input/keys";
import { Failure } from "../output/failure";
import { compare } from "../output/text";
import { declaredHost, type Subject } from "./subject";

type Values = Readonly<Record<string, unknown>>;

export class StackError extends Failure {}

export function subjectsInStack(folder: string): readonly Subject[] {
  const stack = read(join(folder, "cdk.tf.json"));
  const locals = objectIn(stack, "locals");
  const found = Object.keys(TRACKERS).flatMap((type) =>
    Object.entries(objectIn(objectIn(stack, "resource"), type)).flatMap(([name, resource]) =>
      parseResourceName(name)?.part === PARTS.lockdown && isObject(resource)
        ? subjectsOf(resource, locals, folder)
        : [],
    ),
  );
  if (found.length === 0) {
    throw new StackError(`${folder}: this stack locks no host; name the directory of a stack below cdktf.out/stacks`);
  }
  return found.sort((a, b) => compare(a.host.key, b.host.key));
}

function read(file: string): Values {
  try {
    const parsed: unknown = JSON.parse(readFileSync(file, "utf8"));
    return isObject(parsed) ? parsed : {};
  } catch (error) {
    throw new StackError(
      `${file} cannot be read (${(error as Error).message}); run the synth, and name the directory of a stack below cdktf.out/stacks`,
    );
  }
}

function subjectsOf(lockdown: Values, locals: Values, folder: string): Subject[] {
  const [lock] = Array.isArray(lockdown.provisioner) ? (lockdown.provisioner as unknown[]) : [];
  const remote = isObject(lock) ? objectIn(lock, "remote-exec") : {};
  const inline: unknown = Array.isArray(remote.inline) ? remote.inline[0] : "";
  const lines = String(inline).split("\n");
  const block = objectIn(remote, "connection");
  return Object.entries(entriesOf(lockdown.for_each, locals)).map(([key, entry]) => {
    const scope: Scope = { key, entry: isObject(entry) ? entry : {}, locals, folder };
    const scriptPath = valueOf(String(block[CONNECTION.scriptPath.name] ?? ""), scope) ?? "";
    const settings: Record<string, string> = { ...settingsIn(lines, scope), [CONNECTION.scriptPath.name]: scriptPath };
    const connection = askedConnection((name, property) => {
      const written = block[ARGUMENTS[property] ?? name];
      return typeof written === "string" || typeof written === "number" ? valueOf(String(written), scope) : undefined;
    });
    const address = valueOf(String(block[ADDRESS.argument] ?? ""), scope);
    return {
      host: declaredHost(key, address, connection),
      stack: decoded(settings.stack ?? ""),
      construct: decoded(settings.construct ?? ""),
      settings,
      agent: valueOf(String(block[CONNECTION.agent.argument] ?? "false"), scope) === "true",
    };
  });
}

/** As they are written in JSON: `private_key` of privateKey. */
const ARGUMENTS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(CONNECTION).map(([property, { argument }]) => [
    property,
    argument.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
  ]),
);

interface Scope {
  readonly key: string;
  /** Of the host, in the local with the hosts. */
  readonly entry: Values;
  readonly locals: Values;
  /** Where Terraform runs. */
  readonly folder: string;
}

/** The hosts that a `for_each` names: a local, or a part of one. */
function entriesOf(forEach: unknown, locals: Values): Values {
  const local = /^\$\{local\.([\w-]+)\}$/.exec(String(forEach))?.[1] ?? "";
  const value = locals[local];
  if (isObject(value)) {
    return value;
  }
  const [, from = "", not = "", keys = ""] =
    /^\$\{\{ for key, host in local\.([\w-]+) : key => host if (!?)contains\(\[(.*)\], key\) \}\}$/.exec(
      String(value),
    ) ?? [];
  const named = new Set(keys.split(", ").map((one) => one.slice(1, -1)));
  return Object.fromEntries(Object.entries(objectIn(locals, from)).filter(([key]) => named.has(key) !== (not === "!")));
}

function settingsIn(lines: readonly string[], scope: Scope): Record<string, string> {
  const known = lines.flatMap((line): Array<[string, string]> => {
    const [, name, written = ""] = /^SSH_ONLY_(\w+)='(.*)'$/s.exec(line) ?? [];
    const [, ofTerraform] = /^\$\{replace\((.*), "'", "'\\\\''"\)\}$/.exec(written) ?? [];
    const value =
      ofTerraform === undefined ? valueOf(written, scope)?.replaceAll("'\\''", "'") : expressionOf(ofTerraform, scope);
    return name === undefined || value === undefined ? [] : [[name.toLowerCase(), value]];
  });
  return Object.fromEntries(known);
}

/** Of a template; undefined where only Terraform knows it. */
function valueOf(template: string, scope: Scope): string | undefined {
  const [, whole] = /^\$\{(.*)\}$/s.exec(template) ?? [];
  if (whole !== undefined) {
    return expressionOf(whole, scope);
  }
  return /(?<![$%])[$%]\{/.test(template) ? undefined : template.replace(/([$%])\1\{/g, "$1{");
}

function expressionOf(expression: string, { key, entry, locals, folder }: Scope): string | undefined {
  if (expression === "each.key") {
    return key;
  }
  const inFolder = (path: string): string => path.replace(/^\$\{path\.\w+\}/, () => folder);
  // What a host's own path is, with the folder from which a relative one starts.
  const [, ofFile, app = ""] =
    /^\[for at in \[each\.value\.(\w+)\] : .* : "(.*)\/\$\{at\}"\)\]\[0\]$/.exec(expression) ?? [];
  if (ofFile !== undefined) {
    const path = literal(entry[ofFile]);
    return path === undefined || /^[/~]/.test(path) ? path : `${inFolder(app)}/${path}`;
  }
  const [, own] = /^each\.value\.(\w+)$/.exec(expression) ?? [];
  if (own !== undefined) {
    return literal(entry[own]);
  }
  const [, local = "", name = ""] = /^local\.([\w-]+)\[each\.value\.ruleset\]\.(\w+)$/.exec(expression) ?? [];
  if (local !== "") {
    return literal(objectIn(objectIn(locals, local), String(entry.ruleset))[name]);
  }
  const [, path] = /^file\(each\.key == "" \? "" : ("(?:[^"\\]|\\.)*")\)$/.exec(expression) ?? [];
  return path === undefined ? undefined : literal(inFolder(String(JSON.parse(path))));
}

function literal(value: unknown): string | undefined {
  if (value === null || value === undefined || isObject(value)) {
    return undefined;
  }
  const text = String(value);
  return /(?<![$%])[$%]\{/.test(text) ? undefined : text.replace(/([$%])\1\{/g, "$1{");
}

function objectIn(values: Values, name: string): Values {
  const value = values[name];
  return isObject(value) ? value : {};
}
