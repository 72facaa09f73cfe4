import { eventually } from "./eventually";

test("returns once the condition is true", async () => {
  let asked = 0;
  await eventually("it is asked for the third time", () => ++asked === 3);
  expect(asked).toBe(3);
});

test("takes an expectation as the condition", async () => {
  let asked = 0;
  await eventually("it is asked for the third time", () => expect(++asked).toBe(3));
  expect(asked).toBe(3);
});

test("fails with what was waited for and the last error", async () => {
  const never = eventually(
    "the host is open",
    () => {
      throw new Error("no answer");
    },
    { seconds: 0 },
  );
  await expect(never).rejects.toThrow("Not within 0 s: the host is open\nno answer");
});

test("fails at once when waiting has become pointless", async () => {
  const signal = AbortSignal.abort(new Error("the process ended"));
  const never = eventually("the process listens", () => false, { signal });
  await expect(never).rejects.toThrow("Error: the process ended, before this was true: the process listens");
});
