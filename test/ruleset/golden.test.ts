import { readdirSync } from "node:fs";
import { GOLDEN, expectGolden, golden, rendered } from "./support/golden";

describe("golden rulesets", () => {
  test.each(Object.keys(rendered))("%s is what its policy renders to", (name) => {
    expectGolden(name);
  });

  test("there is no golden file that nothing renders", () => {
    const files = readdirSync(GOLDEN, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => `${entry.parentPath}/${entry.name}`.slice(GOLDEN.length + 1));
    expect(files.sort()).toEqual(Object.keys(rendered).sort());
  });
});

describe("every ruleset", () => {
  test.each(Object.keys(rendered))("%s is ASCII, ends with one newline, and has no trailing blanks", (name) => {
    expect(rendered[name]).toMatch(/^[\t\n\x20-\x7e]*[^\n]\n$/);
    expect(rendered[name]).not.toMatch(/[ \t]\n/);
  });

  test.each(Object.keys(rendered))("%s says above every rule, or group of rules, why it is there", (name) => {
    const lines = golden(name)
      .split("\n")
      .map((line) => line.trim());
    const isRule = (line: string): boolean =>
      /^-A |^(?!type |#).*(accept|drop|reject with .*|comment ".*"|prefix ".*")$/.test(line);
    const unexplained = lines.filter((line, index) => {
      const above = lines.slice(0, index).findLast((one) => !isRule(one));
      return isRule(line) && !above?.startsWith("#");
    });
    expect(lines.filter(isRule).length).toBeGreaterThan(5);
    expect(unexplained).toEqual([]);
  });
});
