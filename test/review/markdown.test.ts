import fc from "fast-check";
import { defined, items, withoutUndefined } from "../support/required";
import { DANGERS, type DangerKind } from "../../lib/review/dangers";
import { LONGEST_COMMENT, toMarkdown } from "../../lib/review/markdown";
import { readPlan } from "../../lib/review/plan";
import { type Review, reviewPlan } from "../../lib/review/review";
import { visible } from "../../lib/output/markdown";
import { bytesOf, change, type MadeUpHost, planOf } from "./support/plans";
import { brokenIn, codeIn } from "./support/rendered";

const review = (hosts: readonly MadeUpHost[], others?: object): Review =>
  reviewPlan(readPlan(bytesOf(planOf(hosts, { ...others }))));

/** What is markup to Markdown, HTML or GitHub, and what is invisible or turns the direction of writing. */
const NASTY = [
  "|",
  "`",
  "``",
  "\\",
  "\\|",
  "*",
  "_",
  "<b>",
  "</details>",
  "<!--",
  "-->",
  "&lt;",
  "@someone",
  "#1",
  "https://a.example",
  "www.a.example",
  "\n",
  "\r",
  "\n\n# x\n",
  "\u202e",
  "\u2028",
  "\0",
  "[x](y)",
  "![x](y)",
  "~~",
  " ",
  "\t",
  "$x$",
  ":+1:",
  "x",
  "\ud800",
];
const nasty = fc
  .array(fc.oneof(fc.constantFrom(...NASTY), fc.string({ unit: "binary", maxLength: 5 })), {
    minLength: 1,
    maxLength: 6,
  })
  .map((parts) => parts.join(""));

describe("Markdown", () => {
  test("has tables, folds and tags of its own only, whatever hosts are called and wherever they are", () => {
    fc.assert(
      fc.property(nasty, nasty, fc.boolean(), (key, address, first) => {
        const host = {
          key,
          address,
          hostKey: "",
          before: first ? undefined : ["198.51.100.0/24"],
          after: ["0.0.0.0/0"],
        };
        const markdown = toMarkdown(review([withoutUndefined(host)]));
        expect(brokenIn(markdown)).toEqual([]);
        // The value is in a code span, and there it is what it was, but for what is made visible.
        const shown = visible(key, /[`|\p{C}\p{Zl}\p{Zp}]|^\s|\s$/gu);
        expect(codeIn(markdown)).toContain(shown);
      }),
      { numRuns: 150 },
    );
  });

  test("has none either of a reason, an action, an address, a host program, a hash, a setting or a check", () => {
    interface Changed {
      name: string;
      address: string;
      action_reason: string;
      change: Record<"before" | "after", { triggers_replace: Record<string, string> }> & { actions: string[] };
    }
    fc.assert(
      fc.property(nasty, nasty, nasty, nasty, (a, b, c, d) => {
        const plan = planOf([
          { key: "a", before: ["198.51.100.0/24"], after: ["0.0.0.0/0"], hostKey: "" },
          { key: "b", before: ["192.0.2.0/24"] },
        ]);
        const changes = plan.resource_changes as Changed[];
        const [hold, quiet] = items(
          changes.filter(({ name }) => name === "fleet_hold"),
          2,
        );
        Object.assign(hold, { action_reason: a, change: { ...hold.change, actions: ["delete", "create"] } });
        Object.assign(quiet.change, { actions: ["update"], before: { ...quiet.change.before, input: { [a]: b } } });
        const [first, second] = items(
          changes.filter(({ name }) => name === "fleet_lockdown").map((one) => one.change),
          2,
        );
        first.before.triggers_replace.host_program = b;
        second.after.triggers_replace.host_program = c;
        second.after.triggers_replace.ruleset_sha256 = d;
        const drifted = { ...hold, address: d, change: { ...hold.change, actions: [a] } };
        const other = { ...change("x", "y", [b], {}, {}), name: "other", address: a };
        const problem = { address: { to_display: c }, instances: [{ problems: [{ message: d }] }] };
        const text = JSON.stringify({
          ...plan,
          resource_changes: [...changes, other],
          resource_drift: [drifted],
          deferred_changes: [{ resource_change: { ...hold, address: c } }],
          checks: [problem],
        });
        const setting = JSON.stringify(`BACKEND='${a.replace(/['$\n]/g, "")}'`).slice(1, -1);
        const bytes = Buffer.from(text.replace("BACKEND='auto'", () => setting));
        expect(brokenIn(toMarkdown(reviewPlan(readPlan(bytes))))).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  test("has no way out of the fence of a diff", () => {
    fc.assert(
      fc.property(nasty, (line) => {
        const lines = ["--- a", "+++ b", "@@ -1,1 +1,1 @@", `+${line}`, "+```", "+</details>"];
        const base = review([{ key: "web-1" }]);
        const markdown = toMarkdown({ ...base, rulesetChanges: [{ lines, hosts: ["web-1"], whole: false }] });
        expect(brokenIn(markdown)).toEqual([]);
        expect(codeIn(markdown).at(-1)?.split("\n")).toHaveLength(lines.length + 1);
      }),
      { numRuns: 150 },
    );
  });

  test("is short enough, however much there is, and counts what it left out", () => {
    const hosts = Array.from({ length: 3000 }, (_, index) => ({
      key: `a-rather-long-name-of-a-host-in-a-large-fleet-${index}`,
      hostKey: "",
      before: ["198.51.100.0/24"],
      after: [index % 2 === 0 ? "0.0.0.0/0" : "198.51.100.7"],
    }));
    const markdown = toMarkdown(review(hosts));
    expect(markdown.length).toBeLessThanOrEqual(LONGEST_COMMENT);
    expect(markdown.length).toBeGreaterThan(LONGEST_COMMENT - 4000);
    expect(brokenIn(markdown)).toEqual([]);
    expect(markdown).toMatch(/^\| … \| and \d+ rows more, left out because of the length \|$/m);
    expect(markdown).toContain("2 ruleset changes are left out because of the length");
    expect(markdown).toMatch(/Fingerprint after the deploy: `[0-9a-f]{64}`; 3000 hosts are then locked\./);
  });

  test("is short enough with as many host programs, times and actions as there are hosts", () => {
    const hosts = Array.from({ length: 3000 }, (_, index) => ({ key: `h${index}`, before: ["198.51.100.0/24"] }));
    const plan = planOf(hosts);
    interface Lockdown {
      name: string;
      change: { before: { triggers_replace: object }; after: { input: object } };
    }
    const changes = plan.resource_changes as Lockdown[];
    changes
      .filter(({ name }) => name === "fleet_lockdown")
      .forEach(({ change: { before, after } }, index) => {
        Object.assign(before.triggers_replace, { host_program: `program ${index}` });
        Object.assign(after.input, { confirm_within: String(10_000 + index) });
      });
    const others = hosts.map((_, index) => ({
      ...change("x", `${index}`, [`action ${index}`], {}, {}),
      name: "other",
    }));
    const bytes = JSON.stringify({ ...plan, resource_changes: [...changes, ...others] });
    const markdown = toMarkdown(
      reviewPlan(readPlan(Buffer.from(bytes.replace("CONFIRM_WITHIN='120'", "OTHER='120'")))),
    );
    expect(markdown.length).toBeLessThanOrEqual(LONGEST_COMMENT);
    expect(brokenIn(markdown)).toEqual([]);
    expect(markdown).toContain("`10007` s or 2992 other values after");
    expect(markdown).toContain("- And 2992 other changes of the host program.");
    expect(markdown).toContain(", 2992 other actions.");
  });

  test("is short enough also with a thousand different ruleset changes", () => {
    const base = review([{ key: "web-1" }]);
    const changes = Array.from({ length: 1000 }, (_, index) => ({
      lines: ["--- a", "+++ b", `+${index} ${"x".repeat(100)}`],
      hosts: [`h${index}`],
      whole: false,
    }));
    const markdown = toMarkdown({ ...base, rulesetChanges: changes });
    expect(markdown.length).toBeLessThanOrEqual(LONGEST_COMMENT);
    const shown = markdown.match(/<details>/g)?.length ?? 0;
    expect(markdown).toContain(`${1000 - shown} ruleset changes are left out because of the length`);
    expect(brokenIn(markdown)).toEqual([]);
  });

  test("of one long diff is cut at whole lines, and reports how many are missing", () => {
    const base = review([{ key: "web-1" }]);
    const lines = Array.from({ length: 5000 }, (_, index) => `+line ${index} of a long ruleset`);
    const markdown = toMarkdown({ ...base, rulesetChanges: [{ lines, hosts: ["web-1"], whole: false }] });
    const shown = markdown.match(/^\+line \d+ of a long ruleset$/gm)?.length ?? 0;
    expect(shown).toBeGreaterThan(1000);
    expect(markdown).toContain(`… and ${5000 - shown} lines more`);
    expect(brokenIn(markdown)).toEqual([]);
  });

  test("is the same whatever the order of the plan", () => {
    const hosts = ["c", "a", "b"].map((key) => ({ key, hostKey: key === "a" ? "" : "pinned" }));
    const { resource_changes: changes, ...plan } = planOf(hosts) as { resource_changes: unknown[] };
    const expected = toMarkdown(reviewPlan(readPlan(bytesOf({ ...plan, resource_changes: changes }))));
    const shuffled = fc.shuffledSubarray(changes, { minLength: changes.length });
    fc.assert(
      fc.property(shuffled, (resource_changes) => {
        expect(toMarkdown(reviewPlan(readPlan(bytesOf({ ...plan, resource_changes, timestamp: "2020" }))))).toBe(
          expected,
        );
      }),
      { numRuns: 30 },
    );
  });

  test("begins with a marker of its name, so that the comments of two plans are two", () => {
    const base = review([{ key: "web-1" }]);
    expect(toMarkdown(base)).toMatch(/^<!-- ssh-only-firewall:review -->\n/);
    expect(toMarkdown(base, { name: "prod" })).toMatch(
      /^<!-- ssh-only-firewall:review:prod -->\n\n### SSH-only firewall: `prod`\n/,
    );
  });

  test("reports that another host program is not the one of this package", () => {
    const base = review([{ key: "web-1" }]);
    expect(toMarkdown(base, { knownProgram: "0123456789ab" })).toContain("`0123456789ab`, the one of this version");
    expect(toMarkdown(base, { knownProgram: "ffff" })).toContain("`0123456789ab`, **not** the one of this version");
  });

  test("explains every kind of danger", () => {
    const base = review([{ key: "web-1" }]);
    const kinds = Object.keys(DANGERS) as DangerKind[];
    const dangers = kinds.map((kind) => ({ kind, findings: [{ kind, host: "web-1", detail: [kind] }] }));
    const markdown = toMarkdown({ ...base, dangers });
    const headings = [...markdown.matchAll(/^#### (.*): 1\n\n\S.*\n\n\| Host /gm)].map(([, heading]) =>
      defined(heading).toLowerCase(),
    );
    expect(headings).toEqual(Object.values(DANGERS).map(({ title }) => title.toLowerCase()));
  });
});
