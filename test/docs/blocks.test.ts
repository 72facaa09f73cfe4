/**
 * The code blocks of the manual. TypeScript is compiled, YAML is read as what it is, output is compared with what the program prints.
 * Of shell, each command is known: ours run where they need no host, and are read by the command line where they do.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import * as ts from "typescript";
import { parse } from "yaml";
import { COMMANDS, run } from "../../lib/cli/run";
import { starterPackage } from "../../lib/cli/starter-package";
import { FLEET, nameIn, PARTS } from "../../lib/contract/names";
import { parseFleet } from "../../lib/fleet/fleet-file";
import { hostProgramVersion } from "../../lib/host/program";
import { emptyFolder, program, run as spawned } from "../cli/support/run";
import { bytesOf, planOf, PROGRAM } from "../review/support/plans";
import { filed } from "../state/support/states";
import { defined } from "../support/required";
import { ROOT } from "../support/sources";
import { describeWith } from "../terraform/support/real-tools";
import { blocks, codeSpans, MANUAL } from "./support/pages";
import { type Pipeline, pipelinesOf } from "./support/shell";

const placed = MANUAL.flatMap(blocks).map((block) => [`${block.file}:${block.line}`, block] as const);
const placedIn = (language: string) => placed.filter(([, block]) => block.language === language);
const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");

test("a block is in a language that is checked here", () => {
  // The one without a language is the drawing of ARCHITECTURE.md.
  const languages = new Set(placed.map(([, { language }]) => language));
  expect([...languages].sort()).toEqual(["", "mermaid", "sh", "text", "ts", "yaml"]);
  expect(placedIn("").map(([, { file }]) => file)).toEqual(["ARCHITECTURE.md"]);
});

test.each(placedIn("yaml"))(
  "the YAML is a fleet that is valid, or names the file that it belongs to: %s",
  (_, { code }) => {
    expect(code).toMatch(/^# \S+\.ya?ml/);
    if (code.startsWith("# fleet.yaml")) {
      const whole = /^hosts:/m.test(code) ? code : `${code}hosts: { web-1: 192.0.2.10 }\n`;
      expect(parseFleet(whole).problems).toEqual([]);
    } else {
      parse(code);
    }
  },
);

describe("TypeScript", () => {
  test("compiles as in a project of its own", () => {
    const files = new Map(
      placedIn("ts").map(([, { code }], index) => [join(ROOT, `examples/block-${index}.ts`), code]),
    );
    expect(files.size).toBeGreaterThan(1);
    const { config } = ts.readConfigFile(join(ROOT, "tsconfig.json"), ts.sys.readFile);
    const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, ROOT);
    const entries = ["cdktf-ssh-only-firewall", "cdktf-ssh-only-firewall/cdktn"];
    const paths = Object.fromEntries(entries.map((entry) => [entry, [join(ROOT, "lib/index.ts")]]));
    const all = { ...options, paths, noEmit: true, declaration: false, noUnusedLocals: false, types: ["node"] };
    const host = ts.createCompilerHost(all);
    const { getSourceFile, fileExists } = host;
    host.fileExists = (file) => files.has(file) || fileExists(file);
    host.getSourceFile = (file, version, ...rest) =>
      files.has(file)
        ? ts.createSourceFile(file, files.get(file) ?? "", version)
        : getSourceFile.call(host, file, version, ...rest);
    const compiled = ts.createProgram([...files.keys()], all, host);
    const found = [...files.keys()].flatMap((file) => {
      const source = compiled.getSourceFile(file);
      return [...compiled.getSyntacticDiagnostics(source), ...compiled.getSemanticDiagnostics(source)];
    });
    expect(found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))).toEqual([]);
  });

  test.each(placedIn("ts").filter(([, { code }]) => code.startsWith("// examples/")))(
    "is the example that it names: %s",
    (_, { code }) => {
      const [, example = ""] = /^\/\/ (examples\/\S+)\n/.exec(code) ?? [];
      expect(read(example)).toContain(code.slice(code.indexOf("\n") + 1));
    },
  );
});

test.each(placedIn("text"))("the output is what a test or a golden file has, line by line: %s", (_, { code }) => {
  const known = ["test/golden/report/fleet.txt", "test/cli/check.test.ts"].map(read).join("\n");
  expect(code.split("\n").filter((line) => !known.includes(line))).toEqual([]);
});

test.each(placedIn("mermaid"))("the drawing has lines that Mermaid knows: %s", (_, { code }) => {
  const [kind = "", ...lines] = code.trimEnd().split("\n");
  const known: Readonly<Record<string, RegExp>> = {
    sequenceDiagram: /^ +(\w+->>\w+: .+|Note (over|right of) [\w, ]+: .+|(alt|else|loop|opt) .+|end|participant \w+)$/,
    "stateDiagram-v2": /^ +(\[\*\]|\w+) --> (\[\*\]|\w+)(: .+)?$/,
    "flowchart LR": /^ +\w+(\["[^"]+"\])?( -->(\|[^|]+\|)? \w+(\["[^"]+"\])?)+$/,
    "flowchart TD": /^ +\w+(\["[^"]+"\])?( -->(\|[^|]+\|)? \w+(\["[^"]+"\])?)+$/,
  };
  expect(lines.filter((line) => known[kind]?.test(line) !== true)).toEqual([]);
});

/** A word of a command line is one of our commands, which may stand behind npx. */
function ownArguments(words: readonly string[]): readonly string[] | undefined {
  const isNpx = words[0] === "npx";
  const [first, ...rest] = isNpx ? words.slice(words[1] === "--no" ? 3 : 1) : words;
  return /^(cdktf-)?ssh-only-firewall$/.test(first ?? "") ? rest : undefined;
}

/** What runs here, because it needs no host, no Terraform and no standard input. */
const runsHere = (args: readonly string[]): boolean =>
  (["init", "validate", "render", "stacks", "completion"].includes(args[0] ?? "") && !args.includes("--pin")) ||
  args.includes("--help") ||
  (args[0] === "review" && args[1] === "plan.json");

/** Our commands that are read by the command line and not run here: why, and the test that runs them. */
const NOT_RUN: Readonly<Record<string, readonly [why: string, test: string]>> = {
  init: ["asks hosts where --pin is given", "test/program/pin.test.ts"],
  pin: ["asks hosts", "test/cli/pin.test.ts"],
  check: ["asks hosts", "test/e2e/check.test.ts"],
  status: ["asks Terraform for a state, and hosts", "test/e2e/status.test.ts"],
  report: ["asks Terraform for a state, and hosts", "test/e2e/report.test.ts"],
  review: ["asks Terraform to show a plan, or reads standard input", "test/cli/review.test.ts"],
  drift: ["asks Terraform for a state, and hosts", "test/e2e/drift.test.ts"],
};

const hold = `null_resource.${nameIn(FLEET.construct, PARTS.hold)}["web-1"]`;
const scripts = (json: string): string[] => Object.keys((JSON.parse(json) as { scripts: object }).scripts);
const own = JSON.parse(read("package.json")) as Record<string, Record<string, string>>;
const packages = ["cdktf-ssh-only-firewall", ...Object.keys({ ...own.devDependencies, ...own.peerDependencies })];
const npmScripts = [...scripts(read("package.json")), ...scripts(starterPackage("cdktf"))];
const verbs = [...defined(/host\.sh (.*?)\\n/.exec(read("lib/host/main.sh"))?.[1]).matchAll(/[a-z-]{4,}/g)].join(" ");

/** Commands of others, as the manual writes them: what is checked of each, and why it is not run here. */
const OTHERS: Readonly<Record<string, readonly [why: string, isRight: (args: readonly string[]) => boolean]>> = {
  npm: [
    "needs a registry, or runs these tests",
    ([verb, ...rest]) =>
      verb === "test" ||
      (verb === "run" && npmScripts.includes(rest[0] ?? "")) ||
      (verb === "install" && rest.every((name) => packages.includes(name))),
  ],
  terraform: [
    "needs a stack and its state: test/e2e/review.test.ts has both",
    (args) =>
      ["state pull", "show -json plan.tfplan", "plan -out=plan.tfplan", `state rm ${hold}`].includes(args.join(" ")),
  ],
  sh: [
    "runs on a host (test/e2e/unlock.test.ts), or pushes states (test/fleet/migration/migrate.test.ts)",
    ([file, verb = ""]) =>
      file === "move.sh" || (file === "/var/lib/ssh-only-firewall/host.sh" && verbs.split(" ").includes(verb)),
  ],
  jq: ["runs below, where jq is installed", () => true],
  git: ["needs the user's repository", (args) => args.join(" ") === "show HEAD:fleet.yaml"],
  conftest: [
    "test/package/conftest.test.ts runs it",
    (args) => args.join(" ") === "test --combine --policy examples/conftest -",
  ],
  "[": ["asks whether the script is there", (args) => args.join(" ") === "-s move.sh ]"],
  source: ["changes the shell that runs it", () => true],
  echo: ["feeds the command behind the pipe", () => true],
};

/** A folder with the files that the manual's commands name. */
function userFolder(): string {
  const folder = emptyFolder();
  const starter = read("examples/starter/fleet.yaml");
  mkdirSync(join(folder, "old-servers"));
  ["fleet.yaml", "old-servers/fleet.yaml"].forEach((file) => writeFileSync(join(folder, file), starter));
  writeFileSync(join(folder, "earlier.yaml"), `${starter}stacks: 2\n`);
  const plan = bytesOf(planOf([{ key: "web-1" }])).toString();
  writeFileSync(join(folder, "plan.json"), plan.replaceAll(PROGRAM, hostProgramVersion()));
  return folder;
}

/** In this process, because starting a program for each would take half a minute. */
async function runIn(folder: string, args: readonly string[]): Promise<{ code: number; stdout: string }> {
  const before = process.cwd();
  const printed: string[] = [];
  const keep = (text: string | Uint8Array): boolean => printed.push(String(text)) > 0;
  const spies = [
    jest.spyOn(process.stdout, "write").mockImplementation(keep),
    jest.spyOn(process.stderr, "write").mockReturnValue(true),
  ];
  process.chdir(folder);
  try {
    return { code: await run(args), stdout: printed.join("") };
  } finally {
    process.chdir(before);
    spies.forEach((spy) => spy.mockRestore());
  }
}

/** What the command line says of arguments, without doing anything; undefined if it takes them. */
async function mistakeIn([name = "", ...args]: readonly string[]): Promise<string | undefined> {
  const load = COMMANDS[name];
  if (load === undefined) {
    return `unknown command ${name}`;
  }
  const parser = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  (await load())(parser);
  defined(parser.commands[0]).action(() => {});
  try {
    await parser.parseAsync([name, ...args], { from: "user" });
    return undefined;
  } catch (error) {
    return error instanceof CommanderError ? error.message : String(error);
  }
}

describe("shell", () => {
  const folder = userFolder();

  test.each(placedIn("sh"))("is shell: %s", (_, { code }) => {
    const { status, stderr } = spawnSync("bash", ["-n"], { input: code, encoding: "utf8" });
    expect([status, stderr]).toEqual([0, ""]);
  });

  test.each(placedIn("sh"))(
    "has commands that run, or that are known with the reason why they do not: %s",
    async (_, { code }) => {
      const commands = pipelinesOf(code).flat();
      expect(commands).not.toEqual([]);
      for (const { words } of commands) {
        const args = ownArguments(words);
        const [name = "", ...rest] = words;
        if (args === undefined) {
          expect([words, OTHERS[name]?.[1](rest)]).toEqual([words, true]);
        } else if (runsHere(args)) {
          const { code: ended, stdout } = await runIn(args[0] === "init" ? emptyFolder() : folder, args);
          expect([words, ended]).toEqual([words, 0]);
          // A fleet without a problem has nothing to print.
          expect([words, stdout !== "" || args[0] === "validate"]).toEqual([words, true]);
        } else {
          expect([words, Object.keys(NOT_RUN).includes(args[0] ?? ""), await mistakeIn(args)]).toEqual([
            words,
            true,
            undefined,
          ]);
        }
      }
    },
  );

  test.each(Object.entries(NOT_RUN))(
    "%s, which is not run here, is run by the test that is named",
    (name, [, file]) => {
      expect(existsSync(join(ROOT, file)) && new RegExp(`["' ]${name}["' ]`).test(read(file))).toBe(true);
    },
  );

  test("in the text is taken by the command line too", async () => {
    const written = MANUAL.filter(({ file }) => file !== "CHANGELOG.md").flatMap(codeSpans);
    // The lines of usage in docs/commands.md are compared with the help in manual.test.ts.
    const found = written.filter((span) => /ssh-only-firewall [a-z]/.test(span) && !/[$<…[]| --help/.test(span));
    expect(found.length).toBeGreaterThan(5);
    const wrong: unknown[] = [];
    for (const span of found) {
      for (const { words } of pipelinesOf(span).flat()) {
        const args = ownArguments(words);
        const mistake = args === undefined ? undefined : await mistakeIn(args);
        wrong.push(...(mistake === undefined ? [] : [[span, mistake]]));
      }
    }
    expect(wrong).toEqual([]);
  });

  test("in the text names scripts of npm that exist", () => {
    const named = MANUAL.flatMap(codeSpans).flatMap((span) => [...span.matchAll(/npm run ([a-z:-]+)/g)]);
    expect(named.map(([, name = ""]) => name).filter((name) => !npmScripts.includes(name))).toEqual([]);
  });
});

describeWith("the filters of jq", ["jq", "ssh"], () => {
  const folder = userFolder();
  writeFileSync(join(folder, "state.json"), JSON.stringify(filed([{ key: "web" }], { tracker: "terraform_data" })));
  writeFileSync(join(folder, "fleet.yaml"), "hosts: { web-1: { address: 127.0.0.1, sshPort: 1 } }\n");

  /** What the command in front of jq prints; where it would ask for a state, of one in a file. */
  async function printedBy(args: readonly string[]): Promise<string> {
    if (args[0] === "report") {
      return read("test/golden/report/fleet.json");
    }
    // It loads what asks hosts by names that only the compiled program has.
    return args[0] === "check"
      ? spawned(program("ssh-only-firewall", ...args), folder).stdout
      : (await runIn(folder, args[0] === "status" ? ["status", "state.json", "--json"] : args)).stdout;
  }

  const piped = placedIn("sh").flatMap(([place, { code }]) =>
    pipelinesOf(code)
      .filter((commands: Pipeline) => commands[1]?.words[0] === "jq")
      .map((commands) => [place, commands] as const),
  );

  test.each(piped)("read what the command prints: %s", async (_, [command, jq]) => {
    const input = await printedBy(defined(ownArguments(defined(command).words)));
    const { status, stdout, stderr } = spawnSync("jq", defined(jq).words.slice(1), { input, encoding: "utf8" });
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).not.toMatch(/^null$/m);
  });
});
