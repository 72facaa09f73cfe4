import { DANGERS } from "../../lib/review/dangers";
import { toMarkdown } from "../../lib/review/markdown";
import { readPlan } from "../../lib/review/plan";
import { type Review, reviewJson, reviewPlan } from "../../lib/review/review";
import { plain } from "../../lib/review/text";
import { readKeptReport } from "../../lib/input/kept-report";
import { bytesOf, type MadeUpHost, planOf } from "./support/plans";

const AT = "2026-11-20T08:00:00Z";
const SOURCES = ["192.0.2.0/24"];
const DAY_MS = 86_400_000;

/** What report --json has of a host, as far as a review reads it. */
const reported = (verdict: string, others: object = {}): object => ({
  ...{ host: "a", firewall: "fleet", address: "192.0.2.10", state: "locked", verdict },
  ...{ quietSince: "2026-10-01T00:00:00Z", reasons: ["first reason", "second"] },
  ...others,
});

const reportOf = (hosts: readonly object[], at: string | null = AT): object => ({
  version: 2,
  at,
  verdicts: {},
  hosts,
});

function review(plan: unknown, report: object | undefined, days = 1): Review {
  const usage = report === undefined ? {} : { usage: readKeptReport(bytesOf(report)) };
  return reviewPlan(readPlan(bytesOf(plan)), { ...usage, nowMs: Date.parse(AT) + days * DAY_MS });
}

const inUse = ({ dangers }: Review): string[] =>
  dangers
    .filter(({ kind }) => kind === "in-use")
    .flatMap(({ findings }) => findings.map(({ detail }) => plain(detail)));

const planned = (host: Partial<MadeUpHost>): Record<string, unknown> => planOf([{ key: "a", ...host }]);

/** Its hold and lockdown are destroyed, and unlock runs. */
function removed(): Record<string, unknown> {
  const plan = planned({ before: SOURCES });
  for (const one of plan.resource_changes as Array<{ name: string; change: object }>) {
    if (one.name !== "fleet_ruleset") {
      Object.assign(one.change, { actions: ["delete"], after: null });
    }
  }
  return plan;
}

const enforced = (): Record<string, unknown> => planned({ before: SOURCES, mode: ["observe", "enforce"] });

describe("a review with a report", () => {
  test.each([
    ["that is unlocked", removed, "it is given up"],
    ["that was only observed and is enforced", enforced, "it was only observed, and is closed now"],
    ["that is locked for the first time", () => planned({}), "it is closed now"],
  ] as const)("lists a host %s as in use where it is used or unknown, and only notes it otherwise", (_, plan, what) => {
    for (const verdict of ["used", "unknown"]) {
      const found = review(plan(), reportOf([reported(verdict)]));
      expect(inUse(found)).toEqual([`${what}; ${verdict}: first reason, and 1 more`]);
      expect(toMarkdown(found)).toContain("although the report calls them used or unknown: 1\n");
    }
    for (const [verdict, why] of [
      ["ssh-only", "first reason, and 1 more"],
      ["unused", "since 2026-10-01T00:00:00Z"],
    ] as const) {
      const found = review(plan(), reportOf([reported(verdict)]));
      expect(inUse(found)).toEqual([]);
      expect(toMarkdown(found)).toContain(`By the report of \`${AT}\`:\n\n| Host | Verdict |\n`);
      expect(toMarkdown(found)).toContain(`${verdict}: \`${why}\` |`);
    }
  });

  test.each([
    ["stays locked", planned({ before: SOURCES })],
    ["begins to be observed", planned({ mode: ["observe", "observe"] })],
  ])("has nothing to say of a used host that %s", (_, plan) => {
    const found = review(plan, reportOf([reported("used")]));
    expect(inUse(found)).toEqual([]);
    expect(toMarkdown(found)).toContain(`By the report of \`${AT}\`, no such host is in this plan.`);
  });

  test.each([
    ["does not have the host", [reported("unused", { host: "b" })]],
    ["has it at another address", [reported("unused", { address: "192.0.2.99" })]],
    ["has it in another firewall", [reported("unused", { firewall: "module.x.fleet" })]],
  ])("calls a host unknown where the report %s", (_, hosts) => {
    expect(inUse(review(removed(), reportOf(hosts)))).toEqual([
      "it is given up; unknown: the report does not have this host",
    ]);
  });

  test("finds the host of a report that names no firewall by its name and address", () => {
    expect(inUse(review(removed(), reportOf([reported("unused", { firewall: null })])))).toEqual([]);
  });

  test.each([
    [8, AT, []],
    [9, AT, ["it is given up; unknown: the report is 9 days old; ask again"]],
    [-2, AT, ["it is given up; unknown: it is not known when the report was made"]],
    [1, null, ["it is given up; unknown: it is not known when the report was made"]],
  ])("%d days after the report of %s does not call a host unused that may be used by now", (days, at, expected) => {
    expect(inUse(review(removed(), reportOf([reported("unused")], at), days))).toEqual(expected);
    expect(inUse(review(removed(), reportOf([reported("used")], at), days))[0]).toMatch(/; used: first reason/);
  });

  test("reports to machines what it knows of the use, and null without a report", () => {
    const jsonOf = (found: Review): object => reviewJson(found, "") as object;
    expect(jsonOf(review(removed(), reportOf([reported("unused")])))).toMatchObject({
      usage: { at: AT, hosts: [{ host: "a", verdict: "unused" }] },
    });
    expect(jsonOf(review(removed(), undefined))).toMatchObject({ usage: null });
  });
});

test("a review warns that unlocking a host ends its evidence", () => {
  const shown = toMarkdown(review(removed(), undefined));
  expect(shown).toContain(DANGERS.opened.meaning);
  expect(DANGERS.opened.meaning).toContain("keep its `report` first");
  expect(shown).toContain("removes the firewall's own rules and what it recorded of the host's use, and nothing else");
});

test.each([
  ["no JSON", "x", /^is not JSON; give what/],
  ["a plan", JSON.stringify(planned({})), /^is not a report; give what `ssh-only-firewall report --json` prints$/],
  ["another version", JSON.stringify({ ...reportOf([]), version: 3 }), /^is a report of another version/],
  ["a verdict that is none", JSON.stringify(reportOf([reported("idle")])), /^hosts\[0\]\.verdict: must be one of used/],
])("a report that is %s cannot be read", (_, content, message) => {
  expect(() => readKeptReport(Buffer.from(content))).toThrow(message);
});
