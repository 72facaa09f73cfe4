import { createHash } from "node:crypto";
import { defined, items } from "../support/required";
import type { DangerKind } from "../../lib/review/dangers";
import { toMarkdown, verdictOf } from "../../lib/review/markdown";
import { readPlan } from "../../lib/review/plan";
import { type Review, reviewPlan } from "../../lib/review/review";
import { plain } from "../../lib/review/text";
import { HOLDS_ALONE, holdAlone, renamed, withoutRole } from "../state/support/holds-alone";
import { bytesOf, change, planOf, rulesetOf, spread } from "./support/plans";

const review = (plan: unknown): Review => reviewPlan(readPlan(bytesOf(plan)));
const shown = (plan: unknown): { verdict: string; markdown: string } => {
  const found = review(plan);
  return { verdict: verdictOf(found), markdown: toMarkdown(found) };
};
const details = ({ dangers }: Review, kind: DangerKind): string[] =>
  dangers.filter((one) => one.kind === kind).flatMap(({ findings }) => findings.map(({ detail }) => plain(detail)));

describe("a review", () => {
  test.each([
    ["0.0.0.0/1", true],
    ["10.0.0.0/8", false],
    ["2000::/3", true],
    ["2001:db8::/32", false],
    ["::/0", true],
  ])("takes %s for the world: %p", (source, world) => {
    expect(details(review(planOf([{ key: "a", after: [source] }])), "open-to-world")).toHaveLength(world ? 1 : 0);
  });

  test.each([
    ["false", [], "refused unless takeOver is set"],
    ["true", ["takeOver is set: a lock of another owner is taken over"], "taken over, because takeOver is set"],
    [
      "same-stack",
      ["takeOver is same-stack: a lock of the same stack that this state does not have is taken over, and no other"],
      "taken over if the host recorded this stack, because takeOver is same-stack, and refused otherwise",
    ],
  ])("of takeOver %s says whose lock is taken over", (takeOver, unguarded, owner) => {
    const plan = planOf([{ key: "a", before: ["192.0.2.0/24"] }], {}, takeOver) as {
      resource_changes: Array<{ address: string; change: object }>;
    };
    expect(details(review(plan), "unguarded")).toEqual(unguarded);
    // As if its hold had left the state.
    const hold = defined(plan.resource_changes.find(({ address }) => address.includes("hold")));
    Object.assign(hold.change, { actions: ["create"], before: null });
    expect(details(review(plan), "owner")).toEqual([expect.stringContaining(owner)]);
  });

  test.each([
    [["enforce", "observe"], "observe", ["192.0.2.10: becomes observed, which denies nothing"], 0],
    [["observe", "observe"], "observe", [], 0],
    [["observe", "enforce"], "enforce", [], 1],
    [["enforce", "enforce"], "relock", [], 1],
  ] as const)("of a mode %p", (mode, outcome, opened, locked) => {
    const found = review(planOf([{ key: "a", before: ["192.0.2.0/24"], mode }]));
    expect(defined(found.hosts[0]).outcome).toBe(outcome);
    expect(defined(found.hosts[0]).why.includes("its mode changes")).toBe(mode[0] !== mode[1]);
    expect(details(found, "opened")).toEqual(opened);
    expect(found.lockedAfter).toBe(locked);
  });

  test.each([
    [[undefined, "1 open"], "it was found open"],
    [["1 open", "2 drifted"], "its lock was found changed"],
    [["1 open", "1 open"], "the plan does not say why"],
    [["1 open", undefined], "detectDrift was turned off"],
    [["1 open", "2 <b>"], "this plan does not show whether it drifted"],
  ] as const)("of a trigger drift %p says why the host is locked again, and finds no danger in it", (drift, why) => {
    const plan = planOf([{ key: "a", before: ["192.0.2.0/24"], after: ["192.0.2.0/24"], drift }]);
    const { hosts, dangers, lockedAfter } = review(plan);
    expect({ dangers, lockedAfter }).toEqual({ dangers: [], lockedAfter: 1 });
    expect(hosts).toMatchObject([{ outcome: "relock", why: [why] }]);
  });

  test.each([
    ["shards", { a: ["hold_2_0", "lockdown_2_0"], b: ["hold_2_1", "lockdown_2_1"] }],
    ["waves", { a: ["hold", "lockdown_wave_1"], b: ["hold", "lockdown"] }],
    ["waves and shards", { a: ["hold_2_1", "lockdown_wave_1_2_1"], b: ["hold_2_1", "lockdown_2_1"] }],
  ])("of hosts in %s knows their holds, which have no id yet, and calls hosts by their names", (_, names) => {
    const found = review(spread(planOf([{ key: "a" }, { key: "b" }]), names));
    expect(found.hosts.map(({ name, outcome }) => [name, outcome])).toEqual([
      ["a", "first"],
      ["b", "first"],
    ]);
    expect(found.dangers).toEqual([]);
  });

  test("of a host that is observed first", () => {
    const found = review(planOf([{ key: "a", mode: ["enforce", "observe"] }]));
    expect(defined(found.hosts[0]).outcome).toBe("observe");
    expect(details(found, "opened")).toEqual([]);
  });

  test("reports who is cut off, but not of sources that a wider one covers", () => {
    const cut = (before: string[], after: string[]): string[] =>
      details(review(planOf([{ key: "a", before, after }])), "cut-off");
    expect(cut(["192.0.2.0/24"], ["192.0.2.0/23", "198.51.100.7"])).toEqual([]);
    expect(cut(["192.0.2.0/24", "198.51.100.7"], ["192.0.2.0/24"])).toEqual([
      "no longer from 198.51.100.7; from now on from 192.0.2.0/24",
    ]);
    expect(cut(["192.0.2.0/24", "2001:db8::/32"], ["2001:db8::/32"])).toHaveLength(1);
  });

  test.each(["enforce", "observe"])(
    "of a ruleset that is not of the mode %s reports that it cannot be reviewed",
    (mode) => {
      const text = JSON.stringify(planOf([{ key: "a", mode: [mode, mode] }]));
      const other = mode === "enforce" ? "observe" : "enforce";
      const found = review(JSON.parse(text.replaceAll(`"mode":"${mode}"`, `"mode":"${other}"`)));
      expect(details(found, "unknown")).toEqual([
        mode === "enforce"
          ? "its ruleset denies packets, although its mode is observe"
          : "its ruleset denies nothing, although its mode is enforce",
      ]);
    },
  );

  test("of a host that was only observed reports that it is closed from then on", () => {
    const { verdict, markdown } = shown(planOf([{ key: "a", before: ["192.0.2.0/24"], mode: ["observe", "enforce"] }]));
    expect(verdict).toBe("Nothing dangerous. Of 1 host: 1 enforced after observing.");
    expect(markdown).toContain(
      "| `a` | Enforced: it was only observed until now, and is closed from then on (its mode changes, its ruleset changes) |",
    );
  });

  describe.each(["enforce", "observe"] as const)("with the mode %s", (mode) => {
    const host = { key: "a", before: ["198.51.100.7"], mode: ["enforce", mode] as const };
    const lockdownOf = (plan: Record<string, unknown>) =>
      (plan.resource_changes as Array<ReturnType<typeof change>>).find(({ name }) => name === "fleet_lockdown");
    const cutOff = ["whether it is locked already is unknown, and so is who is cut off"];
    const opened = ["192.0.2.10: may be locked already, and becomes observed, which denies nothing"];

    test("of a hold without its lockdown reports that the host is perhaps locked already", () => {
      const plan = planOf([host]);
      Object.assign(lockdownOf(plan)?.change as object, { actions: ["create"], before: null });
      const found = review(plan);
      expect(defined(found.hosts[0]).outcome).toBe(mode === "enforce" ? "perhaps" : "observe");
      expect(details(found, "cut-off")).toEqual(mode === "enforce" ? cutOff : []);
      expect(details(found, "opened")).toEqual(mode === "enforce" ? [] : opened);
    });

    test("of a lock that failed shows the whole ruleset, and takes no attempt for what the host has", () => {
      // Not the same as before: the attempt is what is tried again.
      const plan = planOf([{ ...host, before: ["192.0.2.0/24"] }]);
      Object.assign(lockdownOf(plan) as object, { action_reason: "replace_because_tainted" });
      const found = review(plan);
      expect(defined(found.hosts[0]).outcome).toBe(mode === "enforce" ? "retry" : "observe");
      expect(found.rulesetChanges.map(({ whole }) => whole)).toEqual([true]);
      expect(details(found, "cut-off")).toEqual(mode === "enforce" ? cutOff : []);
      expect(details(found, "opened")).toEqual(mode === "enforce" ? [] : opened);
      expect(defined(found.hosts[0]).why.includes("its ruleset changes")).toBe(mode === "observe");
    });
  });

  test("shows it where the ruleset before is in the plan no more", () => {
    const plan = planOf([{ key: "a", before: ["198.51.100.7"] }]);
    const changes = (plan.resource_changes as Array<{ index: string }>).filter(({ index }) => index !== "r0");
    const found = review({ ...plan, resource_changes: changes });
    expect(details(found, "cut-off")).toEqual([
      "its current ruleset is not in this plan, so it is unknown who is cut off",
    ]);
    expect(defined(found.rulesetChanges[0]).whole).toBe(true);
  });

  test("shows it where the ruleset before is of a form that is not known here", () => {
    const plan = planOf([{ key: "a", before: ["198.51.100.7"] }]);
    const { texts, hash } = rulesetOf(["198.51.100.7"]);
    const older = {
      ...texts,
      nftables: defined(texts.nftables).replace("\t\ticmp type", "\t\tct state established accept\n\t\ticmp type"),
    };
    const olderHash = createHash("sha256").update(Object.values(older).join("")).digest("hex");
    const text = JSON.stringify(plan)
      .replaceAll(JSON.stringify(texts.nftables), JSON.stringify(older.nftables))
      .replaceAll(hash, olderHash);
    expect(details(review(JSON.parse(text)), "cut-off")).toEqual([
      "this version of ssh-only-firewall does not understand its current ruleset, so it is unknown who is cut off",
    ]);
  });

  test("shows a ruleset that changes while no lockdown does", () => {
    const plan = planOf([{ key: "a", before: ["198.51.100.7"] }]);
    const changes = plan.resource_changes as Array<ReturnType<typeof change>>;
    const [first, second, ...others] = items(changes, 2);
    const { before } = first.change as { before: unknown };
    const { after } = second.change as { after: unknown };
    const ruleset = change("ruleset", "r0", ["delete", "create"], before, after);
    const quiet = others.map((one) => {
      const { before: is } = one.change as { before: unknown };
      return { ...one, change: { ...(one.change as object), actions: ["no-op"], after: is } };
    });
    const found = review({ ...plan, resource_changes: [ruleset, ...quiet] });
    expect(found.rulesetChanges.map(({ hosts }) => hosts)).toEqual([[]]);
    expect(toMarkdown(found)).toContain("<summary>Ruleset change of no host that this plan locks: ");
    expect(found.hosts.map(({ outcome }) => outcome)).toEqual(["stay"]);
  });

  test("reports what checks found, line by line, and makes no markup of it", () => {
    const address = { kind: "check", name: "fleet_drift", to_display: "check.fleet_drift" };
    const message = "Left as they are:\nweb-1: another owner|<b>";
    const checks = [{ address, status: "fail", instances: [{ address, problems: [{ message }] }] }, { address }];
    const { markdown } = shown(planOf([{ key: "a" }], { checks }));
    expect(markdown).toContain(
      "| `check.fleet_drift` | `Left as they are:` |\n| `check.fleet_drift` | `web-1: another owner\\u{7c}<b>` |",
    );
  });

  test("reports that a ruleset cannot be reviewed if the plan has none with its hash", () => {
    const plan = planOf([{ key: "a" }]);
    const changes = (plan.resource_changes as Array<{ name: string }>).filter(({ name }) => name !== "fleet_ruleset");
    const found = review({ ...plan, resource_changes: changes });
    expect(details(found, "unknown")[0]).toMatch(/^no ruleset in this plan has the SHA-256 [0-9a-f]{64}$/);
    expect(found.rulesetChanges).toEqual([]);
  });

  test("makes one change of those that look the same in different rulesets, and distinguishes others", () => {
    const before = ["192.0.2.0/24"];
    const plan = planOf([
      { key: "a", before, after: ["192.0.2.0/24", "198.51.100.7"] },
      { key: "b", before, after: ["192.0.2.0/24", "198.51.100.7"] },
      { key: "c", before, after: ["192.0.2.0/24", "198.51.100.8"] },
      { key: "d" },
      { key: "e", before, after: before },
    ]);
    expect(review(plan).rulesetChanges.map(({ hosts, whole }) => [hosts.join(), whole])).toEqual([
      ["a,b", false],
      ["c", false],
      ["d", true],
    ]);
  });

  test("reports what changed outside, what is put off, and counts what is not ours", () => {
    const [hold] = (planOf([{ key: "a" }]).resource_changes as object[]).slice(1);
    const drifted = { ...hold, change: { actions: ["delete"], before: {}, after: null } };
    const stranger = { ...change("x", "y", ["update"], {}, {}), name: "other", address: "terraform_data.other" };
    const plan = planOf([{ key: "a" }], {
      resource_drift: [drifted, stranger],
      deferred_changes: [{ reason: "provider_config_unknown", resource_change: hold }, { resource_change: stranger }],
      complete: false,
    });
    const found = review({
      ...plan,
      resource_changes: [
        ...(plan.resource_changes as object[]),
        stranger,
        { ...stranger, change: { actions: ["read"] } },
      ],
    });
    expect(details(found, "drift")).toEqual(['terraform_data.fleet_hold["a"]: delete']);
    expect(details(found, "incomplete")).toEqual([
      "another plan is needed after this one: it has targets or exclusions, or something was deferred",
      'terraform_data.fleet_hold["a"] is deferred to a later plan',
    ]);
    expect([...found.others]).toEqual([["update", 1]]);
  });

  const changeOf = (
    plan: Record<string, unknown>,
    part: string,
  ): { actions: string[]; before: unknown; after: unknown } =>
    defined((plan.resource_changes as Array<ReturnType<typeof change>>).find(({ name }) => name === `fleet_${part}`))
      .change as never;

  test("of a host that moves and whose hold is only forgotten reports that the old address stays locked", () => {
    const plan = planOf([{ key: "a", before: ["192.0.2.0/24"] }]);
    const held = (address: string): object => ({ id: address, triggers_replace: { address }, input: {} });
    const [before, after] = [held("192.0.2.9"), held("192.0.2.10")];
    Object.assign(changeOf(plan, "hold"), { actions: ["create", "forget"], before, after });
    const found = review(plan);
    expect(found.hosts.map(({ outcome }) => outcome)).toEqual(["move-locked"]);
    expect(toMarkdown(found)).toContain("stays locked at the old address, and locked at the new one");
  });

  test.each([
    [undefined, "opened"],
    ["delete_because_each_key", "opened"],
    ["delete_because_no_resource_config", "left-locked"],
  ])("of a plan without configuration does not call a host locked that may be unlocked (%s)", (reason, kind) => {
    const { configuration, ...plan } = planOf([{ key: "a", before: ["192.0.2.0/24"] }]);
    expect(configuration).toBeDefined();
    for (const part of ["hold", "lockdown"]) {
      Object.assign(changeOf(plan, part), { actions: ["delete"], after: null });
    }
    const changes = (plan.resource_changes as object[]).map((one) => ({ ...one, action_reason: reason }));
    const found = review({ ...plan, resource_changes: changes });
    expect(found.dangers.map((danger) => danger.kind)).toEqual([kind, "unclear"]);
    expect(details(found, "unclear")).toEqual([
      "this plan has no configuration, so it does not show what runs on hosts, nor whether unlock runs where a hold is destroyed",
    ]);
  });

  test("reports that nothing unlocks what an earlier replacement left over", () => {
    const plan = planOf([{ key: "a", before: ["192.0.2.0/24"] }]);
    const left = {
      ...change("hold", "a", ["delete"], { id: "old", triggers_replace: { address: "203.0.113.1" } }, null),
      deposed: "0f0f0f0f",
    };
    const found = review({ ...plan, resource_changes: [...(plan.resource_changes as object[]), left] });
    expect(details(found, "left-locked")).toEqual([
      "203.0.113.1: no unlock runs, because this hold is left over from an earlier replacement",
    ]);
    expect(found.hosts.map(({ outcome }) => outcome)).toEqual(["relock"]);
  });

  test("finds the hold of a host by its id, also where names lead to another", () => {
    const plan = planOf([{ key: "a", before: ["192.0.2.0/24"] }]);
    const changes = (plan.resource_changes as Array<{ name: string; address: string }>).map((one) =>
      one.name === "fleet_hold" ? { ...one, name: "renamed", address: 'terraform_data.renamed["a"]' } : one,
    );
    const found = review({ ...plan, resource_changes: changes, configuration: undefined });
    expect(details(found, "unclear")).toEqual([expect.stringMatching(/^this plan has no configuration/)]);
    expect(found.hosts).toHaveLength(1);
    expect([...found.others]).toEqual([]);
  });

  test("finds the hold of a host by its id, also where it has another key", () => {
    const plan = planOf([{ key: "a", before: ["192.0.2.0/24"] }]);
    const changes = (plan.resource_changes as Array<{ name: string; index: string }>).map((one) =>
      one.name === "fleet_hold" ? { ...one, index: "other" } : one,
    );
    const found = review({ ...plan, resource_changes: changes });
    expect(found.hosts.map(({ key }) => key)).toEqual(["a"]);
    expect(found.dangers).toEqual([]);
  });

  test("reports why a host is locked again", () => {
    const plan = planOf([
      { key: "a", before: ["198.51.100.7"], after: ["198.51.100.7", "192.0.2.1"] },
      { key: "b", before: ["192.0.2.0/24"] },
    ]);
    const text = JSON.stringify(plan).replace(
      /"host_program":"\w+"(?=[^{}]*\},"input":\{"host_key":"pinned"\}\},"after":)/g,
      '"host_program":"older"',
    );
    expect(review(JSON.parse(text)).hosts.map(({ why }) => why)).toEqual([
      ["its ruleset changes", "the host program changes"],
      ["the host program changes"],
    ]);
    expect(review(plan).hosts.map(({ why }) => why)).toEqual([["its ruleset changes"], ["the plan does not say why"]]);
  });

  test("makes one whole ruleset of those that different ones give way to", () => {
    const plan = planOf([
      { key: "a", before: ["198.51.100.7"] },
      { key: "b", before: ["198.51.100.8"] },
    ]);
    const changes = (plan.resource_changes as Array<{ name: string; index: string }>).filter(
      ({ name, index }) => name !== "fleet_ruleset" || index === "r1",
    );
    expect(review({ ...plan, resource_changes: changes }).rulesetChanges.map(({ hosts }) => hosts)).toEqual([
      ["a", "b"],
    ]);
  });

  test("reports a lockdown without a hold, and a hold without a lockdown", () => {
    const plan = planOf([{ key: "a", before: ["192.0.2.0/24"] }]);
    const without = (part: string): Review => {
      const changes = (plan.resource_changes as Array<{ name: string }>).filter(({ name }) => name !== part);
      return review({ ...plan, resource_changes: changes });
    };
    expect(details(without("fleet_hold"), "unclear")).toEqual([
      'terraform_data.fleet_lockdown["a"] has no hold that this review could find',
    ]);
    expect(details(without("fleet_lockdown"), "incomplete")[0]).toContain("has a hold but no lockdown");
  });

  describe.each(HOLDS_ALONE)("of a %s that is all that the state has of a host", (tracker) => {
    const plan = holdAlone(tracker, "plan");
    const withoutBlocks = (text: string): unknown => ({ ...JSON.parse(text), configuration: { root_module: {} } });

    test("understands that it is a hold, whose destroy opens the host", () => {
      const found = review(JSON.parse(plan));
      expect(found.hosts).toMatchObject([{ key: "web-2", outcome: "unlock", unlocks: true, lockedAfter: false }]);
      expect(found.dangers.map(({ kind }) => kind)).toEqual(["opened"]);
      expect([...found.others]).toEqual([]);
    });

    test.each([
      ["its role", renamed(plan)],
      ["its name", withoutRole(plan)],
    ])("knows it by %s where the configuration does not have it any more", (_, text) => {
      const found = review(withoutBlocks(text));
      expect(found.hosts).toMatchObject([{ key: "web-2", outcome: "leave" }]);
      expect(details(found, "left-locked")).toEqual([
        "192.0.2.11: it may be locked, because its hold is in the state; no unlock of the firewall runs, because its block is no longer in the configuration",
      ]);
      expect(found.dangers).toHaveLength(1);
      expect([...found.others]).toEqual([]);
    });

    test("leaves it to its owner where it has neither", () => {
      const found = review(withoutBlocks(renamed(withoutRole(plan))));
      expect(found.hosts).toEqual([]);
      expect([...found.others]).toEqual([["delete", 1]]);
    });
  });

  test.each([
    ["stays", {}, "hold", "hold-only", " and its hold stays, so it can still be unlocked"],
    [
      "is another one",
      { id: "an earlier one" },
      "leave",
      "left-locked",
      ", and the hold that owns its lock is not there to unlock it",
    ],
    [
      "is not in the state",
      undefined,
      "leave",
      "left-locked",
      ", and the hold that owns its lock is not there to unlock it",
    ],
  ] as const)("of a lockdown that alone leaves the state, while its hold %s", (_, hold, outcome, kind, what) => {
    const plan = planOf([{ key: "a", before: ["192.0.2.0/24"] }]);
    const changes = (plan.resource_changes as Array<ReturnType<typeof change>>).flatMap((one) => {
      const { before } = one.change as { before: object };
      if (one.name === "fleet_lockdown") {
        return [change("lockdown", "a", ["delete"], before, null)];
      }
      const isHold = one.name === "fleet_hold";
      const held = { ...before, input: { host_key: "pinned" }, ...hold };
      return !isHold ? [one] : hold === undefined ? [] : [change("hold", "a", ["no-op"], held, held)];
    });
    const found = review({ ...plan, resource_changes: changes });
    expect(found.hosts).toMatchObject([{ key: "a", outcome, unlocks: false, lockedAfter: false }]);
    expect(found.dangers.map((one) => one.kind)).toEqual([kind]);
    expect(details(found, kind)).toEqual([`192.0.2.10: its lockdown leaves the state (delete)${what}`]);
    expect(toMarkdown(found).includes("no later deploy unlocks them")).toBe(kind === "left-locked");
  });

  test("of a plan without our resources finds no host", () => {
    const found = review({
      format_version: "1.2",
      resource_changes: [change("x", "y", ["create"], null, { triggers_replace: { address: "a" } })],
    });
    expect(found.hosts).toEqual([]);
    expect([...found.others]).toEqual([["create", 1]]);
  });
});
