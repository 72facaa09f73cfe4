import { exitCodeOf, type Section } from "../../bench/part";
import { withSection } from "../../bench/results";

const MACHINE = "2 × a processor, 4 GiB";
const ORDER = ["synth", "plan", "plan-10000"];

const section = (title: string, measured: string, holds = true): Section => ({
  title,
  demands: [{ what: "at most 2 s", measured, holds }],
  lines: ["| a | b |", "| --- | --- |", `| ${measured} | 2 |`],
});

const afterTwo = [
  ["plan", section("terraform plan", "7 s")],
  ["synth", section("writing", "1 s", false)],
].reduce((text, [name, of]) => withSection(text, MACHINE, ORDER, name as string, of as Section), "");

test("the results begin with the demands in the order of the parts, and mark those that do not hold", () => {
  const demands = afterTwo.split("\n").filter((line) => line.includes("at most 2 s"));
  expect(demands).toEqual(["| synth | at most 2 s | 1 s | **no** |", "| plan | at most 2 s | 7 s | yes |"]);
  expect(afterTwo.indexOf("## synth: writing")).toBeLessThan(afterTwo.indexOf("## plan: terraform plan"));
});

test("a part that runs again replaces its own rows and section, and nothing else", () => {
  const again = withSection(afterTwo, MACHINE, ORDER, "plan", section("terraform plan", "6 s"));
  expect(again).toBe(afterTwo.replaceAll("7 s", "6 s"));
});

test("a part whose name begins with that of another keeps its own rows", () => {
  const three = withSection(afterTwo, MACHINE, ORDER, "plan-10000", section("more", "24 s"));
  expect(withSection(three, MACHINE, ORDER, "synth", section("writing", "1 s", false))).toBe(three);
});

test("what was measured on another machine is not kept", () => {
  const elsewhere = withSection(afterTwo, "another", ORDER, "plan", section("terraform plan", "9 s"));
  expect(elsewhere).not.toContain("synth");
  expect(elsewhere).toContain("Machine: another.");
});

test("the exit code distinguishes a demand that does not hold from a part that was not measured", () => {
  const [holds, not] = [section("a", "1 s"), section("b", "3 s", false)];
  expect([[], [holds], [holds, not], [not, undefined]].map(exitCodeOf)).toEqual([0, 0, 2, 1]);
});
