/** What is uploaded to hosts, and its version, by which a lockdown's trigger sees that hosts need another one. */
import { spawnSync } from "node:child_process";
import {
  commentedLauncher,
  commentedProgram,
  HEADER,
  type Files,
  hostFiles,
  hostProgram,
  hostProgramParts,
  hostProgramVersion,
  launcher,
} from "../../lib/host/program";
import { stripAwk } from "../../lib/host/strip";
import { describeUnless } from "../support/describe-unless";

/** What only asks a host is not kept there. */
const paths = [...hostFiles().keys()].filter((path) => !path.startsWith("ask"));
const awkPaths = paths.filter((path) => path.endsWith(".awk"));

function changed(path: string, change: (text: string) => string): Files {
  const text = hostFiles().get(path) as string;
  expect(change(text)).not.toBe(text);
  return new Map(hostFiles()).set(path, change(text));
}

test("all files of the folder are found", () => {
  expect(paths).toEqual(expect.arrayContaining(["main.sh", "init/systemd.sh", "backends/nftables.sh"]));
  expect(awkPaths.length).toBeGreaterThan(5);
});

test.each(paths)("the version is another one when a statement is added to %s", (path) => {
  const files = changed(path, (text) => `${text}true\n`);
  expect(hostProgramVersion(files)).not.toBe(hostProgramVersion());
});

test.each(paths)("the version stays the same when comments and blank lines are added to %s", (path) => {
  const files = changed(path, (text) => `# It's "new".\n\n${text}\n  # And 'this.\n\t\n`);
  expect(hostProgramVersion(files)).toBe(hostProgramVersion());
  expect(launcher(files)).toBe(launcher());
});

test("a comment changes the text only where it is in the header", () => {
  const inHeader = changed("base.sh", (text) => text.replace("Exit codes:", "Exit codes, all of them:"));
  expect(hostProgram(inHeader)).not.toBe(hostProgram());
  expect(hostProgramVersion(inHeader)).toBe(hostProgramVersion());
  const elsewhere = changed("base.sh", (text) => text.replace("# Sets date.", "# Sets the date."));
  expect(hostProgram(elsewhere)).toBe(hostProgram());
});

test("the header has a line for each verb, and no other comment is uploaded", () => {
  const [header] = HEADER.exec(hostProgram()) as RegExpExecArray;
  const dispatched = [...(hostFiles().get("main.sh") as string).matchAll(/^ {4}([a-z-]+):\d/gm)];
  expect(dispatched.length).toBeGreaterThan(10);
  for (const [, verb] of dispatched) {
    expect(header).toMatch(new RegExp(`\\b${verb as string}\\b`));
  }
  const comments =
    hostProgram()
      .slice(header.length)
      .match(/^[ \t]*#.*$/gm) ?? [];
  const inScripts = [...hostFiles()].filter(([path]) => path.startsWith("init/")).map(([, text]) => text);
  expect(comments.filter((line) => !inScripts.join().includes(`${line}\n`))).toEqual([]);
});

test("the pieces, joined by line breaks, are the program", () => {
  expect(hostProgramParts().join("\n")).toBe(hostProgram());
  expect(Math.max(...hostProgramParts().map((part) => part.split("\n").length))).toBeLessThan(60);
});

test.each(awkPaths)("%s has no single quote, which would end the shell's string", (path) => {
  expect(stripAwk(hostFiles().get(path) as string)).not.toContain("'");
  expect(() => hostProgram(changed(path, (text) => `${text}'`))).toThrow(`${path}: a single quote`);
});

const has = (command: string): boolean => spawnSync(command, ["--help"]).error === undefined;

/** All of it as one function, in bash's own words, which have no comments. */
function declared(text: string): string {
  const input = `program() {\n${text}\n}\ndeclare -f program\n`;
  const { stdout, stderr } = spawnSync("bash", { input, encoding: "utf8" });
  expect(stderr).toBe("");
  return stdout;
}

describeUnless(has("bash") ? undefined : "bash is not installed", "bash reads the same", () => {
  test.each([
    ["host program", commentedProgram(), hostProgram()],
    ["launcher", commentedLauncher(), launcher()],
  ])("in the uploaded %s as in its files", (_, commented, uploaded) => {
    expect(uploaded.length).toBeLessThan(commented.length);
    expect(declared(uploaded)).toBe(declared(commented));
    // Whether a difference would be seen.
    expect(declared(uploaded.replace("exit", "exit 1"))).not.toBe(declared(commented));
  });
});

/** The code that mawk makes of a program. */
function compiled(program: string): string {
  const { stdout, status } = spawnSync("mawk", ["-W", "dump", program], { input: "", encoding: "utf8" });
  expect(status).toBe(0);
  expect(stdout.length).toBeGreaterThan(100);
  // Where a pattern lies in memory.
  return stdout.replace(/0x[0-9a-f]+/g, "");
}

/** The files whose functions another one calls. */
const CALLED: Readonly<Record<string, readonly string[]>> = {
  "awk/ipsec.awk": ["awk/addresses.awk"],
  "awk/ruleset-lines.awk": ["awk/addresses.awk"],
  "awk/ruleset.awk": ["awk/addresses.awk", "awk/ruleset-lines.awk"],
};

const before = (path: string): string => (CALLED[path] ?? []).map((one) => hostFiles().get(one) as string).join("");

describeUnless(has("mawk") ? undefined : "mawk is not installed", "mawk reads the same", () => {
  test.each(awkPaths)("in %s with comments and without", (path) => {
    const text = hostFiles().get(path) as string;
    expect(stripAwk(text).length).toBeLessThan(text.length);
    expect(compiled(before(path) + stripAwk(text))).toBe(compiled(before(path) + text));
  });
});

/** Those that stand in a file of the shell, and the files for awk with what they call. */
const awkPrograms: ReadonlyArray<readonly [string, string]> = [
  ...awkPaths.map((path) => [path, before(path) + (hostFiles().get(path) as string)] as const),
  ...paths.flatMap((path) =>
    [...(hostFiles().get(path) as string).matchAll(/\bawk [^'\n]*'([^']*)'/g)].map(
      ([, program = ""], index) => [`${path}, program ${index + 1}`, program] as const,
    ),
  ),
];

describe.each(["original-awk", "busybox"])("%s", (awk) => {
  describeUnless(has(awk) ? undefined : `${awk} is not installed`, "reads", () => {
    test.each(awkPrograms)("%s", (_, program) => {
      const words = awk === "busybox" ? ["awk", program] : [program];
      const { stderr } = spawnSync(awk, words, { input: "", encoding: "utf8", timeout: 10_000 });
      expect(stderr).toBe("");
    });
  });
});
