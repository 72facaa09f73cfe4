/**
 * A name that two parts agree on is spelled in lib/contract alone, so that no part can spell it in another way. Two rules tell such a
 * name from any other text:
 *
 * - A name with an underscore or other punctuation (`ruleset_sha256`, `(left alone)`) stands nowhere else: not as a text, not within
 *   one, not as a property. Neither does a part or a suffix that is joined to another name (`_hold`, `_wave_`).
 * - A name that is also an English word (`address`, `hold`) is no property of triggers or memory, and no argument of a function that
 *   takes such names. Elsewhere it is a word.
 *
 * The types of resource (`null_resource`, `terraform_data`) are Terraform's names, and values of the property `tracker`: the compiler
 * checks each against TrackerKind. Comments do not count.
 */
import * as ts from "typescript";
import * as backends from "../../lib/contract/backends";
import * as connection from "../../lib/contract/connection";
import * as drift from "../../lib/contract/drift";
import * as names from "../../lib/contract/names";
import * as script from "../../lib/contract/script";
import * as settings from "../../lib/contract/settings";
import * as triggers from "../../lib/contract/triggers";
import { nodesOf, parse, placeOf, spelled, syntaxOf } from "../support/literals";
import { filesIn } from "../support/sources";

const exported = [backends, connection, drift, names, script, settings, triggers].flatMap((one) => Object.entries(one));

function textsIn(value: unknown): string[] {
  if (typeof value === "string") {
    return [value];
  }
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

const NAMES = new Set([
  ...exported.flatMap(([, value]) => textsIn(value)),
  ...settings.SETTING_LIST.map(({ name }) => script.variable(name)),
]);
[script.SHEBANG, ...Object.keys(triggers.TRACKERS)].forEach((name) => NAMES.delete(name));

const literally = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const unmistakable = [...NAMES].filter((name) => /[^a-zA-Z0-9]/.test(name)).map(literally);
const UNMISTAKABLE = new RegExp(`(?<!\\w)(?:${unmistakable.join("|")})(?!\\w)`);
const JOINED = new RegExp(`_(?:wave_|(?:${Object.keys(names.PARTS).join("|")})(?![a-z]))`);

const RECEIVERS = ["triggers", "memory", ...Object.values(triggers.TRACKERS).flatMap(Object.values)];
const READERS = [
  ...exported.filter(([, value]) => typeof value === "function").map(([name]) => name),
  ...["trigger", "triggerOf", "memory", "memoryOf", "remembered", "termOf"],
];

/** The name of the contract that a node spells. */
function nameSpelledBy(node: ts.Node): string | undefined {
  const text = spelled(node) ?? "";
  const certain = UNMISTAKABLE.exec(text) ?? JOINED.exec(text);
  return certain?.[0] ?? (NAMES.has(text) && isUsedAsName(node) ? text : undefined);
}

function isUsedAsName(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) || ts.isElementAccessExpression(parent)) {
    return RECEIVERS.includes(lastNameOf(parent.expression));
  }
  if (ts.isBindingElement(parent) && ts.isVariableDeclaration(parent.parent.parent)) {
    const { initializer } = parent.parent.parent;
    return initializer !== undefined && RECEIVERS.includes(lastNameOf(initializer));
  }
  return ts.isCallExpression(parent) && READERS.includes(lastNameOf(parent.expression));
}

/** `triggers` of `change.before.triggers`. */
const lastNameOf = (expression: ts.Expression): string =>
  ts.isPropertyAccessExpression(expression) ? expression.name.text : expression.getText();

const namesIn = (source: ts.SourceFile): string[] =>
  nodesOf(source).flatMap((node) => {
    const name = nameSpelledBy(node);
    return name === undefined ? [] : [`${placeOf(node)}: ${name}`];
  });

test.each([
  ['const hash = change.get("ruleset_sha256");', "ruleset_sha256"],
  ["const query = `${first} host_key = ${last}`;", "host_key"],
  ["interface Values { readonly bastion_host?: string }", "bastion_host"],
  ["const { ruleset_sha256: hash } = values;", "ruleset_sha256"],
  ["const name = `${firewall}_hold_${suffix}`;", "_hold"],
  ['if (name.includes("_wave_")) {}', "_wave_"],
  ["const { hold } = lockdown.triggers;", "hold"],
  ["const owner = lockdown.triggers.hold;", "hold"],
  ['const user = hold.memory["user"];', "user"],
  ['const name = nameIn(firewall, "lockdown");', "lockdown"],
  ['const host = host.trigger("address");', "address"],
  ['const line = "SSH_ONLY_BACKEND=auto";', "SSH_ONLY_BACKEND"],
])("%s spells a name of the contract", (code, name) => {
  expect(namesIn(parse("lib/other.ts", code))).toEqual([`lib/other.ts:1: ${name}`]);
});

test.each([
  "const { address } = host; // ruleset_sha256",
  'print("the hold owns the lock");',
  "const mode = policy.mode;",
  'const kind = "null_resource";',
])("%s spells none", (code) => {
  expect(namesIn(parse("lib/other.ts", code))).toEqual([]);
});

test("no file of lib but those of the contract spells a name of the contract", () => {
  const others = filesIn(["lib"], ".ts").filter((file) => !file.startsWith("lib/contract/"));
  expect(others.flatMap((file) => namesIn(syntaxOf(file)))).toEqual([]);
});
