/** What a plan learns of drifted hosts. */
import { LEFT_ALONE } from "../../lib/contract/drift";
import { driftTriggers, readQuery, trackedHosts } from "../../lib/status/drift-triggers";
import type { Finding } from "../../lib/status/live";
import type { Answer, Answered } from "../../lib/ssh/answer";
import { judge } from "../../lib/status/judge";
import { HOLDS_ALONE, holdAlone } from "../state/support/holds-alone";
import { filed, ownerOf, PROGRAM, RULESET, type Tracked } from "../state/support/states";

const DATA = { tracker: "terraform_data" } as const;
const query = (more = {}): string => JSON.stringify({ lockdowns: "terraform_data.fleet_lockdown", ...more });

describe("the value of a host's trigger", () => {
  const answered = (answer: Partial<Answered> = {}): Answer => ({
    kind: "answered",
    state: "locked",
    rules: "matches",
    owner: ownerOf({ key: "web" }),
    ruleset: RULESET,
    program: PROGRAM,
    lockedAt: "",
    problem: "",
    port: 22,
    listened: [],
    ...answer,
  });
  const open = { state: "open", rules: "none", owner: "", ruleset: "", program: "" } as const;
  const outside = { kind: "skipped", why: "" } as const;

  function valueOf(answer: Answer, host: Partial<Tracked> = {}): Record<string, string> {
    const state = JSON.stringify(filed([{ key: "web", ...host }], DATA));
    const hosts = trackedHosts(state, readQuery(query()));
    const findings = hosts.map((one): Finding => ({ ...judge(one, answer, outside), answer, outside }));
    return driftTriggers(hosts, findings);
  }

  test.each<[string, Answer, Partial<Tracked>, Record<string, string>]>([
    ["locked", answered(), {}, {}],
    ["locked", answered(), { drift: "3 open" }, { web: "3 open" }],
    ["observed", answered({ state: "observed" }), { mode: "observe", drift: "1 open" }, { web: "1 open" }],
    ["open", answered(open), {}, { web: "1 open" }],
    ["open", answered(open), { drift: "1 drifted" }, { web: "2 open" }],
    ["open", answered(open), { drift: "nonsense" }, { web: "1 open" }],
    ["open, and only observed in the state", answered(open), { mode: "observe" }, { web: "1 open" }],
    ["only observed, and locked in the state", answered({ state: "observed" }), {}, { web: "1 open" }],
    ["locked with other rules", answered({ rules: "drifted" }), {}, { web: "1 drifted" }],
    ["locked with another ruleset", answered({ ruleset: "other" }), {}, { web: "1 drifted" }],
    ["locked by another host program", answered({ program: "other" }), {}, { web: "1 drifted" }],
    ["open, with rules of ours", answered({ ...open, rules: "unrecorded" }), {}, { web: "1 drifted" }],
    ["open, and tainted in the state", answered(open), { lockdown: "tainted", drift: "2 open" }, { web: "2 open" }],
    ["open, and of an earlier hold in the state", answered(open), { lockdown: "of another hold" }, {}],
    ["open, and without a lockdown in the state", answered(open), { lockdown: "none" }, {}],
    ["open, and without a hold in the state", answered(open), { hold: "none", drift: "1 open" }, { web: "1 open" }],
  ])("of one that is %s", (_, answer, host, value) => {
    expect(valueOf(answer, host)).toEqual(value);
  });

  test.each<[string, Answer, RegExp]>([
    [
      "unreachable",
      { kind: "unreachable", why: "No route to host" },
      /is unreachable: No route to host\n {2}Unreachable: restore/,
    ],
    ["unclear", { kind: "unclear", why: "sudo failed" }, /is unclear: sudo failed\n {2}Unclear: fix/],
    ["pending", answered({ state: "pending" }), /is pending: a lock of .*\n {2}Pending: plan again/],
    ["another's", answered({ owner: "they" }), /is locked-by-someone-else: owned by they\n {2}Locked by .* takeOver/],
    ["another's that observes", answered({ owner: "they", state: "observed" }), /\n {2}Locked by someone else: /],
    ["another's that drifted", answered({ owner: "they", rules: "drifted" }), /is locked-by-someone-else: /],
  ])("stays of one that is %s, and it is named with the remedy", (_, answer, notice) => {
    const { web, [LEFT_ALONE]: left } = valueOf(answer, { drift: "1 open" });
    expect(web).toBe("1 open");
    expect(left).toMatch(/^This plan leaves these hosts as they are:\n {2}web \(192\.0\.2\.1\) is /);
    expect(left).toMatch(notice);
  });

  test.each(HOLDS_ALONE)(
    "is left out for a %s that is a hold alone, because the next apply locks that host",
    (tracker) => {
      expect(trackedHosts(holdAlone(tracker, "filed"), readQuery(query()))).toEqual([]);
    },
  );

  test("names twenty hosts that were left alone, and the others are counted", () => {
    const keys = Array.from({ length: 23 }, (_, index) => `web-${index}`);
    const hosts = trackedHosts(
      JSON.stringify(
        filed(
          keys.map((key) => ({ key })),
          DATA,
        ),
      ),
      readQuery(query()),
    );
    const answer = { kind: "unreachable", why: "gone" } as const;
    const left = driftTriggers(
      hosts,
      hosts.map((one) => ({ ...judge(one, answer, outside), answer, outside })),
    )[LEFT_ALONE];
    expect(left?.match(/is unreachable: gone/g)).toHaveLength(20);
    expect(left).toContain("\n  and 3 more\n  Unreachable: ");
  });
});
