/** The shell as it runs: joined, so that ShellCheck sees also what one part leaves to another; with the comments that direct it. */
import { spawnSync } from "node:child_process";
import { commentedLauncher, commentedProgram } from "../../lib/host/program";
import { toShellWord } from "../../lib/terraform/escape";
import { describeUnless } from "../support/describe-unless";
import { lockSettings } from "./support/host-program";

/**
 * Without .shellcheckrc, whose exclusions for single files (SC2154 and SC2034: variables of another file) hide nothing
 * here. SC2015: "A && B || C" stands where B cannot fail or C is meant for both. SC2317: what only a trap calls is
 * unreachable in the eyes of some versions.
 */
function shellcheck(...texts: readonly string[]): string[] {
  const options = ["--norc", "-s", "sh", "-f", "gcc", "-e", "SC2015,SC2317", "-"];
  const { stdout, stderr } = spawnSync("shellcheck", options, { input: texts.join("\n"), encoding: "utf8" });
  return `${stdout}${stderr}`.split("\n").filter((line) => line !== "");
}

const constants = (settings: Readonly<Record<string, string>>): string =>
  Object.entries(settings)
    .map(([name, value]) => `SSH_ONLY_${name}=${toShellWord({ literal: value })}`)
    .join("\n");

const missing = spawnSync("shellcheck", ["--version"]).error !== undefined;
describeUnless(missing ? "shellcheck is not installed" : undefined, "ShellCheck finds nothing", () => {
  test("in the joined host program behind its settings, of which it uses all", () => {
    expect(shellcheck(constants(lockSettings({ PROGRAM: "exit" })), commentedProgram())).toEqual([]);
  });

  test("in the launcher behind its settings", () => {
    expect(shellcheck(constants({ VERB: "lock", PROGRAM: "exit" }), commentedLauncher())).toEqual([]);
  });

  test("unless a variable is misspelt, never set, or never used", () => {
    // The two warnings that are the point of looking at the joined text.
    expect(shellcheck(commentedProgram(), "unused=1", 'echo "$neverset"').join()).toMatch(
      /SC2034.*SC2154|SC2154.*SC2034/,
    );
  });
});
