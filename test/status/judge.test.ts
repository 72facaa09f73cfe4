import type { Claim, Host } from "../../lib/state/hosts";
import { renderRulesets } from "../../lib/ruleset/backends";
import { readRuleset, type RulesetSummary } from "../../lib/ruleset/reader";
import type { Answered } from "../../lib/ssh/answer";
import type { Condition } from "../../lib/status/conditions";
import { judge, type Outside } from "../../lib/status/judge";
import { portsToTry, probe } from "../../lib/status/ports";
import { policies } from "../ruleset/support/policies";
import { createServer, type AddressInfo } from "node:net";

const host: Host = {
  key: "web",
  firewall: "fleet",
  claim: "locked",
  observes: false,
  why: undefined,
  address: "192.0.2.1",
  owner: "we",
  ruleset: "r1",
  program: "p1",
  connection: {},
  texts: {},
};
const answered: Answered = {
  kind: "answered",
  state: "locked",
  rules: "matches",
  owner: "we",
  ruleset: "r1",
  program: "p1",
  lockedAt: "2026-01-01T00:00:00Z",
  problem: "",
  port: 22,
  listened: [],
};
const quiet: Outside = { kind: "tried", ports: [80], answers: [] };
const loud: Outside = { kind: "tried", ports: [80], answers: [{ port: 80, how: "refuses" }] };

const open = { state: "open", rules: "none", owner: "", ruleset: "", program: "" } as const;

test.each<[string, Claim, Partial<Answered>, Condition]>([
  ["the same", "locked", {}, "locked"],
  ["drifted rules", "locked", { rules: "drifted" }, "drifted"],
  ["no guard", "locked", { problem: "the guard does not run" }, "drifted"],
  ["another ruleset", "locked", { ruleset: "r2" }, "drifted"],
  ["another host program", "locked", { program: "p2" }, "drifted"],
  ["another owner", "locked", { owner: "they" }, "locked-by-someone-else"],
  ["another owner and ruleset", "locked", { owner: "they", ruleset: "r2" }, "locked-by-someone-else"],
  ["rules that only observe", "observed", { state: "observed" }, "observed"],
  ["rules that only observe", "locked", { state: "observed" }, "open"],
  ["drifted rules that only observe", "observed", { state: "observed", rules: "drifted" }, "drifted"],
  ["another's rules that only observe", "observed", { state: "observed", owner: "they" }, "locked-by-someone-else"],
  ["a lock", "observed", {}, "drifted"],
  ["open", "observed", open, "open"],
  ["open", "locked", open, "open"],
  ["open with rules", "locked", { ...open, rules: "unrecorded" }, "drifted"],
  ["pending", "locked", { state: "pending" }, "pending"],
  ["pending for another", "locked", { state: "pending", owner: "they" }, "pending"],
  ["an unlock that is not confirmed", "locked", { state: "unlocking", rules: "none" }, "unlocking"],
  ["an unlock that is not confirmed", "unfinished", { state: "unlocking", rules: "none" }, "unlocking"],
  ["a lock", "unfinished", {}, "locked-but-not-in-state"],
  ["another's lock", "unfinished", { owner: "they" }, "locked-by-someone-else"],
  ["open", "unfinished", open, "open"],
  ["pending", "unfinished", { state: "pending" }, "pending"],
  ["a lock", "declared", {}, "locked-but-not-in-state"],
  ["open", "declared", open, "open"],
  ["a lock", "absent", { owner: "they" }, "locked-but-not-in-state"],
  ["pending", "absent", { state: "pending" }, "pending"],
  ["open", "absent", open, "unlocked"],
  ["open with rules", "absent", { ...open, rules: "unrecorded" }, "drifted"],
])("a host with %s that is %s in the state", (_, claim, reported, condition) => {
  const inState =
    claim === "locked" || claim === "observed" || claim === "unfinished"
      ? {}
      : { owner: undefined, ruleset: undefined };
  const verdict = judge(
    { ...host, ...inState, claim, observes: claim === "observed" },
    { ...answered, ...reported },
    quiet,
  );
  expect(verdict.condition).toBe(condition);
  expect(verdict.agrees).toBe(["locked", "observed", "unlocked"].includes(condition));
});

test("a host that reports that it is locked is open when a port answers", () => {
  expect(judge(host, answered, loud)).toEqual({
    condition: "open",
    agrees: false,
    details: ["it reports that it is locked, but from here port 80 refuses connections"],
  });
});

test("what the state does not know is not compared", () => {
  expect(judge({ ...host, program: undefined, ruleset: undefined }, answered, quiet).condition).toBe("locked");
});

test("a lock of somebody else shows which stack locked it, from where, and what to do if that is the same stack", () => {
  const lockedBy = { stack: "a\u202eb", construct: "fleet", workspace: "default", host: "web", from: "192.0.2.7" };
  const detailsOf = (claim: Claim, own: Partial<Answered>): readonly string[] =>
    judge({ ...host, claim }, { ...answered, owner: "they", lockedBy, ...own }, quiet).details;
  const expected = [
    "owned by they since 2026-01-01T00:00:00Z",
    "locked by stack a\\u{202e}b, construct fleet, workspace default, as web, from 192.0.2.7",
    "if that is your stack, deploy with takeOver: same-stack",
  ];
  for (const claim of ["locked", "declared", "absent"] as const) {
    expect(detailsOf(claim, {})).toEqual(expected);
  }
  expect(detailsOf("absent", { lockedBy: { ...lockedBy, from: "" } })[1]).toMatch(/, as web$/);
});

describe("ports that must be closed", () => {
  const rulesetOf = (name: keyof typeof policies): RulesetSummary | undefined =>
    readRuleset(renderRulesets(policies[name], "auto"));

  test("are some that the host listened on, and 80 and 443, and not those that the ruleset lets in", () => {
    const listening = { ...answered, port: 2222, listened: [3306, 9100, 22, 2222, 80, 5432] };
    const ruleset = rulesetOf("every-exception");
    expect(portsToTry(undefined, listening, ruleset, 2200)).toEqual([80, 3306, 5432, 443]);
    expect(portsToTry([1, 2200, 2, 9100, 3, 4, 5, 6], listening, ruleset, 2200)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("are not known to be let in where the ruleset is not understood", () => {
    expect(portsToTry([22, 2222, 9100], { ...answered, port: 2222 }, undefined, undefined)).toEqual([22, 9100]);
  });

  test("answer when they accept, and when they refuse where nothing may", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    const closed = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => closed.once("listening", resolve));
    const { port: refusing } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const answers = async (ruleset: RulesetSummary | undefined): Promise<unknown> => {
      const found = await probe("127.0.0.1", [port, refusing], ruleset, 2000);
      return found.kind === "tried" && found.answers;
    };
    const accepts = { port, how: "accepts" };
    try {
      expect(await answers(rulesetOf("default"))).toEqual([accepts, { port: refusing, how: "refuses" }]);
      expect(await answers(rulesetOf("denials-swapped"))).toEqual([accepts]);
      expect(await answers(undefined)).toEqual([accepts]);
    } finally {
      server.close();
    }
  });
});
