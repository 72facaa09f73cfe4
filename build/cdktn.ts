/**
 * Makes the entry for cdktn of the compiled one: dist/cdktn has what depends on the framework, with the other framework; what
 * does not is shared with dist/lib.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const DIST = join(__dirname, "..", "dist");
const SEAM = "framework/framework";
const PLAIN = "framework/plain-null-provider";
const REPLACED: ReadonlyMap<string, string> = new Map([["framework/null-provider", PLAIN]]);
const KINDS = [".js", ".d.ts"] as const;
/** A relative specifier, as tsc writes it. */
const SPECIFIER = /(require\(|from |import\()"(\.{1,2}\/[^"]+)"/g;

type Module = string;

const read = (module: Module, kind: string): string => readFileSync(join(DIST, "lib", `${module}${kind}`), "utf8");

/** The module that a specifier in another one names; both without ending, from dist/lib. */
const named = (from: Module, specifier: string): Module => join(dirname(from), specifier).replace(/\.js$/, "");

function importsOf(module: Module): readonly Module[] {
  const text = KINDS.map((kind) => read(module, kind)).join("\n");
  return [...text.matchAll(SPECIFIER)]
    .map(([, , specifier = ""]) => named(module, specifier))
    .map((one) => REPLACED.get(one) ?? one);
}

/** What the index reaches, with what each imports. */
function reached(index: Module): ReadonlyMap<Module, readonly Module[]> {
  const found = new Map<Module, readonly Module[]>();
  const add = (module: Module): void => {
    if (!found.has(module)) {
      found.set(module, importsOf(module));
      found.get(module)?.forEach(add);
    }
  };
  add(index);
  return found;
}

/** Those that import the seam, and those that import them. */
function dependents(modules: ReadonlyMap<Module, readonly Module[]>): ReadonlySet<Module> {
  const found = new Set([SEAM]);
  for (let before = 0; before < found.size;) {
    before = found.size;
    modules.forEach((imports, module) => imports.some((one) => found.has(one)) && found.add(module));
  }
  return found;
}

function write(module: Module, copied: ReadonlySet<Module>): void {
  const to = [...REPLACED].find(([, by]) => by === module)?.[0] ?? module;
  for (const kind of KINDS) {
    const target = join(DIST, "cdktn", `${to}${kind}`);
    const text = read(module, kind).replace(SPECIFIER, (whole, before: string, specifier: string) => {
      const wanted = named(module, specifier);
      if (copied.has(REPLACED.get(wanted) ?? wanted)) {
        return whole;
      }
      return `${before}"${relative(dirname(target), join(DIST, "lib", wanted))}"`;
    });
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, module === SEAM ? text.replaceAll('"cdktf"', '"cdktn"') : text);
  }
}

const copied = dependents(reached("index"));
copied.forEach((module) => write(module, copied));
// Only the other entry uses it.
KINDS.forEach((kind) => rmSync(join(DIST, "lib", `${PLAIN}${kind}`)));
console.log(`dist/cdktn: ${readdirSync(join(DIST, "cdktn"), { recursive: true }).length} files and directories`);
