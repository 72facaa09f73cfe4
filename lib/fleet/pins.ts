/**
 * Host keys written into the text of a fleet file: only where they belong, so that all else stays as it is, byte for byte. What
 * comes of it is read again, and a key that would change anything else is not written.
 */
import { isMap, isScalar, type Node, type Pair, parseDocument, type YAMLMap } from "yaml";
import { type Fleet, parseFleet } from "./fleet-file";

export interface Pins {
  readonly text: string;
  readonly written: readonly string[];
  /** Hosts whose entry is such that their key has to be written by hand. */
  readonly byHand: readonly string[];
}

/** A part of the text, and what comes in its place. */
interface Edit {
  readonly host: string;
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** @param keys by host: type and value */
export function withPins(text: string, keys: ReadonlyMap<string, string>): Pins {
  const hosts = parseDocument(text, { merge: true, stringKeys: true, uniqueKeys: false }).get("hosts", true);
  const edits = isMap(hosts) ? [...keys].flatMap(([host, key]) => editOf(text, hosts, host, key) ?? []) : [];
  const sound = isSound(text, edits, keys) ? edits : soundOnes(text, edits, keys);
  const written = sound.map(({ host }) => host);
  return { text: applied(text, sound), written, byHand: [...keys.keys()].filter((host) => !written.includes(host)) };
}

/** One by one, where some of them would change more than a key. */
function soundOnes(text: string, edits: readonly Edit[], keys: ReadonlyMap<string, string>): readonly Edit[] {
  return edits.reduce<readonly Edit[]>(
    (kept, edit) => (isSound(text, [...kept, edit], keys) ? [...kept, edit] : kept),
    [],
  );
}

function applied(text: string, edits: readonly Edit[]): string {
  return [...edits]
    .sort((a, b) => b.from - a.from)
    .reduce((result, edit) => result.slice(0, edit.from) + edit.text + result.slice(edit.to), text);
}

/** Whether the fleet says the same as before, but for these keys. */
function isSound(text: string, edits: readonly Edit[], keys: ReadonlyMap<string, string>): boolean {
  const [before, after] = [text, applied(text, edits)].map((one) => parseFleet(one).fleet);
  const pinned = new Map(edits.map(({ host }) => [host, keys.get(host)]));
  return before !== undefined && after !== undefined && meaning(before, pinned) === meaning(after, new Map());
}

function meaning({ name, firewall, split, state }: Fleet, pinned: ReadonlyMap<string, string | undefined>): string {
  const hosts = firewall.hosts.map((host) => ({
    ...host,
    connection: Object.entries({ ...host.connection, hostKey: pinned.get(host.key) ?? host.connection.hostKey }).sort(),
  }));
  return JSON.stringify({ name, settings: firewall.settings.layout, hosts, split: String(split), state });
}

/** Undefined where the host has no entry of its own. */
function editOf(text: string, hosts: YAMLMap, host: string, key: string): Edit | undefined {
  const entry = valueIn(hosts, host);
  if (isScalar(entry) && entry.range) {
    const [from, to] = entry.range;
    return { host, from, to, text: `{ address: ${text.slice(from, to)}, connection: { hostKey: ${key} } }` };
  }
  if (!isMap(entry)) {
    return undefined;
  }
  const connection = valueIn(entry, "connection");
  const edit = !isMap(connection)
    ? connection === undefined &&
      added(text, entry, "connection", { flow: `{ hostKey: ${key} }`, block: `hostKey: ${key}` })
    : replaced(connection, key) || added(text, connection, "hostKey", { flow: key, block: undefined });
  return edit ? { host, ...edit } : undefined;
}

function valueIn(map: YAMLMap, name: string): unknown {
  return map.items.find(({ key }) => isScalar(key) && key.value === name)?.value ?? undefined;
}

function replaced(connection: YAMLMap, key: string): Omit<Edit, "host"> | undefined {
  const value = valueIn(connection, "hostKey");
  return isScalar(value) && value.range ? { from: value.range[0], to: value.range[1], text: key } : undefined;
}

/** A property behind the last one of a mapping. @param value in one line, or below the name */
function added(
  text: string,
  map: YAMLMap,
  name: string,
  value: { readonly flow: string; readonly block: string | undefined },
): Omit<Edit, "host"> | undefined {
  const [start] = map.range ?? [];
  const last = map.items.at(-1) as Pair<Node, Node | null> | undefined;
  if (map.flow === true) {
    const at = last === undefined ? (start ?? 0) + 1 : (last.value ?? last.key).range?.[1];
    return at === undefined
      ? undefined
      : { from: at, to: at, text: `${last === undefined ? " " : ", "}${name}: ${value.flow}` };
  }
  const [begin] = (map.items[0]?.key as Node | undefined)?.range ?? [];
  const indent = begin === undefined ? "" : text.slice(text.lastIndexOf("\n", begin - 1) + 1, begin);
  const end = (last?.value ?? last?.key)?.range?.[1];
  if (end === undefined || !/^ *$/.test(indent)) {
    return undefined;
  }
  const at = endOfLine(text, end);
  const newline = text.includes("\r\n") ? "\r\n" : "\n";
  const lines = value.block === undefined ? [`${name}: ${value.flow}`] : [`${name}:`, `  ${value.block}`];
  return { from: at, to: at, text: lines.map((line) => `${newline}${indent}${line}`).join("") };
}

/** Behind the comment on the line of what ends there. */
function endOfLine(text: string, end: number): number {
  const at = text.slice(0, end).trimEnd().length;
  const rest = /^[^\r\n]*/.exec(text.slice(at, at + 65_536));
  return at + (rest?.[0].length ?? 0);
}
