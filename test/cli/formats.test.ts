/** What all commands that print in several forms have in common. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { filed } from "../state/support/states";
import { emptyFolder, program, run } from "./support/run";

jest.setTimeout(120_000);

const folder = emptyFolder();
const file = join(folder, "terraform.tfstate");
writeFileSync(file, JSON.stringify(filed([{ key: "web" }], { tracker: "terraform_data" })));
const status = (...args: readonly string[]) => run(program("ssh-only-firewall", "status", file, ...args), folder);

test.each([
  ["check", "table, json, junit"],
  ["status", "table, json, junit"],
  ["report", "table, markdown, json, html, junit, prometheus"],
  ["stacks", "table, json"],
  ["review", "markdown, github, json"],
  ["validate", "text, github, json"],
  ["render", "nftables, iptables, ip6tables, iptables-file, ip6tables-file"],
])("%s lists its formats for one that it does not have, and in its help", (command, formats) => {
  const wrong = run(program("ssh-only-firewall", command, "--format", "yaml"), folder);
  expect(wrong.stdout).toBe("");
  expect(wrong.stderr).toContain(
    `option '--format <FORMAT>' argument 'yaml' is invalid. Allowed choices are ${formats}.`,
  );
  const { stdout } = run(program("ssh-only-firewall", command, "--help"), folder);
  const [, listed = ""] = /\nFormats:\n((?: {2}.*\n)+)/.exec(stdout) ?? [];
  expect(
    listed
      .match(/^ {2}\S+/gm)
      ?.map((name) => name.trim())
      .join(", "),
  ).toBe(formats);
});

test("a short form prints what --format does, and is not given beside it", () => {
  for (const form of ["json", "junit"]) {
    const short = status(`--${form}`);
    expect(short).toEqual(status("--format", form));
    expect(short).toMatchObject({ code: 0, stderr: "" });
    expect(short.stdout).not.toBe(status().stdout);
    expect(status("--format", "table", `--${form}`)).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringContaining(`option '--${form}' cannot be used with option '--format <FORMAT>'`),
    });
  }
  expect(status("--format", "table")).toEqual(status());
});
