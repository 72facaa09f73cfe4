/** The recipes of CONTRIBUTING.md, "How to add …": that what they name is there, and that such things are nowhere else. */
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import * as ts from "typescript";
import { COMMANDS } from "../../lib/cli/run";
import { BACKEND_NAMES, RULESET_TEXTS } from "../../lib/contract/backends";
import { CONNECTION } from "../../lib/contract/connection";
import { EXCEPTION_KINDS } from "../../lib/policy/exception";
import { CHECK_FORMATS } from "../../lib/check/formats";
import { REPORT_FORMATS } from "../../lib/report/formats";
import { DANGERS } from "../../lib/review/dangers";
import { REVIEW_FORMATS } from "../../lib/review/formats";
import * as rulesetBackends from "../../lib/ruleset/backends/all";
import { CONDITIONS } from "../../lib/status/conditions";
import { STATUS_FORMATS } from "../../lib/status/formats";
import { nodesOf, spelled, syntaxOf } from "../support/literals";
import { defined } from "../support/required";
import { filesIn, ROOT } from "../support/sources";

const contributing = readFileSync(join(ROOT, "CONTRIBUTING.md"), "utf8");
const chapter = defined(/^## How to add …\n(.*?)^## /ms.exec(contributing)?.[1], "chapter of the recipes");

/** The paths in each recipe, by its title: `NAME` and `COMMAND` stand for any word. */
const RECIPES = new Map(
  chapter
    .split(/^### … /m)
    .slice(1)
    .map((recipe) => {
      const title = recipe.slice(0, recipe.indexOf("\n"));
      return [
        title,
        [...new Set([...recipe.matchAll(/`((?:lib|test)\/[^`]+)`/g)].map(([, path = ""]) => path))],
      ] as const;
    }),
);

const pathsOf = (title: string): readonly string[] => defined(RECIPES.get(title), `recipe "${title}"`);
const inLib = (title: string): readonly string[] => pathsOf(title).filter((path) => path.startsWith("lib/"));

/** The one path of a recipe that ends so. */
function pathOf(title: string, end: string): string {
  const found = pathsOf(title).filter((path) => path.endsWith(end));
  expect(found).toHaveLength(1);
  return defined(found[0]);
}

const everyFile = filesIn(["lib", "test"], "");

/** The files that a path with placeholders stands for, by what the placeholder stands for. */
function matching(path: string): Record<string, string> {
  const pattern = new RegExp(`^${path.replaceAll(".", "\\.").replace(/[A-Z]{3,}/g, "([a-z0-9-]+)")}$`);
  const found = everyFile.flatMap((file) => {
    const match = pattern.exec(file);
    return match === null ? [] : [[match.slice(1).join(), file] as const];
  });
  return Object.fromEntries(found);
}

const text = (path: string): string => readFileSync(join(ROOT, path), "utf8");

/** Every text and property name of lib, by file. */
const SPELLED = new Map(
  filesIn(["lib"], ".ts").map((file) => [file, new Set(nodesOf(syntaxOf(file)).map(spelled))] as const),
);
const filesThatSpell = (name: string): string[] =>
  [...SPELLED].filter(([, names]) => names.has(name)).map(([file]) => file);
const spells = (file: string, name: string): boolean => SPELLED.get(file)?.has(name) === true;

test("the recipes are those that a contributor looks for", () => {
  expect([...RECIPES.keys()]).toEqual([
    "an exception kind",
    "a connection setting",
    "a danger",
    "a status word",
    "a reporter",
    "a command",
    "an init system",
    "a backend",
    "a lab test",
  ]);
});

test.each([...RECIPES].flatMap(([title, paths]) => paths.map((path) => [title, path])))(
  "the recipe for %s names files that exist: %s",
  (_, path) => {
    expect(Object.keys(matching(path))).not.toEqual([]);
  },
);

/** `protocol` is a word that many things have. */
test.each(EXCEPTION_KINDS.filter((kind) => kind !== "protocol"))(
  "the exception kind %s stands in the files of its recipe and in no other file of lib",
  (kind) => {
    expect(spells(pathOf("an exception kind", "policy/exception.ts"), kind)).toBe(true);
    expect(inLib("an exception kind")).toEqual(expect.arrayContaining(filesThatSpell(kind)));
  },
);

/** Words that other things are called by, or that other parts have a reason to look at: a missing host key is a danger. */
const MENTIONED_ELSEWHERE = [
  "user",
  "port",
  "timeoutSeconds",
  "hostKey",
  "bastionHost",
  "bastionPort",
  "bastionHostKey",
];

/** `check` looks at what only this side of a connection can see, and at no more than these. */
const SEEN_BY_CHECK = ["privateKeyPath", "bastionPrivateKeyPath", "agent", "scriptPath"];

test.each(Object.keys(CONNECTION))("the connection setting %s stands in the files of its recipe", (setting) => {
  const recipe = inLib("a connection setting");
  const files = filesThatSpell(setting).filter(
    (file) => !SEEN_BY_CHECK.includes(setting) || !file.startsWith("lib/check/"),
  );
  expect(files).toEqual(expect.arrayContaining(recipe.slice(0, 2)));
  expect(files.filter((file) => !recipe.includes(file) && !MENTIONED_ELSEWHERE.includes(setting))).toEqual([]);
});

test.each(Object.keys(DANGERS))(
  "the danger %s stands in the table, and where its recipe says that it is found",
  (danger) => {
    const [table, ...finders] = inLib("a danger");
    expect(spells(defined(table), danger)).toBe(true);
    expect(finders.filter((file) => spells(file, danger))).not.toEqual([]);
  },
);

test.each(Object.keys(DANGERS).filter((name) => name.includes("-")))(
  "the danger %s stands in no other file of lib",
  (danger) => {
    expect(inLib("a danger")).toEqual(expect.arrayContaining(filesThatSpell(danger)));
  },
);

test.each(Object.keys(CONDITIONS))("the status word %s stands in the table, and where it is given", (word) => {
  const [table, ...givers] = inLib("a status word");
  expect(spells(defined(table), word)).toBe(true);
  expect(givers.filter((file) => spells(file, word))).not.toEqual([]);
});

test("every reporter is a row in the formats of its command, and the command does not name it", () => {
  const tables = { check: CHECK_FORMATS, report: REPORT_FORMATS, review: REVIEW_FORMATS, status: STATUS_FORMATS };
  const files = matching(pathOf("a reporter", "formats.ts"));
  expect(Object.keys(files).filter((name) => name in COMMANDS)).toEqual(Object.keys(tables));
  for (const [command, table] of Object.entries(tables)) {
    expect(Object.keys(table).filter((name) => !spells(defined(files[command]), name))).toEqual([]);
    expect(Object.keys(table).filter((name) => spells(`lib/cli/${command}-command.ts`, name))).toEqual([]);
  }
});

test("every command is a file, a line in the table and a test", () => {
  const commands = matching(pathOf("a command", "-command.ts"));
  expect(Object.keys(commands).sort()).toEqual(Object.keys(COMMANDS).sort());
  const tests = Object.keys(matching(pathOf("a command", "NAME.test.ts")));
  // The script of `stacks --from` runs move-hosts, and is tested with it: test/fleet/migration/migrate.test.ts.
  expect(Object.keys(COMMANDS).filter((name) => !tests.includes(name))).toEqual(["move-hosts"]);
});

/** The functions in a header, `X_load`, as the words behind `X_`. */
const interfaceIn = (path: string): string[] =>
  [...text(path).matchAll(/^#.*$/gm)].flatMap(([line]) =>
    [...line.matchAll(/\bX_(\w+)/g)].map(([, name = ""]) => name),
  );
const listIn = (path: string, variable: string): string[] =>
  defined(new RegExp(`^${variable}='(.*)'$`, "m").exec(text(path))?.[1], variable).split(" ");

function expectFunctionsIn(files: Record<string, string>, functions: readonly string[]): void {
  expect(functions).not.toEqual([]);
  for (const [name, file] of Object.entries(files)) {
    const prefix = name.replaceAll("-", "_");
    expect([file, functions.filter((one) => !new RegExp(`^${prefix}_${one}\\(\\)`, "m").test(text(file)))]).toEqual([
      file,
      [],
    ]);
  }
}

test("every init system is a file with all functions, and a word in the list", () => {
  const list = pathOf("an init system", "host/init.sh");
  const files = matching(pathOf("an init system", "init/NAME.sh"));
  expect(Object.keys(files).sort()).toEqual(listIn(list, "init_systems").sort());
  expectFunctionsIn(files, interfaceIn(list));
});

test("every backend is its own files, and a line in each list", () => {
  const names = [...BACKEND_NAMES].sort();
  const list = pathOf("a backend", "host/backend.sh");
  const files = matching(pathOf("a backend", "host/backends/NAME.sh"));
  expect(Object.keys(files).sort()).toEqual(names);
  expectFunctionsIn(files, interfaceIn(list));
  expect(listIn(list, "backends").sort()).toEqual(names);
  expect(listIn(list, "ruleset_files").sort()).toEqual([...RULESET_TEXTS].sort());
  expect(Object.keys(rulesetBackends).sort()).toEqual(names);
  expect(Object.keys(matching(pathOf("a backend", "NAME-grammar.ts"))).sort()).toEqual(names);
});

describe("a lab test", () => {
  const folders = pathsOf("a lab test")
    .filter((path) => path.endsWith("NAME.test.ts"))
    .map((path) => dirname(path));
  const tests = everyFile.filter((file) => folders.includes(dirname(file)));

  test("stands alone in its directory: helpers are in support", () => {
    expect(tests.filter((file) => !file.endsWith(".test.ts"))).toEqual([]);
  });

  test.each(tests)("is listed as not run where it cannot run: %s", (file) => {
    const calls = nodesOf(syntaxOf(file))
      .filter(ts.isCallExpression)
      .map((call) => call.expression.getText());
    const groups = [
      "describeLab",
      "describeBooted",
      "describeUnless",
      "describeWithBuilt",
      "describeWith",
      "describeWithRoot",
      "describeReviews",
      "describeWithTools",
    ];
    expect(calls.filter((name) => groups.includes(name))).not.toEqual([]);
  });

  test("that takes minutes is one that exists", () => {
    const names = defined(/"(\w[\w -]+)"\.split\(/.exec(text(pathOf("a lab test", "longest-first.js")))?.[1]).split(
      " ",
    );
    const missing = names.filter((name) => !everyFile.some((file) => basename(file) === `${name}.test.ts`));
    expect(missing).toEqual([]);
  });
});
