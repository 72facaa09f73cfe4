/** A user must be able to name every type that a public signature mentions. */
import { join } from "node:path";
import * as ts from "typescript";
import { ROOT } from "../cli/support/run";

const OUT = join(ROOT, "declarations");
const { config } = ts.readConfigFile(join(ROOT, "tsconfig.json"), (file) => ts.sys.readFile(file)) as {
  config: { compilerOptions: object };
};
const options: ts.CompilerOptions = {
  ...ts.convertCompilerOptionsFromJson(config.compilerOptions, ROOT).options,
  declaration: true,
  emitDeclarationOnly: true,
  stripInternal: true,
  rootDir: ROOT,
  outDir: OUT,
};

/** The declarations as the package ships them, which no file holds. */
function declarations(): ReadonlyMap<string, string> {
  const written = new Map<string, string>();
  ts.createProgram([join(ROOT, "lib/index.ts")], options).emit(undefined, (file, text) => written.set(file, text));
  return written;
}

/** A program over files that are in memory only. */
function programOf(files: ReadonlyMap<string, string>, main: string): ts.Program {
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile.bind(host);
  return ts.createProgram([main], options, {
    ...host,
    fileExists: (file) => files.has(file) || ts.sys.fileExists(file),
    directoryExists: (directory) => directory.startsWith(OUT) || ts.sys.directoryExists(directory),
    readFile: (file) => files.get(file) ?? ts.sys.readFile(file),
    getSourceFile: (file, version, ...rest) => {
      const text = files.get(file);
      return text === undefined ? read(file, version, ...rest) : ts.createSourceFile(file, text, version, true);
    },
  });
}

/** The names of the types of this package that can be reached from what `index` exports. */
function mentioned(program: ts.Program, index: string): readonly string[] {
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(index) as ts.SourceFile) as ts.Symbol;
  const found = new Set<ts.Symbol>();
  const add = (symbol: ts.Symbol): void => {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    const own = (target.declarations ?? []).filter((one) => one.getSourceFile().fileName.startsWith(OUT));
    if (own.length > 0 && !found.has(target)) {
      found.add(target);
      own.forEach(visit);
    }
  };
  const visit = (node: ts.Node): void => {
    const name = ts.isTypeReferenceNode(node)
      ? node.typeName
      : ts.isExpressionWithTypeArguments(node)
        ? node.expression
        : ts.isImportTypeNode(node)
          ? node.qualifier
          : undefined;
    const symbol = name && checker.getSymbolAtLocation(name);
    if (symbol !== undefined) {
      add(symbol);
    }
    ts.forEachChild(node, visit);
  };
  checker.getExportsOfModule(module).forEach(add);
  return [...found].map(({ name }) => name).sort();
}

test("every type in a public signature can be imported by its name", () => {
  const files = declarations();
  const names = mentioned(programOf(files, join(OUT, "lib/index.d.ts")), join(OUT, "lib/index.d.ts"));
  expect(names).toEqual(expect.arrayContaining(["SshOnlyFirewall", "Mode", "Problem", "InvalidInputError", "Family"]));
  const user = join(OUT, "user.ts");
  const text = `import type { ${names.join(", ")} } from "./lib/index";\nexport type All = [${names.join(", ")}];\n`;
  const program = programOf(new Map([...files, [user, text]]), user);
  const problems = program.getSemanticDiagnostics(program.getSourceFile(user));
  expect(problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))).toEqual([]);
}, 120_000);
