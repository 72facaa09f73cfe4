/** The manual: how long it is, and that what it names is there. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { commandPage, wholeProgram } from "../../build/command-page";
import { phrasesIn } from "../../build/lint-words";
import { WORDS } from "../../lib/check/findings";
import { FLEET_KEYS } from "../../lib/fleet/fleet-file";
import { CONNECTION_KEYS } from "../../lib/policy/connection";
import { EXCEPTION_KINDS } from "../../lib/policy/exception";
import { RULES, VERDICTS } from "../../lib/report/verdict-rules";
import { DANGERS } from "../../lib/review/dangers";
import { CLAIMS, CONDITIONS } from "../../lib/status/conditions";
import { filesIn, ROOT } from "../support/sources";
import { anchorsOf, codeSpans, lines, links, MANUAL, page, pictures, targetOf, words } from "./support/pages";

const README = page("README.md");
const byFile = new Map(MANUAL.map((one) => [one.file, one]));
const anchors = new Map(MANUAL.map((one) => [one.file, anchorsOf(one)]));

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

  test("every picture is there, no larger than 150 kB, and npm run screenshots makes it", () => {
    const shown = MANUAL.flatMap(pictures);
    expect(shown.filter((path) => statSync(join(ROOT, path)).size > 150_000)).toEqual([]);
    const made = readFileSync(join(ROOT, "build/screenshots.ts"), "utf8");
    expect(shown.filter((path) => !made.includes(`"${basename(path)}"`))).toEqual([]);
    expect(filesIn(["docs"], ".png").sort()).toEqual([...shown].sort());
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

  test("README has every command but those that Terraform and scripts run", async () => {
    const rows = README.text.slice(README.text.indexOf("## Commands"));
    const missing = (await commandLine).commands
      .map((one) => one.name())
      .filter((name) => !rows.includes(`| \`${name}\``));
    expect(missing).toEqual(["drift", "move-hosts"]);
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

  test("the lint of words finds the phrases that it is for, in whatever case", () => {
    expect(phrasesIn("a rule of ours, which Tells them apart")).toHaveLength(2);
    expect(phrasesIn("The host rolls back, and shows which rule it was.")).toEqual([]);
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
