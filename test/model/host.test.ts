/** The model of the host program: searched exhaustively, and kept together with the program by the names of its steps. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeWith } from "../terraform/support/real-tools";
import { Checker } from "./support/checker";
import { diagramsOf, MODEL, removable, stepsOf } from "./support/source";

const model = readFileSync(MODEL, "utf8");
const README = join(__dirname, "README.md");
const HOST = join(__dirname, "../../lib/host");

test("every step of the model is a function of the host program", () => {
  const files = readdirSync(HOST, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".sh"));
  const program = files.map((name) => readFileSync(join(HOST, name), "utf8")).join("\n");
  const functions = new Set([...program.matchAll(/^(\w+)\(\)/gm)].map(([, name]) => name));
  const steps = stepsOf(model).map(({ name }) => name.replace(/__.*/, ""));
  expect(steps.length).toBeGreaterThan(40);
  expect(steps.filter((name) => !functions.has(name))).toEqual([]);
});

test("the diagrams in the README are those of the model", () => {
  const [text] = readFileSync(README, "utf8").split("## What a host is") as [string];
  const expected = text + diagramsOf(model);
  if (process.env.UPDATE_GOLDEN === "1") {
    writeFileSync(README, expected);
  }
  expect(readFileSync(README, "utf8")).toBe(expected);
});

describeWith("the checker", ["spin", "gcc"], () => {
  let checker: Checker;
  beforeAll(async () => {
    checker = await Checker.build();
  }, 120_000);
  afterAll(() => checker?.remove());

  test("finds no fault in anything that can happen", async () => {
    const { fault, complete, states } = await checker.search();
    expect({ fault, complete }).toEqual({ fault: undefined, complete: true });
    expect(states).toBeGreaterThan(1_000_000);
  }, 600_000);

  test.each(removable(model))(
    "finds a fault without %s",
    async (_name, number) => {
      expect((await checker.search(number)).fault).toMatch(/^assertion violated/);
    },
    300_000,
  );
});
