/**
 * Plans of both engines for every kind of change, whole and in part. Terraform's say whether they are complete and OpenTofu's do
 * not, so that Terraform's are reviewed a second time without that.
 */
import type { SshOnlyFirewallProps } from "../../lib/index";
import { verdictOf } from "../../lib/review/markdown";
import { describeWithBuilt } from "../support/describe-unless";
import { describeWith } from "../terraform/support/real-tools";
import { allowFrom, connection, details, hosts, kinds, reviewed, type Reviewed } from "./support/describe-reviews";
import { type Configuration, type Planned, Project } from "./support/plan-project";
import { SshOnlyFirewall } from "../../lib/index";

jest.setTimeout(600_000);

const lockdown = (key: string): string => `terraform_data.fleet_lockdown["${key}"]`;
const hold = (key: string): string => `terraform_data.fleet_hold["${key}"]`;

function configuration(made: Project, props: Partial<SshOnlyFirewallProps>): Configuration {
  return made.configuration((stack) => {
    const usual = { tracker: "terraform_data", allowFrom, connection, hosts: hosts(3) } as const;
    new SshOnlyFirewall(stack, "fleet", { ...usual, ...props });
  });
}

/** Takes the fleet out of the configuration and lets its hosts go. */
function forgotten(made: Project): Configuration {
  const parts = ["hold", "lockdown"].map((part) => ({
    from: `terraform_data.fleet_${part}`,
    lifecycle: { destroy: false },
  }));
  return { ...made.configuration(() => undefined), removed: parts };
}

interface Change {
  readonly after: Partial<SshOnlyFirewallProps> | "forget";
  readonly args?: readonly string[];
  /** What of a partial plan is to be named; a whole one has none. */
  readonly leavesOut?: readonly string[];
}

const PUBLIC = { ...hosts(3), "web-2": { address: "10.0.0.2", mode: "observe" } } as const;
const MOVED = { shards: 2, movedFromShards: [1] };
const only = (key: string): readonly string[] => [`-target=${lockdown(key)}`];
const part = "this plan leaves it out, or a part of it";
const absent = "it is in the configuration, and not in this plan";

/** Of a fleet of three hosts, all of them locked. */
const CHANGES: Readonly<Record<string, Change>> = {
  none: { after: {} },
  update: { after: { allowFrom: [...allowFrom, "198.51.100.7"] } },
  add: { after: { hosts: hosts(4) } },
  remove: { after: { hosts: hosts(2) } },
  destroy: { after: {}, args: ["-destroy"] },
  "leave locked": { after: { hosts: hosts(2), onDestroy: "leave-locked" } },
  observe: { after: { hosts: PUBLIC } },
  replace: { after: {}, args: [`-replace=${lockdown("web-1")}`] },
  forget: { after: "forget" },
  move: { after: MOVED },
  "new address": { after: { hosts: { ...hosts(3), "web-3": { address: "203.0.113.9" } } } },
};

const TARGETED: Readonly<Record<string, Change>> = {
  none: { after: {}, args: only("web-1"), leavesOut: [`web-2: ${part}`, `web-3: ${part}`] },
  update: {
    after: { allowFrom: [...allowFrom, "198.51.100.7"] },
    args: only("web-1"),
    leavesOut: [`web-2: ${part}`, `web-3: ${part}`],
  },
  add: { after: { hosts: hosts(4) }, args: only("web-1"), leavesOut: [`web-2: ${part}`, `web-3: ${part}`] },
  remove: { after: { hosts: hosts(2) }, args: only("web-1"), leavesOut: [`web-2: ${part}`, `web-3: ${part}`] },
  destroy: { after: {}, args: ["-destroy", ...only("web-1")], leavesOut: [] },
  observe: { after: { hosts: PUBLIC }, args: only("web-2"), leavesOut: [`web-1: ${part}`, `web-3: ${part}`] },
  replace: {
    after: {},
    args: [`-replace=${lockdown("web-1")}`, ...only("web-1")],
    leavesOut: [`web-2: ${part}`, `web-3: ${part}`],
  },
  "a ruleset": { after: {}, args: ["-target=terraform_data.fleet_ruleset"], leavesOut: [`web-1: ${part}`] },
};

const EXCLUDED: Readonly<Record<string, Change>> = {
  none: { after: {}, args: [`-exclude=${lockdown("web-2")}`], leavesOut: [`web-2: ${part}`] },
  update: {
    after: { allowFrom: [...allowFrom, "198.51.100.7"] },
    args: [`-exclude=${lockdown("web-2")}`],
    leavesOut: [`web-2: ${part}`],
  },
  "add, without the new host": {
    after: { hosts: hosts(4) },
    args: [`-exclude=${hold("web-4")}`],
    leavesOut: [`web-4: ${absent}`],
  },
  remove: { after: { hosts: hosts(2) }, args: [`-exclude=${hold("web-3")}`], leavesOut: [`web-3: ${part}`] },
  destroy: { after: {}, args: ["-destroy", `-exclude=${hold("web-2")}`], leavesOut: [`web-2: ${part}`] },
  observe: { after: { hosts: PUBLIC }, args: [`-exclude=${lockdown("web-2")}`], leavesOut: [`web-2: ${part}`] },
  replace: {
    after: {},
    args: [`-replace=${lockdown("web-1")}`, `-exclude=${lockdown("web-1")}`],
    leavesOut: [`web-1: ${part}`],
  },
};

/** As OpenTofu writes it. */
function withoutComplete({ json, text }: Planned): Planned {
  const names = ["complete", "applyable", "deferred_changes"];
  const document = Object.entries(JSON.parse(json) as object).filter(([name]) => !names.includes(name));
  return { json: JSON.stringify(Object.fromEntries(document)), text };
}

class Fleet {
  private readonly made: Project;
  private readonly empty: Project;

  public constructor(program: string) {
    [this.made, this.empty] = [new Project(program), new Project(program)];
  }

  public lock(): Promise<void> {
    return this.made.apply(configuration(this.made, {}));
  }

  public plan({ after, args = [] }: Change): Promise<Planned> {
    const { made } = this;
    return made.plan(after === "forget" ? forgotten(made) : configuration(made, after), ...args);
  }

  public create(...args: readonly string[]): Promise<Planned> {
    return this.empty.plan(configuration(this.empty, {}), ...args);
  }

  public remove(): void {
    [this.made, this.empty].forEach((one) => one.remove());
  }
}

/** @param forms in which each plan is reviewed */
function testPlans(program: string, forms: ReadonlyArray<(planned: Planned) => Planned>): void {
  const fleet = new Fleet(program);
  beforeAll(() => fleet.lock());
  afterAll(() => fleet.remove());

  const inAllForms = (planned: Planned): readonly Reviewed[] => forms.map((form) => reviewed(form(planned)));
  const reviews = async (change: Change): Promise<readonly Reviewed[]> => inAllForms(await fleet.plan(change));

  test.each(Object.entries(CHANGES))("a whole plan is taken for a whole one: %s", async (name, change) => {
    for (const found of await reviews(change)) {
      expect(details(found, "incomplete")).toEqual([]);
      expectSame(name, found);
    }
  });

  test.each(Object.entries(TARGETED))("a plan with targets is not taken for a whole one: %s", async (name, change) => {
    for (const found of await reviews(change)) {
      expectPartial(found, change);
      expectSame(`${name}, with targets`, found);
    }
  });

  test("a first plan is whole, and one with targets is not", async () => {
    const whole = inAllForms(await fleet.create());
    const partial = inAllForms(await fleet.create(...only("web-1")));
    // The ruleset of a lockdown is not in a plan of that alone.
    expect([whole.flatMap(kinds), partial.map(kinds)]).toEqual([[], forms.map(() => ["incomplete", "unknown"])]);
  });

  test("a plan of -refresh-only is no danger, and is not called harmless", async () => {
    const means = "This plan changes nothing, and does not show whether the hosts are as configured.";
    for (const found of await reviews({ after: {}, args: ["-refresh-only"] })) {
      expect([kinds(found), verdictOf(found)]).toEqual([[], `${means} Of 3 hosts: 3 unchanged.`]);
    }
    const none = await reviews({ after: {}, args: ["-target=terraform_data.other"] });
    expect(none.map(verdictOf).filter((verdict) => /^Nothing/.test(verdict))).toEqual([]);
  });
}

function expectPartial(found: Reviewed, { leavesOut = [] }: Change): void {
  expect(kinds(found)).toContain("incomplete");
  expect(verdictOf(found)).toMatch(/^Dangerous/);
  expect(details(found, "incomplete")).toEqual(expect.arrayContaining([...leavesOut]));
}

/** What was made of the same change before: the same, whatever made the plan. */
const earlier = new Map<string, string>();

function expectSame(name: string, { markdown }: Reviewed): void {
  expect(markdown).toBe(earlier.get(name) ?? markdown);
  earlier.set(name, markdown);
}

describeWith("plans of Terraform, also without what says whether they are complete", ["terraform"], () =>
  testPlans("terraform", [(planned) => planned, withoutComplete]),
);

describeWithBuilt("tofu", "plans of OpenTofu", (tofu) => {
  testPlans(tofu, [(planned) => planned]);

  describe("with exclusions", () => {
    const fleet = new Fleet(tofu);
    beforeAll(() => fleet.lock());
    afterAll(() => fleet.remove());

    test.each(Object.entries(EXCLUDED))("is not taken for a whole one: %s", async (_, change) => {
      expectPartial(reviewed(await fleet.plan(change)), change);
    });

    test.each([
      [[`-exclude=${hold("web-2")}`], ["web-2"]],
      [["-exclude=terraform_data.fleet_hold"], ["web-1", "web-2", "web-3"]],
      [
        ["-exclude=terraform_data.fleet_hold", "-exclude=terraform_data.fleet_ruleset"],
        ["web-1", "web-2", "web-3"],
      ],
    ])("is not taken for a whole one: first plan with %j", async (args, absentHosts) => {
      const found = reviewed(await fleet.create(...args));
      expectPartial(found, { after: {}, leavesOut: absentHosts.map((key) => `${key}: ${absent}`) });
    });
  });
});
