/** Traffic profiles with their labels: SEEDS=4,5 draws others. */
import { randomFrom } from "../support/random";
import { defined } from "../support/required";
import { replyOf } from "./support/packets";
import { PROFILES } from "./support/profiles";
import { reportOn } from "./support/reports";

const seeds = (process.env.SEEDS ?? "1,2,3").split(",").map(Number);

describe.each(seeds)("with seed %i", (seed) => {
  const found = PROFILES.map(({ name, truth, trace }) => {
    const { hosts } = reportOn({ host: replyOf(trace(randomFrom(seed))) });
    const { verdict, reasons } = defined(hosts[0]);
    return { name, truth, verdict, reasons };
  });

  test("there are at least 60 profiles", () => {
    expect(new Set(PROFILES.map(({ name }) => name)).size).toBeGreaterThanOrEqual(60);
  });

  test("no host is called better than it is", () => {
    const order = ["used", "unknown", "ssh-only", "unused"];
    expect(found.filter(({ truth, verdict }) => order.indexOf(verdict) > order.indexOf(truth))).toEqual([]);
  });

  test("at most one of thirty that are called used was not", () => {
    const used = found.filter(({ verdict }) => verdict === "used");
    const wrong = used.filter(({ truth }) => truth !== "used");
    expect(wrong.slice(Math.floor(used.length / 30))).toEqual([]);
  });

  test("what is noise is called unused, and logins are called logins", () => {
    expect(found.filter(({ truth, verdict }) => truth !== "used" && truth !== verdict)).toEqual([]);
  });

  test("each verdict has its reasons", () => {
    expect(found.filter(({ reasons }) => reasons.length === 0)).toEqual([]);
  });
});
