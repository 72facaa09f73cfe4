/** What `terraform plan` costs in each form of configuration, and what it touches. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { items } from "../test/support/required";
import { type FleetHost, type Hosts, hostsOf } from "./fleet";
import { FORM_NAMES, type Form, Project, SHARDS, SOURCES } from "./forms";
import { medianRatio } from "./measure";
import { atLeast, atMost, type Demand, type Part, type Section, shown, table } from "./part";
import { type PlanCost, Planner } from "./planner";

const RUNS = 3;
/** As many times ours the iterator of cdktf may take before it is ended. */
const AT_MOST = 25;
const KINDS = [
  ["first", "all hosts new"],
  ["noop", "nothing to do"],
  ["changed", "the ruleset changed"],
] as const;

/** A planner for each form, or name, kept for the whole part. */
type PlannerOf = (form: Form, name?: string) => Planner;

type Costs = Map<Form, Record<"first" | "noop" | "changed", PlanCost>>;

export const plan: Part = {
  name: "plan",
  about: "terraform plan of up to 3,000 hosts: ours, one resource a host, leanest by hand",
  run: () => inFolder(upTo3000),
};

export const plan10000: Part = {
  name: "plan-10000",
  about: "terraform plan of 10,000 hosts: ours and the leanest by hand",
  run: () => inFolder(of10000),
};

export const planFromMap: Part = {
  name: "plan-from-map",
  about: "terraform plan with TerraformIterator.fromMap, which takes minutes for 3,000 hosts",
  run: () => inFolder(fromMap),
};

const INTRODUCTION = [
  "Time (as a multiple of ours) and peak memory of `terraform plan`, of Terraform alone, with a state in which all hosts are",
  "locked where not all are new. Ours and the leanest have two resources a host, the others one.",
  "",
];

function upTo3000(plannerOf: PlannerOf): Section {
  const forms = ["ours", "naive", "leanest"] as const;
  const rows: string[][] = [];
  for (const size of [10, 100, 1000, 3000]) {
    const costs = threePlans(forms, hostsOf(size), plannerOf);
    rows.push(...rowsOf(size, forms, costs));
  }
  const hosts = hostsOf(3000);
  const pairs = repeated(["ours", "leanest"], hosts, plannerOf);
  const ratio = medianRatio(pairs.ours, pairs.leanest);
  return {
    title: "terraform plan",
    demands: [
      atMost("a plan of 3,000 hosts takes at most 1.25 times the leanest by hand", ratio, 1.25, " times"),
      ...touched(hosts, plannerOf("ours")),
    ],
    lines: [
      ...INTRODUCTION,
      ...table(["hosts", "plan", ...forms.map((form) => FORM_NAMES[form])], rows),
      "",
      `First plan of 3,000 hosts, in turns: ours ${pairs.ours.map(shown).join(", ")} s; leanest ${pairs.leanest.map(shown).join(", ")} s.`,
    ],
  };
}

function of10000(plannerOf: PlannerOf): Section {
  const forms = ["ours", "leanest"] as const;
  const costs = threePlans(forms, hostsOf(10_000), plannerOf);
  const [ours, leanest] = items(
    forms.map((form) => growth(form, plannerOf)),
    2,
  );
  const shownOf = ([smaller, larger]: readonly [readonly number[], readonly number[]]): string =>
    `of 3,000 hosts ${smaller.map(shown).join(", ")} s, of 10,000 ${larger.map(shown).join(", ")} s: ${shown(medianRatio(larger, smaller))} times`;
  return {
    title: "terraform plan of 10,000 hosts",
    demands: [
      atMost(
        "a plan of 10,000 hosts takes at most 3.6 times that of 3,000",
        medianRatio(ours[1], ours[0]),
        3.6,
        " times",
      ),
    ],
    lines: [
      ...INTRODUCTION,
      ...table(["hosts", "plan", ...forms.map((form) => FORM_NAMES[form])], rowsOf(10_000, forms, costs)),
      "",
      `First plans, in turns: ${shownOf(ours)}. So the leanest by hand: ${shownOf(leanest)}.`,
    ],
  };
}

/** The times of first plans of 3,000 and of 10,000 hosts, in turns. */
function growth(form: Form, plannerOf: PlannerOf): readonly [readonly number[], readonly number[]] {
  const [smaller, larger] = items(
    [3000, 10_000].map((size) => {
      const planner = plannerOf(form, `${form}-${size}`);
      planner.project.synth(hostsOf(size));
      return { planner, seconds: [] as number[] };
    }),
    2,
  );
  for (let run = 0; run < RUNS; run++) {
    [smaller, larger].forEach(({ planner, seconds }) => seconds.push(planner.plan().seconds));
  }
  return [smaller.seconds, larger.seconds];
}

/** Only the first plan of 3,000 hosts, and that not to its end: it would take a quarter of an hour. */
function fromMap(plannerOf: PlannerOf): Section {
  const forms = ["ours", "fromMap"] as const;
  const small = threePlans(forms, hostsOf(1000), plannerOf);
  const hosts = hostsOf(3000);
  const [ourPlanner, theirPlanner] = items(
    forms.map((form) => {
      const planner = plannerOf(form, `${form}-3000`);
      planner.project.synth(hosts);
      return planner;
    }),
    2,
  );
  const ours = ourPlanner.plan();
  const theirs = theirPlanner.planWithin(Math.ceil(ours.seconds * AT_MOST));
  const what = "a plan of 3,000 hosts is at least 20 times faster than with `fromMap`";
  const tooLong = `more than ${AT_MOST} times`;
  return {
    title: "terraform plan with cdktf's iterator",
    demands: [
      theirs === undefined
        ? { what, measured: tooLong, holds: true }
        : atLeast(what, theirs.seconds / ours.seconds, 20, " times"),
    ],
    lines: [
      ...INTRODUCTION,
      ...table(
        ["hosts", "plan", ...forms.map((form) => FORM_NAMES[form])],
        [
          ...rowsOf(1000, forms, small),
          ["3,000", KINDS[0][1], cell(ours), theirs === undefined ? tooLong : cell(theirs, ours)],
        ],
      ),
    ],
  };
}

/** One host more, one fewer, and another ruleset, in a fleet that is locked: which resources a plan touches. */
function touched(hosts: Hosts, planner: Planner): Demand[] {
  const { project } = planner;
  planner.forget();
  project.synth(hosts);
  planner.plan();
  planner.pretendApplied();
  const count = Object.keys(hosts).length;
  const [leaving = ""] = Object.keys(hosts).slice(count / 2);
  const fewer = Object.fromEntries(Object.entries(hosts).filter(([name]) => name !== leaving));
  const exactly = (what: string, expected: string, ...changed: Parameters<typeof project.synth>): Demand => {
    project.synth(...changed);
    const { summary } = planner.plan();
    return { what: `${what}, in 3,000: ${expected}`, measured: summary, holds: summary === `Plan: ${expected}` };
  };
  const more = { ...hosts, "host-0": { ...(hosts[leaving] as FleetHost), address: "192.0.2.1" } };
  const every = `${count + 1} to add, 0 to change, ${count + 1} to destroy`;
  return [
    exactly("one more host", "2 to add, 0 to change, 0 to destroy", more),
    exactly("one host fewer", "0 to add, 0 to change, 2 to destroy", fewer),
    exactly("one ruleset changed", every, hosts, SOURCES[1]),
    exactly("another number of shards", "0 to add, 0 to change, 0 to destroy", hosts, SOURCES[0], {
      shards: SHARDS / 2,
      movedFromShards: SHARDS,
    }),
  ];
}

function threePlans(forms: readonly Form[], hosts: Hosts, plannerOf: PlannerOf): Costs {
  return new Map(forms.map((form) => [form, plannerOf(form).threePlans(hosts)]));
}

/** First plans, in turns. */
function repeated<F extends Form>(forms: readonly F[], hosts: Hosts, plannerOf: PlannerOf): Record<F, number[]> {
  const planners = forms.map((form) => plannerOf(form));
  const seconds = Object.fromEntries(forms.map((form) => [form, [] as number[]])) as Record<F, number[]>;
  for (const { project } of planners) {
    project.synth(hosts);
  }
  for (let run = 0; run < RUNS; run++) {
    for (const planner of planners) {
      planner.forget();
      seconds[planner.project.form as F].push(planner.plan().seconds);
    }
  }
  return seconds;
}

function rowsOf(size: number, forms: readonly Form[], costs: Costs): string[][] {
  return KINDS.map(([kind, words]) => {
    const cells = forms.map((form) => {
      const cost = costs.get(form)?.[kind] as PlanCost;
      return cell(cost, form === "ours" ? undefined : costs.get("ours")?.[kind]);
    });
    return [size.toLocaleString("en"), words, ...cells];
  });
}

function cell({ seconds, megabytes }: PlanCost, ours?: PlanCost): string {
  const ratio = ours === undefined ? "" : ` (${shown(seconds / ours.seconds)})`;
  return `${seconds.toFixed(1)} s${ratio}, ${megabytes.toFixed(0)} MB`;
}

function inFolder(measure: (plannerOf: PlannerOf) => Section): Promise<Section> {
  const folder = mkdtempSync(join(tmpdir(), "bench-plan-"));
  const planners = new Map<string, Planner>();
  const plannerOf = (form: Form, name: string = form): Planner => {
    const planner = planners.get(name) ?? new Planner(new Project(form, join(folder, name)));
    planners.set(name, planner);
    return planner;
  };
  try {
    return Promise.resolve(measure(plannerOf));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
