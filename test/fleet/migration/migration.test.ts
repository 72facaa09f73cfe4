import { defined } from "../../support/required";
import { parseFleet } from "../../../lib/fleet/fleet-file";
import { migrationBetween } from "../../../lib/fleet/migration/migration";
import { readStateFile, withArrivals, withoutLeaving } from "../../../lib/fleet/migration/moved-states";
import type { StateFile } from "../../../lib/state/state-file";

const HOSTS = "hosts: { a: 192.0.2.1, b: 192.0.2.2, c: 192.0.2.3, d: 192.0.2.4 }\n";
const between = (before: string, after: string): ReturnType<typeof migrationBetween> =>
  migrationBetween(parseFleet(before).fleet!, parseFleet(after).fleet!);
const backend = (kind: string, settings: string): string => `terraform: { backend: { ${kind}: { ${settings} } } }\n`;

describe("a migration", () => {
  test("of one more stack moves hosts to that one only", () => {
    const { moves, stacks, problems } = between(`stacks: 1\n${HOSTS}`, `stacks: 2\n${HOSTS}`);
    expect(problems).toEqual([]);
    expect(moves.length).toBeGreaterThan(0);
    expect(moves.every(({ from, to }) => from === "fleet-0" && to === "fleet-1")).toBe(true);
    expect([...stacks.keys()]).toEqual(["fleet-0", "fleet-1"]);
  });

  test("of a new name moves all hosts, and finds each state by the file that has it", () => {
    const after = `name: old\n${backend("s3", 'bucket: b, key: "{stack}"')}${HOSTS}`;
    const { moves, stacks, problems } = between(HOSTS, after);
    expect(problems).toEqual([]);
    expect(moves.map(({ host, from, to }) => `${host} ${from} ${to}`)).toEqual(
      ["a", "b", "c", "d"].map((host) => `${host} fleet old`),
    );
    expect([...stacks.values()].map((text) => JSON.parse(text) as unknown)).toEqual([
      { terraform: { backend: { local: { path: `${process.cwd()}/terraform.fleet.tfstate` } } } },
      { terraform: { backend: { s3: { bucket: "b", key: "old" } } } },
    ]);
  });

  test("takes a default for the same as leaving it out", () => {
    const spelt = `stacks: 2\ntracker: null_resource\nshards: 1\n${HOSTS}`;
    expect(between(HOSTS, spelt).problems).toEqual([]);
  });

  test("has nothing to move where only hosts come, and where one goes from a stack that stays", () => {
    expect(between(HOSTS, HOSTS.replace("}", ", e: 192.0.2.5 }"))).toMatchObject({ moves: [], problems: [] });
    expect(between(HOSTS, HOSTS.replace(", d: 192.0.2.4", ""))).toMatchObject({ moves: [], problems: [] });
  });

  test("lets the names of resources change where no host moves", () => {
    expect(between(HOSTS, `shards: 4\nwaves: [[a]]\n${HOSTS}`)).toMatchObject({ moves: [], problems: [] });
  });

  test.each([
    [
      "a host that nobody would unlock any more",
      HOSTS,
      `stacks: 2\n${HOSTS.replace(", d: 192.0.2.4", "")}`,
      /^hosts\.d: is not in the other file, and its stack fleet is no longer made/,
    ],
    ["another tracker", HOSTS, `stacks: 2\ntracker: terraform_data\n${HOSTS}`, /^tracker: differs from the other file/],
    ["another number of shards", HOSTS, `stacks: 2\nshards: 4\n${HOSTS}`, /^shards: differs from the other file/],
    ["another wave", HOSTS, `stacks: 2\nwaves: [[a]]\n${HOSTS}`, /^waves: differs from the other file/],
    [
      "a state that is kept elsewhere",
      `stacks: 1\n${HOSTS}`,
      `stacks: 2\n${backend("gcs", 'bucket: b, prefix: "{stack}"')}${HOSTS}`,
      /^fleet-0: its state is elsewhere in the earlier file/,
    ],
    [
      "two stacks with one state",
      `${backend("s3", "key: fleet-0")}${HOSTS}`,
      `stacks: 2\n${backend("s3", 'key: "{stack}"')}${HOSTS}`,
      /^fleet-0 and fleet have the same state/,
    ],
    [
      "a workspace found by tags",
      HOSTS,
      `stacks: 2\nterraform: { cloud: { organization: x, workspaces: { tags: ["{stack}"] } } }\n${HOSTS}`,
      /^fleet-0: its workspace is found by tags/,
    ],
  ])("is refused with %s", (_what, before, after, problem) => {
    expect(between(before, after).problems).toContainEqual(expect.stringMatching(problem));
  });
});

/** A state with hosts, as Terraform writes it. */
function stateOf(hosts: readonly string[], others: Partial<StateFile> = {}): StateFile {
  const instances = (part: string, keys = hosts): Array<{ index_key: string; attributes: { id: string } }> =>
    keys.map((key) => ({ index_key: key, attributes: { id: `${part} of ${key}` } }));
  const resource = (name: string, keys?: readonly string[]) => ({
    mode: "managed",
    type: "terraform_data",
    name,
    instances: instances(name, keys),
  });
  return {
    version: 4,
    terraform_version: "1.11.4",
    serial: 7,
    lineage: "x",
    outputs: { locked_hosts: {}, other: {} },
    // The second ruleset is named after a host.
    resources: [
      resource("fleet_hold"),
      resource("fleet_lockdown"),
      resource("fleet_ruleset", ["shared", defined(hosts[0])]),
    ],
    ...others,
  };
}

function hostsOf(state: StateFile | undefined, name: string): unknown[] {
  const resource = state?.resources?.find((one) => one.name === name);
  return resource?.instances.map(({ index_key }) => index_key) ?? [];
}

const AB = [
  { host: "a", from: "one", to: "two" },
  { host: "b", from: "one", to: "two" },
];

describe("hosts move between states", () => {
  test("first into the new one, as they are, and the rulesets stay with the stack", () => {
    const one = stateOf(["a", "b", "c"]);
    const arrived = withArrivals(
      new Map([
        ["one", one],
        ["two", stateOf(["z"])],
      ]),
      AB,
    );
    expect([...arrived.keys()]).toEqual(["two"]);
    const two = arrived.get("two");
    expect([hostsOf(two, "fleet_hold"), hostsOf(two, "fleet_lockdown"), hostsOf(two, "fleet_ruleset")]).toEqual([
      ["z", "a", "b"],
      ["z", "a", "b"],
      ["shared", "z"],
    ]);
    expect(defined(two?.resources?.[0]).instances[1]).toBe(defined(one.resources?.[0]).instances[0]);
    // The next one, so that Terraform refuses it if anybody else has written one.
    expect(two).toMatchObject({ serial: 8, lineage: "x" });
  });

  test("into a stack that was never deployed", () => {
    const two = withArrivals(
      new Map([
        ["one", stateOf(["a", "b"])],
        ["two", readStateFile("", "two")],
      ]),
      AB,
    ).get("two");
    expect(hostsOf(two, "fleet_hold")).toEqual(["a", "b"]);
    expect(two).toMatchObject({ version: 4, serial: 1, lineage: expect.stringMatching(/^[0-9a-f-]{36}$/) });
  });

  test("and then out of the old one, of which nothing else changes", () => {
    const left = withoutLeaving(
      new Map([
        ["one", stateOf(["a", "b", "c"])],
        ["two", stateOf(["a", "b"])],
      ]),
      AB,
    );
    expect([...left.keys()]).toEqual(["one"]);
    const one = left.get("one");
    expect(["fleet_hold", "fleet_lockdown", "fleet_ruleset"].map((name) => hostsOf(one, name))).toEqual([
      ["c"],
      ["c"],
      ["shared", "a"],
    ]);
    expect(one).toMatchObject({ serial: 8, outputs: { locked_hosts: {}, other: {} } });
  });

  test("and the last of a stack leaves a state behind that can be deleted", () => {
    const one = withoutLeaving(
      new Map([
        ["one", stateOf(["a", "b"])],
        ["two", stateOf(["a", "b"])],
      ]),
      AB,
    ).get("one");
    expect(one).toMatchObject({ resources: [], outputs: { other: {} } });
  });

  test("only once: where all is done, nothing is written", () => {
    const states = new Map([
      ["one", stateOf(["c"])],
      ["two", stateOf(["a", "b"])],
    ]);
    expect([withArrivals(states, AB).size, withoutLeaving(states, AB).size]).toEqual([0, 0]);
    const between = new Map([
      ["one", stateOf(["a", "b"])],
      ["two", stateOf(["a", "b"])],
    ]);
    expect(withArrivals(between, AB).size).toBe(0);
  });

  test("not out of the old state before they are in the new one", () => {
    const states = new Map([
      ["one", stateOf(["a", "b"])],
      ["two", stateOf(["a"])],
    ]);
    expect(() => withoutLeaving(states, AB)).toThrow(
      /^b is in the state of one, and not or not as a whole in that of two; /,
    );
  });

  test("not into a state that has another lock of them", () => {
    const other = stateOf(["b"]);
    const changed = JSON.parse(JSON.stringify(other).replace('"fleet_hold of b"', '"another"')) as StateFile;
    const states = new Map([
      ["one", stateOf(["a", "b"])],
      ["two", changed],
    ]);
    expect(() => withArrivals(states, AB)).toThrow(/^b is in the states of one and of two, with another lock in each/);
  });

  test.each([["{"], ["[]"], ['{"version": 5, "serial": 1}'], ['{"encrypted_data": ""}']])(
    "not in what is no state: %s",
    (text) => {
      expect(() => readStateFile(text, "one")).toThrow(
        /^one: the output of terraform state pull is not a state of version 4/,
      );
    },
  );

  describe("of a large fleet, in which one seal stands for all that one plan has locked,", () => {
    const [FIRST, SECOND] = ["2026-01-01T00:00:00Z", "2026-02-02T00:00:00Z"];
    const dynamic = (value: object): object => ({ value, type: "as Terraform writes it" });
    /** @param sealed by the time of its plan, the hosts of a seal */
    const sealedState = (planned: Readonly<Record<string, string>>, sealed: Readonly<Record<string, string[]>>) => {
      const state = stateOf(Object.keys(planned));
      const seals = Object.entries(sealed).map(([at, hosts]) => ({
        index_key: at,
        attributes: {
          id: `seal of ${at}`,
          triggers_replace: dynamic({ sealed_plan: at }),
          input: dynamic({ planned_at: at, lockdowns: hosts.map((host) => `fleet_lockdown of ${host}`) }),
        },
      }));
      const resources = state.resources.map(({ instances, ...resource }) => ({
        ...resource,
        instances: instances.map(({ index_key, attributes }) => {
          const at = resource.name === "fleet_lockdown" ? { planned_at: planned[String(index_key)] } : {};
          return {
            index_key,
            attributes: {
              ...(attributes as object),
              id: `${resource.name} of ${String(index_key)}`,
              input: dynamic(at),
            },
          };
        }),
      }));
      const seal = { mode: "managed", type: "terraform_data", name: "fleet_seal_16_03", instances: seals };
      return { ...state, resources: [...resources, seal] };
    };
    const sealsOf = (state: StateFile | undefined): unknown =>
      Object.fromEntries(
        (state?.resources.find(({ name }) => name === "fleet_seal_16_03")?.instances ?? []).map((one) => [
          one.index_key,
          (one.attributes as { input: { value: { lockdowns: string[] } } }).input.value.lockdowns.map((id) =>
            id.replace("fleet_lockdown of ", ""),
          ),
        ]),
      );

    test("with their seals, which stay with those that stay", () => {
      const states = new Map([
        ["one", sealedState({ a: FIRST, b: SECOND, c: FIRST }, { [FIRST]: ["a", "c"], [SECOND]: ["b"] })],
        ["two", undefined],
      ]);
      const arrived = withArrivals(states, AB);
      expect(sealsOf(arrived.get("two"))).toEqual({ [FIRST]: ["a"], [SECOND]: ["b"] });
      const left = withoutLeaving(new Map([...states, ...arrived]), AB);
      expect(sealsOf(left.get("one"))).toEqual({ [FIRST]: ["a", "c"] });
    });

    test("beside those of a plan of the same second", () => {
      const states = new Map([
        ["one", sealedState({ a: FIRST, b: FIRST }, { [FIRST]: ["a", "b"] })],
        ["two", sealedState({ z: FIRST }, { [FIRST]: ["z"] })],
      ]);
      expect(sealsOf(withArrivals(states, AB).get("two"))).toEqual({ [FIRST]: ["z", "a", "b"] });
    });

    test("and come under no seal of others where they had none", () => {
      const states = new Map([
        ["one", sealedState({ a: FIRST, b: FIRST }, {})],
        ["two", sealedState({ z: FIRST, y: SECOND }, { [FIRST]: ["z"], [SECOND]: ["y"] })],
      ]);
      expect(sealsOf(withArrivals(states, AB).get("two"))).toEqual({ [SECOND]: ["y"] });
    });
  });
});
