/** Imports of types count, which ESLint's rule passes over: a cycle of types is a cycle for whoever reads the code. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as ts from "typescript";
import { filesIn, ROOT } from "../support/sources";

type Imports = ReadonlyMap<string, readonly string[]>;

const files = filesIn(["lib", "bin", "test", "bench", "examples"], ".ts");

/** The files of the repository that a file imports or exports from. */
function importsOf(file: string): string[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(join(ROOT, file), "utf8"));
  const paths = importedFiles.filter(({ fileName }) => fileName.startsWith("."));
  return paths
    .map(({ fileName }) => join(dirname(file), fileName))
    .flatMap((path) => [path, `${path}.ts`, join(path, "index.ts")])
    .filter((path) => files.includes(path));
}

/** One cycle as the files on it; undefined where there is none. */
function cycleIn(imports: Imports): readonly string[] | undefined {
  const done = new Set<string>();
  const search = (file: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(file)) {
      return [...path.slice(path.indexOf(file)), file];
    }
    if (done.has(file)) {
      return undefined;
    }
    for (const imported of imports.get(file) ?? []) {
      const cycle = search(imported, [...path, file]);
      if (cycle !== undefined) {
        return cycle;
      }
    }
    done.add(file);
    return undefined;
  };
  for (const file of imports.keys()) {
    const cycle = search(file, []);
    if (cycle !== undefined) {
      return cycle;
    }
  }
  return undefined;
}

test("a cycle is found, through however many files", () => {
  const imports = new Map([
    ["a", ["b", "c"]],
    ["b", []],
    ["c", ["d"]],
    ["d", ["b", "c"]],
  ]);
  expect(cycleIn(imports)).toEqual(["c", "d", "c"]);
});

test("imports of types count", () => {
  expect(importsOf("bench/leanest.ts")).toEqual(["bench/fleet.ts"]);
});

test("no file imports itself by way of others", () => {
  expect(cycleIn(new Map(files.map((file) => [file, importsOf(file)])))).toBeUndefined();
});
