import * as fc from "fast-check";
import { defined, items } from "../support/required";
import { groupsOf, type Layout, shardOf, suffixesOf } from "../../lib/terraform/layout";

const key = fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,20}$/);
const layout: fc.Arbitrary<Layout> = fc
  .tuple(fc.integer({ min: 1, max: 256 }), fc.uniqueArray(key, { maxLength: 8 }), fc.integer({ min: 1, max: 8 }))
  .map(([shards, keys, cut]) => ({ shards, waves: [keys.slice(0, cut), keys.slice(cut)].filter((one) => one.length) }));

/** The groups, of all waves, in which a host is. */
function groupsWith(host: string, shape: Layout): string[] {
  return groupsOf(shape)
    .flat()
    .filter(({ shard, only, allBut }) => {
      const isHere = only === undefined ? !allBut?.includes(host) : only.includes(host);
      return isHere && shard === shardOf(host, shape.shards);
    })
    .map(({ suffix }) => suffix);
}

describe("the shard of a host", () => {
  // Were one of these to change, every host of every fleet would be unlocked and locked again.
  test.each([
    ["web-1", 2, 0],
    ["web-1", 64, 58],
    ["db-1", 64, 60],
    ["a", 256, 18],
    ["a", 1, 0],
  ])("of %s among %i is %i, for ever", (name, shards, shard) => {
    expect(shardOf(name, shards)).toBe(shard);
  });

  test("is one of them, and about the same number of hosts is in each", () => {
    const counts = Array.from({ length: 64 }, () => 0);
    for (let host = 0; host < 10_000; host++) {
      const shard = shardOf(`host-${host}`, 64);
      counts[shard] = defined(counts[shard]) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(100);
    expect(Math.max(...counts)).toBeLessThan(220);
  });
});

describe("every host", () => {
  test("is in one group of one wave, and is called after it", () => {
    fc.assert(
      fc.property(layout, fc.array(key), (shape, others) => {
        for (const host of [...shape.waves.flat(), ...others]) {
          expect(groupsWith(host, shape)).toEqual([suffixesOf(host, shape).lockdown]);
        }
      }),
      { numRuns: 30 },
    );
  });

  test("has names that no other number of shards gives it", () => {
    fc.assert(
      fc.property(
        key,
        fc.uniqueArray(fc.integer({ min: 1, max: 256 }), { minLength: 2, maxLength: 2 }),
        (host, counts) => {
          const [one, other] = counts.map((shards) => suffixesOf(host, { shards, waves: [] }).hold);
          expect(one).not.toBe(other);
        },
      ),
    );
  });
});

test("without shards and waves the names are plain", () => {
  expect(groupsOf({ shards: 1, waves: [] })).toEqual([[{ suffix: "", wave: "", shard: 0, allBut: [] }]]);
});

test("a wave has resources only for the shards of its hosts; the last wave has all", () => {
  const [first, rest] = items(groupsOf({ shards: 4, waves: [["web-1"]] }), 2);
  const shard = shardOf("web-1", 4);
  expect(first).toEqual([{ suffix: `_wave_1_4_${shard}`, wave: "_wave_1", shard, only: ["web-1"] }]);
  expect(rest.map(({ suffix, allBut }) => [suffix, allBut])).toEqual(
    [0, 1, 2, 3].map((one) => [`_4_${one}`, one === shard ? ["web-1"] : []]),
  );
});
