import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { emptyFolder, program, ROOT, run } from "./support/run";

const folder = emptyFolder();

test("--help of every command shows how it is used, with examples", () => {
  const help = run(program("ssh-only-firewall", "--help"), folder);
  expect(help).toMatchObject({ code: 0, stderr: "" });
  for (const command of [
    "init",
    "check",
    "validate",
    "completion",
    "render",
    "review",
    "status",
    "report",
    "stacks",
    "drift",
  ]) {
    expect(help.stdout).toMatch(new RegExp(`^  ${command} `, "m"));
    const { code, stdout } = run(program("ssh-only-firewall", command, "--help"), folder);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      new RegExp(`^Usage: ssh-only-firewall ${command} [^]*\nExamples:\n  \\$ ssh-only-firewall `),
    );
  }
});

test("--version is the package's", () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
  expect(run(program("ssh-only-firewall", "--version"), folder)).toEqual({
    code: 0,
    stdout: `${version}\n`,
    stderr: "",
  });
});

test.each([
  [[], /^Usage: ssh-only-firewall /],
  [["rendr"], /^error: unknown command 'rendr'\n\(Did you mean render\?\)\n/],
  [["init", "a", "b"], /^error: too many arguments for 'init'/],
  [["init", "--force"], /^error: unknown option '--force'\n/],
  [["render", "--format", "ufw"], /^error: .* 'ufw' is invalid. Allowed choices are nftables, iptables, /],
  [["render", "--allow-from"], /^error: option '--allow-from <SOURCE>' argument missing\n/],
])("%p is wrong usage: exit code 2, and nothing on standard output", (args, message) => {
  const ended = run(program("ssh-only-firewall", ...args), folder);
  expect(ended).toEqual({ code: 2, stdout: "", stderr: expect.stringMatching(message) });
});

test("a reader that has seen enough is no error", () => {
  const command = program("ssh-only-firewall", "render", "--allow-from", "192.0.2.1").map((word) => `'${word}'`);
  // The reader is gone before anything is written.
  const script = `{ ${command.join(" ")}; echo "exit code $?" >&2; } | true`;
  const { stderr } = spawnSync("bash", ["-c", script], { cwd: folder, encoding: "utf8" });
  expect(stderr).toBe("exit code 0\n");
});
