/** Whatever is given as a fleet file, it is a fleet or is rejected, in bounded time and memory: a hang fails by the timeout. */
import { execFileSync, spawn } from "node:child_process";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseFleet } from "../../lib/fleet/fleet-file";
import { readFleet } from "../../lib/fleet/fleet-file";
import { describeProblem } from "../../lib/input/problems";
import { emptyFolder } from "../cli/support/run";

const problemsOf = (text: string): string[] =>
  parseFleet(text).problems.map((problem) => `${problem.line}:${problem.column}: ${describeProblem(problem)}`);

const repeated = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join("\n");

const HOST = "hosts: { a: 192.0.2.1 }\n";

describe("a fleet file that repeats parts of itself", () => {
  const bomb = (open: string, close: string): string =>
    repeated(12, (index) =>
      index === 0
        ? "h0: &h0 { address: 192.0.2.1 }"
        : `h${index}: &h${index} ${open}[${Array(9)
            .fill(`*h${index - 1}`)
            .join(", ")}]${close}`,
    );

  test.each([
    ["lists of lists", bomb("", ""), /^8:10: h7\[0\]: /],
    ["merges of merges", bomb("{ <<: ", " }"), /^7:56: h6\["<<"\]\[8\]: /],
  ])("is rejected at the alias that makes it too large, before it is: %s", (_what, text, place) => {
    expect(text.length).toBeLessThan(800);
    const [first, ...others] = problemsOf(text);
    expect(first).toMatch(/: repeats so much by aliases \(\*name\) that the file has more than 2000000 values; /);
    expect(first).toMatch(place);
    expect(others).toEqual([]);
  });

  test("in the settings of a backend is rejected too", () => {
    const settings = bomb("", "").replaceAll("\n", ", ");
    expect(problemsOf(`terraform: { backend: { s3: { key: x, ${settings} } } }\n${HOST}`)).toEqual([
      expect.stringMatching(/^1:[0-9]+: terraform\.backend\.s3\.h7\[\d\]: repeats so much by aliases/),
    ]);
  });

  test("is rejected for a long text that is repeated often", () => {
    const hosts = repeated(5000, (index) => `  h${index}: { address: *x }`);
    expect(problemsOf(`name: &x ${"x".repeat(100_000)}\nhosts:\n${hosts}`)).toEqual([
      expect.stringMatching(/^\d+:\d+: hosts\.h\d+\.address: repeats so much by aliases/),
    ]);
  });

  test("may merge one mapping into each of very many hosts", () => {
    const hosts = repeated(10_000, (index) => `  h${index}: { <<: *a, address: 10.0.${index >> 8}.${index & 255} }`);
    expect(problemsOf(`hosts:\n  a: &a { address: 192.0.2.1, connection: { user: ops } }\n${hosts}`)).toEqual([]);
  }, 60_000);

  test("may give an anchor a second time inside what had it first", () => {
    const { fleet, problems } = parseFleet("hosts: { a: &x { address: &x 192.0.2.1, connection: { user: *x } } }\n");
    expect(problems).toEqual([]);
    expect(fleet?.firewall.host("a")?.connection.user).toBe("192.0.2.1");
  });
});

test.each([
  ["lists", `hosts: ${"[".repeat(100_000)}`],
  ["mappings", `hosts: ${"{ a: ".repeat(100_000)}`],
  ["items on a line", `hosts:\n  ${"- ".repeat(100_000)}x`],
  ["explicit keys", "? ".repeat(100_000)],
  ["indentation", repeated(2000, (index) => `${" ".repeat(index)}a:`)],
])("a fleet file that is nested very deep is rejected at that place: %s", (_what, text) => {
  expect(problemsOf(text)).toEqual([
    expect.stringMatching(/^\d+:\d+: is nested more than 100 levels deep; take levels out$/),
  ]);
});

test("a fleet file of very many words and signs is rejected before they take memory", () => {
  expect(problemsOf(`hosts: [${",".repeat(3_100_000)}`)).toEqual([
    expect.stringMatching(/^1:\d+: makes the file longer than 3000000 words and signs; divide the fleet$/),
  ]);
}, 120_000);

describe("very many problems", () => {
  const manyBad = `hosts:\n${repeated(20_000, (index) => `  h${index}: "x y"`)}\n`;

  test("are counted, and the first are named with their places", () => {
    const { fleet, problems, count } = parseFleet(manyBad);
    expect(fleet).toBeUndefined();
    expect(count).toBe(20_000);
    expect(problems).toHaveLength(100);
    expect(problems[99]).toMatchObject({ path: "hosts.h99.address", line: 101, column: 3 });
  }, 60_000);

  test("are printed as lines that a person can read", () => {
    const file = join(emptyFolder(), "fleet.yaml");
    writeFileSync(file, manyBad);
    expect(() => readFleet(file)).toThrow(new RegExp(`${file}: and 19900 more problems; fix these first$`));
  }, 60_000);

  test("with the text are counted likewise", () => {
    const { problems, count } = parseFleet(repeated(5000, () => "a: @x"));
    expect([problems.length, count]).toEqual([100, 5000]);
  }, 60_000);
});

describe("what is read as a fleet file", () => {
  test("is no more than 16 MiB", () => {
    const file = join(emptyFolder(), "fleet.yaml");
    writeFileSync(file, HOST);
    truncateSync(file, 100 * 2 ** 20);
    expect(() => readFleet(file)).toThrow(`${file}: is larger than 16 MiB; is it a fleet file?`);
    expect(() => readFleet("/dev/zero")).toThrow("/dev/zero: is larger than 16 MiB");
  });

  test("may be a pipe, also one whose writer comes late", () => {
    const pipe = join(emptyFolder(), "fleet.yaml");
    execFileSync("mkfifo", [pipe]);
    spawn("sh", ["-c", `sleep 0.3; printf '%s' '${HOST}' > "$0"`, pipe], { stdio: "ignore" });
    expect(readFleet(pipe).firewall.hosts).toHaveLength(1);
  }, 30_000);

  test("is not waited for without end", () => {
    const pipe = join(emptyFolder(), "fleet.yaml");
    execFileSync("mkfifo", [pipe]);
    const now = Date.now();
    const clock = jest
      .spyOn(Date, "now")
      .mockReturnValueOnce(now)
      .mockReturnValue(now + 21_000);
    try {
      expect(() => readFleet(pipe)).toThrow(`${pipe}: cannot be read: no text that ends came within 20 seconds`);
    } finally {
      clock.mockRestore();
    }
  });
});
