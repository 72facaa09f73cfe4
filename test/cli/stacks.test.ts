import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Ended, emptyFolder, program, run } from "./support/run";

const folder = emptyFolder();
const stacks = (...args: string[]): Ended => run(program("ssh-only-firewall", "stacks", ...args), folder);
const hosts = (count: number): string =>
  Array.from({ length: count }, (_, index) => `  web-${index + 1}: 192.0.2.${index + 1}\n`).join("");

writeFileSync(join(folder, "fleet.yaml"), `stacks: 2\nhosts:\n${hosts(20)}`);
writeFileSync(join(folder, "one.yaml"), `name: old\nhosts:\n${hosts(3)}`);
writeFileSync(join(folder, "wide.yaml"), `stacks: 3\nhosts:\n${hosts(1)}`);

test("a table lists the stacks, and their hosts", () => {
  expect(stacks()).toEqual({
    code: 0,
    stderr: "",
    stdout: expect.stringMatching(/^STACK {4}HOSTS\nfleet-0 {2}\d+\nfleet-1 {2}\d+\n$/),
  });
  expect(stacks("one.yaml").stdout).toBe("STACK  HOSTS\nold    3\n");
  expect(stacks("wide.yaml").stdout).toMatch(/\n\nWithout a host, and not written: fleet-\d, fleet-\d\.\n$/);
});

test("--json is a matrix for CI, with every host counted once", () => {
  const { stdout } = stacks("--json");
  const { include } = JSON.parse(stdout) as { include: Array<{ stack: string; hosts: number }> };
  expect(include.map(({ stack }) => stack)).toEqual(["fleet-0", "fleet-1"]);
  expect(include.reduce((sum, { hosts }) => sum + hosts, 0)).toBe(20);
  expect(JSON.parse(stacks("one.yaml", "--json").stdout)).toEqual({ include: [{ stack: "old", hosts: 3 }] });
});

test("a file that is not a fleet file is reported, with nothing on standard output", () => {
  expect(stacks("there.yaml")).toEqual({
    code: 1,
    stdout: "",
    stderr: "there.yaml: is not there; give the path of a fleet file\n",
  });
});

test("--from prints no script for what cannot be moved", () => {
  expect(stacks("one.yaml", "--from", "fleet.yaml")).toEqual({
    code: 1,
    stdout: "",
    stderr: expect.stringMatching(
      /^fleet\.yaml: hosts\.web-\d+: is not in the other file, and its stack fleet-\d is no longer made/,
    ),
  });
});
