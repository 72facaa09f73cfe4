/** Memory, not time: what the garbage collector leaves depends on no other program. */
import { items } from "../support/required";
import { type Argv, ROOT, run } from "../cli/support/run";

test("three times the hosts take at most three times the memory, and little more", () => {
  const command: Argv = [
    process.execPath,
    "--expose-gc",
    "--import",
    "tsx",
    "test/construct/support/heap.ts",
    "1000",
    "3000",
  ];
  const { code, stdout, stderr } = run(command, ROOT);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const [few, many] = items(JSON.parse(stdout) as number[], 2);
  expect(many / few).toBeLessThan(3.5);
});
