import * as fc from "fast-check";
import { placeOfName } from "../../lib/fleet/jump-hash";

const names = Array.from({ length: 3000 }, (_, index) => `web-${index}`);

test("a name keeps its place for ever: another one would open the host and lock it again", () => {
  const places = ["web-1", "web-2", "db-1", "legacy", "1.10"].map((name) =>
    [1, 2, 8, 256].map((count) => placeOfName(name, count)),
  );
  expect(places).toEqual([
    [0, 1, 1, 80],
    [0, 0, 0, 110],
    [0, 0, 6, 74],
    [0, 0, 5, 182],
    [0, 1, 6, 101],
  ]);
});

test("one place more takes its share from all others, and moves nothing else", () => {
  for (const count of [1, 2, 7, 8, 33]) {
    const moved = names.filter((name) => placeOfName(name, count) !== placeOfName(name, count + 1));
    expect(moved.every((name) => placeOfName(name, count + 1) === count)).toBe(true);
    const share = names.length / (count + 1);
    expect(Math.abs(moved.length - share)).toBeLessThan(5 * Math.sqrt(share));
  }
});

test("all places are used alike", () => {
  const counts = Array.from({ length: 8 }, (_, place) => names.filter((name) => placeOfName(name, 8) === place).length);
  expect(Math.min(...counts)).toBeGreaterThan(300);
  expect(Math.max(...counts)).toBeLessThan(450);
});

test("any name has a place that is there", () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 256 }), (name, count) => {
      const place = placeOfName(name, count);
      expect(Number.isInteger(place) && place >= 0 && place < count).toBe(true);
    }),
  );
});
