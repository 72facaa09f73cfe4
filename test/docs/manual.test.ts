/** The manual: how long it is, and that what it names is there. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as ts from "typescript";
import { parse } from "yaml";
import { commandPage, wholeProgram } from "../../build/command-page";
import { WORDS } from "../../lib/check/findings";
import { FLEET_KEYS, parseFleet } from "../../lib/fleet/fleet-file";
import { CONNECTION_KEYS } from "../../lib/policy/connection";
import { EXCEPTION_KINDS } from "../../lib/policy/exception";
import { RULES, VERDICTS } from "../../lib/report/verdict-rules";
import { DANGERS } from "../../lib/review/dangers";
import { CLAIMS, CONDITIONS } from "../../lib/status/conditions";
import { filesIn, ROOT } from "../support/sources";
import { anchorsOf, blocks, codeSpans, lines, links, MANUAL, page, targetOf, words } from "./support/pages";

const README = page("README.md");
const byFile = new Map(MANUAL.map((one) => [one.file, one]));
const anchors = new Map(MANUAL.map((one) => [one.file, anchorsOf(one)]));
const everyBlock = MANUAL.flatMap(blocks);
const written = (language: string) => everyBlock.filter((block) => block.language === language);
const placed = everyBlock.map((block) => [`${block.file}:${block.line}`, block] as const);
const placedIn = (language: string) => placed.filter(([, block]) => block.language === language);

describe("the length", () => {
  test("README is at most 150 lines and 1,200 words", () => {
    expect(lines(README)).toBeLessThanOrEqual(150);
    expect(words(README)).toBeLessThanOrEqual(1200);
  });

  test("ARCHITECTURE is at most 150 lines", () => {
    expect(lines(page("ARCHITECTURE.md"))).toBeLessThanOrEqual(150);
  });

  test("no page of the manual is over 250 lines, except the reference that is made from the code", () => {
    const long = MANUAL.filter(({ file }) => file.startsWith("docs/")).filter((one) => lines(one) > 250);
    expect(long.map(({ file }) => file)).toEqual(["docs/API.md"]);
  });
});

describe("what a page names is there", () => {
  test.each(MANUAL.map((one) => [one.file, one] as const))("every link and anchor of %s leads somewhere", (_, one) => {
    const dead = links(one).filter((link) => {
      const { path, anchor } = targetOf(one, link);
      return !existsSync(join(ROOT, path)) || (anchor !== "" && anchors.get(path)?.has(anchor) !== true);
    });
    expect(dead).toEqual([]);
  });

  test("every page of the manual can be reached from README", () => {
    const reached = new Set<string>();
    const visit = (file: string): void => {
      const one = byFile.get(file);
      if (one !== undefined && !reached.has(file)) {
        reached.add(file);
        links(one).forEach((link) => visit(targetOf(one, link).path));
      }
    };
    visit("README.md");
    expect([...byFile.keys()].filter((file) => !reached.has(file))).toEqual([]);
  });

  test.each(MANUAL.map((one) => [one.file, one] as const))("every file that %s names exists", (_, one) => {
    const named = codeSpans(one).filter((code) =>
      /^(lib|test|docs|examples|build|bench|bin)\/[\w./-]*(\.\w+|\/)$/.test(code),
    );
    const isRecipe = (path: string): boolean => /[A-Z]{3,}/.test(path.replace(/[A-Z]+\.md$/, ""));
    expect(named.filter((path) => !isRecipe(path) && !existsSync(join(ROOT, path)))).toEqual([]);
  });

  test("no source, example or test points to a section of README, which has moved", () => {
    const sources = filesIn(["lib", "examples", "build"], ".ts", ".sh", ".yaml", ".yml", ".awk", ".rego");
    const pointing = sources.filter((file) =>
      /README(\.md)?[,"' ]*(says|,? "|has the)|ARCHITECTURE\.md, "/.test(readFileSync(join(ROOT, file), "utf8")),
    );
    expect(pointing).toEqual([]);
  });
});

describe("the commands", () => {
  const commandLine = wholeProgram();

  test("docs/commands.md is what the help says; npm run commands writes it", async () => {
    // Prettier aligns the tables, and puts empty lines around lists.
    const plain = (text: string): string[] =>
      text
        .replace(/-{3,}/g, "---")
        .replace(/[ \t]+/g, " ")
        .split("\n")
        .map((line) => line.trim())
        .filter((line) => line !== "");
    expect(plain(page("docs/commands.md").text)).toEqual(plain(commandPage(await commandLine)));
  });

  test("every option of the help is in docs/commands.md under its command, and the other way round", async () => {
    const { commands } = await commandLine;
    const sections = page("docs/commands.md").text.split(/^## /m).slice(1);
    const flags = (text: string): string[] =>
      [...text.matchAll(/`(?:-\w, )?(--[a-z-]+)[^`]*`/g)].map(([, flag = ""]) => flag);
    const tableOf = (title: string): string =>
      sections
        .filter((part) => part.startsWith(`${title}\n`))
        .join()
        .split("\n")
        .filter((line) => line.startsWith("|"))
        .join("\n");
    const asking = flags(tableOf("Asking hosts"));
    expect(asking).toHaveLength(6);
    for (const command of commands) {
      const section = sections.find((part) => part.startsWith(`${command.name()}\n`)) ?? "";
      const documented = [...flags(tableOf(command.name())), ...(section.includes("(#asking-hosts)") ? asking : [])];
      const offered = command.options.map(({ long }) => long);
      expect([command.name(), documented.sort()]).toEqual([command.name(), offered.sort()]);
    }
  });

  test("every command that a page runs has the options that it is run with", async () => {
    const { commands } = await commandLine;
    const texts = [...written("sh").map(({ code }) => code), ...MANUAL.flatMap(codeSpans)];
    const runs = texts.flatMap((text) => [
      ...text.matchAll(/(?:npx )(?:cdktf-)?ssh-only-firewall ([a-z-]+)([^\n|;#>]*)/g),
    ]);
    expect(runs.length).toBeGreaterThan(20);
    const wrong = runs.filter(([, name = "", rest = ""]) => {
      const command = commands.find((one) => one.name() === name);
      const asked = [...rest.matchAll(/(?<=\s)--[a-z-]+/g)].map(([flag]) => flag);
      return command === undefined || !asked.every((flag) => command.options.some(({ long }) => long === flag));
    });
    expect(wrong.map(([run]) => run)).toEqual([]);
  });

  test("README has every command but those that Terraform and scripts run", async () => {
    const rows = README.text.slice(README.text.indexOf("## Commands"));
    const missing = (await commandLine).commands
      .map((one) => one.name())
      .filter((name) => !rows.includes(`| \`${name}\``));
    expect(missing).toEqual(["drift", "move-hosts"]);
  });
});

describe("the code", () => {
  test.each(placedIn("yaml"))(
    "is a fleet that is valid, or other YAML that says which file it is: %s",
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

  test.each(placedIn("ts"))("is TypeScript, and the example that it names: %s", (_, { code }) => {
    const { diagnostics } = ts.transpileModule(code, { reportDiagnostics: true });
    expect(diagnostics?.map(({ messageText }) => messageText)).toEqual([]);
    const [, example] = /^\/\/ (examples\/\S+)\n/.exec(code) ?? [];
    if (example !== undefined) {
      expect(readFileSync(join(ROOT, example), "utf8")).toContain(code.slice(code.indexOf("\n") + 1));
    }
  });

  test.each(placedIn("text"))("is output that a test or a golden file has, line by line: %s", (_, { code }) => {
    const known = ["test/golden/report/fleet.txt", "test/cli/check.test.ts"].map((file) => page(file).text).join("\n");
    expect(code.split("\n").filter((line) => !known.includes(line))).toEqual([]);
  });

  test("is in a language that is checked, or output, or a picture", () => {
    const languages = new Set(
      MANUAL.filter(({ file }) => file !== "ARCHITECTURE.md")
        .flatMap(blocks)
        .map((one) => one.language),
    );
    expect([...languages].sort()).toEqual(["mermaid", "sh", "text", "ts", "yaml"]);
  });
});

describe("the words", () => {
  /** What stands in code spans of a page. */
  const spans = (file: string): string[] => codeSpans(page(file)).map((code) => code.replace(/^\| /, ""));

  test.each([
    ["docs/reference.md", "status", [...Object.keys(CONDITIONS), ...Object.values(CLAIMS).map(({ word }) => word)]],
    ["docs/reference.md", "danger", Object.keys(DANGERS)],
    ["docs/reference.md", "word of check", Object.keys(WORDS)],
    ["docs/reference.md", "verdict", Object.keys(VERDICTS)],
    ["docs/observe-and-decide.md", "rule", Object.keys(RULES)],
    ["docs/exceptions.md", "exception kind", EXCEPTION_KINDS],
    ["docs/configuration.md", "setting", [...FLEET_KEYS, ...CONNECTION_KEYS]],
    ["docs/troubleshooting.md", "refusal", refusals()],
  ])("%s has every %s", (file, _, all) => {
    expect(all.length).toBeGreaterThan(3);
    expect([...new Set(all)].filter((word) => !spans(file).includes(word))).toEqual([]);
  });

  test("docs/troubleshooting.md has every exit code of the host program, with its meaning", () => {
    const header = readFileSync(join(ROOT, "lib/host/base.sh"), "utf8").replace(/\n# ?/g, " ");
    const listed = /Exit codes: (.*?)\./.exec(header)?.[1] ?? "";
    const codes = listed.split("; ").map((one) => /^(\d+) (.*)$/.exec(one)?.slice(1) ?? []);
    expect(codes.length).toBeGreaterThan(9);
    const rows = page("docs/troubleshooting.md").text.replace(/ +/g, " ");
    const bare = (text: string): string => text.replace(/[(:,)]/g, "");
    const missing = codes.filter(([code = "", meaning = ""]) => !bare(rows).includes(bare(`| ${code} | ${meaning} |`)));
    expect(missing).toEqual([]);
  });

  test("docs/messages.md has every message with which the host program ends", () => {
    const messages = filesIn(["lib/host"], ".sh").flatMap((file) =>
      [...readFileSync(join(ROOT, file), "utf8").matchAll(/\bdie \d+ (?:'([^']*)'|"([^"]*)")/g)].map(
        ([, plain, quoted]) => plain ?? quoted ?? "",
      ),
    );
    const fixedParts = (message: string): string[] => message.split(/\$(?:\{[^}]*\}|\w+)/).map((part) => part.trim());
    const written = codeSpans(page("docs/messages.md")).filter((code) => code.length > 15);
    const isThere = (message: string): boolean =>
      fixedParts(message).some((part) => written.some((code) => part.includes(code)));
    expect(messages.length).toBeGreaterThan(25);
    expect(messages.filter((message) => /[a-z]/.test(fixedParts(message).join("")) && !isThere(message))).toEqual([]);
    const gone = written.filter((code) => code.endsWith(".") && !messages.some((message) => message.includes(code)));
    expect(gone).toEqual([]);
  });

  test("no text has a phrase that the project has a standard term for", () => {
    const phrases =
      /goes? back by itself|\bknock(s|ed|ing)?\b|\bsuspects\b|\bstrays\b|run by nobody|made of names and values|(?<!there) is none|\bof ours\b|\bof before\b|what passes through|\btells? more\b/i;
    const read = (file: string): string[] => readFileSync(join(ROOT, file), "utf8").split("\n");
    const texts = filesIn(["lib", "bin", "docs", "examples"], ".ts", ".sh", ".awk", ".md", ".yaml", ".yml", ".rego");
    const names = filesIn(["test"], ".test.ts").flatMap((file) =>
      read(file)
        .filter((line) => /^\s*(test|it|describe)\b.*"/.test(line))
        .map((line) => `${file}: ${line}`),
    );
    const lines = [...texts, "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].flatMap((file) =>
      read(file).map((line) => `${file}: ${line}`),
    );
    expect([...lines, ...names].filter((line) => phrases.test(line))).toEqual([]);
  });

  /** The words of the host program's refusals, and those that check has for what it sees from here. */
  function refusals(): string[] {
    const refusal = /\brefuse \d ([a-z-]+) ["']|\bword: "([a-z-]+)"|\? "([a-z-]+)" : "no-answer"/g;
    return filesIn(["lib/host", "lib/check"], ".sh", ".ts").flatMap((file) =>
      [...readFileSync(join(ROOT, file), "utf8").matchAll(refusal)].flatMap((match) =>
        match.slice(1).filter((word) => word !== undefined && !(word in WORDS)),
      ),
    );
  }
});
