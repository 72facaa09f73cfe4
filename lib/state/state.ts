/**
 * A Terraform state in any of its forms: what `terraform show -json` prints, a state file (version 4), or outputs as
 * `terraform output -json` prints them. Only what is used is read; what is unknown to us is left alone, but not an
 * unknown major version.
 */
import { LOCKED_HOST, TRIGGERS } from "../contract/triggers";
import { isObject } from "../input/keys";
import { type Json, list, object, optionalText, parseJson, text } from "./json";
import { instancesIn, parseStateFile } from "./state-file";
import { StateError, stateProblems } from "./state-error";

/** A resource instance. */
export interface Instance {
  /** Empty for the root module. */
  readonly module: string;
  readonly type: string;
  readonly name: string;
  /** The key in `for_each`, or the number of `count` as text. */
  readonly index: string | undefined;
  readonly tainted: boolean;
  readonly deposed: boolean;
  readonly values: Readonly<Record<string, unknown>>;
}

/** What an output of lockedHosts says of a host. */
export interface ListedHost {
  readonly key: string;
  /** The output that lists it; empty where that is not known. */
  readonly output: string;
  readonly address: string | undefined;
  readonly owner: string | undefined;
  readonly ruleset: string | undefined;
}

export interface State {
  readonly instances: readonly Instance[];
  /** From outputs, where that is all there is. */
  readonly listed: readonly ListedHost[];
}

export function readState(text: string): State {
  const document = parseJson(text);
  if (!isObject(document)) {
    throw new StateError(stateProblems.notAState());
  }
  if ("encrypted_data" in document) {
    throw new StateError(stateProblems.encrypted());
  }
  if ("planned_values" in document || "resource_changes" in document) {
    throw new StateError(stateProblems.isPlan());
  }
  if (typeof document.format_version === "string") {
    return fromShow(document, document.format_version);
  }
  if (typeof document.version === "number") {
    return fromFile(document);
  }
  return fromOutputs(document);
}

// terraform show -json

function fromShow(document: Json, version: string): State {
  if (!/^1(\.|$)/.test(version)) {
    throw new StateError(stateProblems.unknownFormat(version));
  }
  const root = object(object(document.values, "values").root_module, "values.root_module");
  return { instances: shownModule(root, "values.root_module"), listed: [] };
}

function shownModule(module: Json, place: string): Instance[] {
  const address = typeof module.address === "string" ? module.address : "";
  const own = list(module.resources, `${place}.resources`).map((one, index): Instance => {
    const at = `${place}.resources[${index}]`;
    const resource = object(one, at);
    return {
      module: address,
      type: text(resource.type, `${at}.type`),
      name: text(resource.name, `${at}.name`),
      index: key(resource.index),
      tainted: resource.tainted === true,
      deposed: typeof resource.deposed_key === "string",
      values: object(resource.values, `${at}.values`),
    };
  });
  const children = list(module.child_modules, `${place}.child_modules`);
  return [
    ...own,
    ...children.flatMap((child, index) => {
      const at = `${place}.child_modules[${index}]`;
      return shownModule(object(child, at), at);
    }),
  ];
}

// terraform.tfstate, terraform state pull

function fromFile(document: Json): State {
  const instances = instancesIn(parseStateFile(document)).map(({ resource, instance, place }): Instance => {
    const attributes = object(instance.attributes, `${place}.attributes`);
    return {
      module: resource.module ?? "",
      type: resource.type,
      name: resource.name,
      index: key(instance.index_key),
      tainted: instance.status === "tainted",
      deposed: typeof instance.deposed === "string",
      values: Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, unwrapped(value)])),
    };
  });
  return { instances, listed: [] };
}

/** A state file writes a value whose type is its own affair together with that type. */
function unwrapped(value: unknown): unknown {
  return isObject(value) && Object.keys(value).sort().join() === "type,value" ? value.value : value;
}

// terraform output -json, also of one output

function fromOutputs(document: Json): State {
  const entries = Object.entries(document);
  const isOutput = ([, value]: [string, unknown]): boolean => isObject(value) && "value" in value && "type" in value;
  if (entries.every(isOutput)) {
    const outputs = entries.map(([name, value]) => [name, (value as Json).value] as const);
    const locked = outputs.filter((output): output is [string, Json] => isLockedHosts(output[1]));
    if (locked.length === 0) {
      throw new StateError(stateProblems.noLockedHosts());
    }
    return { instances: [], listed: locked.flatMap(([name, hosts]) => listedHosts(name, hosts)) };
  }
  if (isLockedHosts(document)) {
    return { instances: [], listed: listedHosts("", document) };
  }
  throw new StateError(stateProblems.notAState());
}

function isLockedHosts(value: unknown): value is Json {
  const isHost = (one: unknown): boolean => isObject(one) && LOCKED_HOST.every((name) => name in one);
  return isObject(value) && Object.values(value).every(isHost);
}

function listedHosts(output: string, hosts: Json): ListedHost[] {
  return Object.entries(hosts).map(([name, value]) => {
    const host = value as Json;
    return {
      key: name,
      output,
      address: optionalText(host[TRIGGERS.address]),
      owner: optionalText(host[TRIGGERS.hold]),
      ruleset: optionalText(host[TRIGGERS.ruleset]),
    };
  });
}

function key(value: unknown): string | undefined {
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}
