import * as fc from "fast-check";
import { defined } from "../support/required";
import { type Host, hostsIn } from "../../lib/state/hosts";
import { withNamed } from "../../lib/state/named-hosts";
import { readState } from "../../lib/state/state";
import { StateError } from "../../lib/state/state-error";
import { addressOf, filed, outputs, ownerOf, PROGRAM, RULESET, shown, TEXTS, type Tracked } from "./support/states";

const hostsOf = (state: unknown): readonly Host[] => hostsIn(readState(JSON.stringify(state)));

const TRACKERS = ["null_resource", "terraform_data"] as const;
const FORMS = { "terraform show -json": shown, "a state file": filed } as const;
const MACHINE = { port: "2222", user: "ops", host_key: "ssh-ed25519 AAAA", bastion_host: "192.0.2.9" };

describe.each(TRACKERS)("a state with %s", (tracker) => {
  describe.each(Object.entries(FORMS))("as %s", (_, write) => {
    test("has its locked hosts, with all that it knows of them", () => {
      const web = { key: "web", address: "192.0.2.7", memory: MACHINE };
      expect(hostsOf(write([web], { tracker }))).toEqual([
        {
          key: "web",
          firewall: "fleet",
          claim: "locked",
          observes: false,
          why: undefined,
          address: "192.0.2.7",
          owner: "owner-of-web",
          ruleset: RULESET,
          program: PROGRAM,
          connection: { port: "2222", user: "ops", hostKey: "ssh-ed25519 AAAA", bastionHost: "192.0.2.9" },
          texts: TEXTS,
          lockdown: { resource: `${tracker}.fleet_lockdown`, drift: "0" },
        },
      ]);
    });

    test.each([
      ["tainted", "its lockdown is tainted: the last lock failed"],
      ["none", "the state has its hold but no lockdown: a lock or a destroy was not finished"],
      ["of another hold", "its lockdown belongs to an earlier hold: the last deploy was not finished"],
    ] as const)("does not take a lockdown that is %s for a lock", (lockdown, why) => {
      expect(hostsOf(write([{ key: "web", lockdown }], { tracker }))).toMatchObject([{ claim: "unfinished", why }]);
    });

    test.each(["lockdown_64_07", "lockdown_wave_1_64_07"])("finds the hold of a %s", (name) => {
      const web = { key: "web", memory: MACHINE };
      const state = JSON.stringify(write([web], { tracker }))
        .replaceAll("fleet_lockdown", `fleet_${name}`)
        .replaceAll("fleet_hold", "fleet_hold_64_07");
      const lockdown = { resource: `${tracker}.fleet_${name}`, drift: "0" };
      expect(hostsOf(JSON.parse(state))).toMatchObject([
        { key: "web", firewall: "fleet", claim: "locked", connection: { user: "ops" }, lockdown },
      ]);
    });

    test("finds a hold by its id, whatever it is called", () => {
      const hosts = ["db", "web"].map((key) => ({ key, memory: MACHINE }));
      const state = JSON.stringify(write(hosts, { tracker })).replaceAll("fleet_hold", "old_holds");
      expect(hostsOf(JSON.parse(state))).toMatchObject(
        ["db", "web"].map((key) => ({
          key,
          firewall: "fleet",
          claim: "locked",
          owner: `owner-of-${key}`,
          connection: { user: "ops" },
        })),
      );
    });

    test.each([
      ["in its own run", "of its run", "locked"],
      ["in its own run, with others", "of its run, with others", "locked"],
      ["with others, in a later run, which did not lock it", "of a later run, with others", "unconfirmed"],
      ["in no run, as others were in its own", "of others", "unconfirmed"],
      ["in no run", "none", "unconfirmed"],
      ["only in a later run, which did not lock it", "of a later run", "unconfirmed"],
      ["in a later run, which locked it once more", "of a relock", "locked"],
      ["in a later run, which did not end either", "of a relock that did not end", "unconfirmed"],
    ] as const)("calls a host that was sealed %s what is known of it", (_, seal, claim) => {
      expect(hostsOf(write([{ key: "web", seal }], { tracker }))).toMatchObject([{ claim, observes: false }]);
    });

    test("does not call a host observed of which that is not known", () => {
      const host = { key: "web", seal: "none", mode: "observe" } as const;
      expect(hostsOf(write([host], { tracker }))).toMatchObject([{ claim: "unconfirmed", observes: true }]);
    });

    test("distinguishes modules and constructs", () => {
      const inModule = write([{ key: "web" }], { tracker, module: 'module.a["x"]' });
      expect(hostsOf(inModule)).toMatchObject([{ firewall: 'module.a["x"].fleet', claim: "locked" }]);
      expect(hostsOf(write([{ key: "web" }], { tracker, firewall: "other" }))).toMatchObject([{ firewall: "other" }]);
    });

    test("has every host once, whatever their names, states and number", () => {
      const host = fc.record({
        key: fc.string({ minLength: 1 }),
        lockdown: fc.constantFrom("whole", "tainted", "none", "of another hold"),
      });
      const some = fc.uniqueArray(host, { selector: ({ key }) => key, minLength: 1, maxLength: 20 });
      fc.assert(
        fc.property(some, (hosts) => {
          const found = hostsOf(write(hosts as Tracked[], { tracker }));
          const claims = (of: ReadonlyArray<{ key: string }>, claim: (one: never) => string): string[] =>
            of.map((one) => `${one.key} ${claim(one as never)}`).sort();
          expect(claims(found, ({ claim }: Host) => claim)).toEqual(
            claims(hosts, ({ lockdown }: Tracked) => (lockdown === "whole" ? "locked" : "unfinished")),
          );
        }),
        { numRuns: 50 },
      );
    });
  });
});

test("outputs have what lockedHosts says, and no more", () => {
  const web: Tracked = { key: "web" };
  const expected = { key: "web", claim: "locked", address: addressOf(web), owner: ownerOf(web), ruleset: RULESET };
  expect(hostsOf(outputs([web]))).toMatchObject([{ ...expected, firewall: "locked_hosts", program: undefined }]);
  const one = (outputs([web]) as { locked_hosts: { value: unknown } }).locked_hosts.value;
  expect(hostsOf(one)).toMatchObject([{ ...expected, firewall: "" }]);
});

test("a hold that was replaced and not destroyed is a host of its own", () => {
  const state = filed([{ key: "web" }], { tracker: "terraform_data" }) as {
    resources: Array<{ name: string; instances: Array<Record<string, unknown>> }>;
  };
  const holds = state.resources.find(({ name }) => name === "fleet_hold")?.instances ?? [];
  holds.push({
    index_key: "web",
    deposed: "ab12",
    attributes: { id: "old", triggers_replace: { value: { address: "192.0.2.99" }, type: [] } },
  });
  const hosts = hostsOf(state);
  expect(hosts.map(({ address, claim }) => `${address} ${claim}`)).toEqual([
    "192.0.2.1 locked",
    "192.0.2.99 unfinished",
  ]);
  // The address of both is the same, so a command would take the other hold out too.
  expect(hosts.map(({ remedy }) => remedy)).toEqual([undefined, undefined]);
});

test("what is unknown in a state, and what belongs to others, is left alone", () => {
  const state = shown([{ key: "web" }], { tracker: "null_resource" }) as {
    values: { root_module: { resources: unknown[] } };
  };
  const strange = { type: "null_resource", name: "other", mode: "managed", values: { triggers: { address: "x" } } };
  state.values.root_module.resources.push(strange, { type: "aws_instance", name: "a", values: null, new: {} });
  expect(hostsOf({ ...state, checks: [], format_version: "1.99" })).toHaveLength(1);
  expect(hostsOf({ format_version: "1.0" })).toEqual([]);
});

test("hosts with values that are not known yet are hosts", () => {
  const state = filed([{ key: "web" }], { tracker: "null_resource" }) as {
    resources: Array<{ name: string; instances: [{ attributes: { triggers: unknown } }] }>;
  };
  state.resources.forEach(({ name, instances }) => {
    if (name === "fleet_hold") defined(instances[0]).attributes.triggers = { address: null };
  });
  expect(hostsOf(state)).toMatchObject([{ key: "web", address: undefined }]);
});

test.each([
  ["", /^it is empty/],
  ["hunter2", /^it is not JSON; give /],
  ['{"password": "hunter2"', /^it is not JSON; give /],
  ["[]", /^it is not a Terraform state/],
  ['{"password": "hunter2"}', /^it is not a Terraform state/],
  ['{"version": 3, "modules": []}', /^its format is version 3, and only version 4 is supported/],
  ['{"format_version": "2.0"}', /^its format_version is 2.0, and only 1 is supported; use a newer /],
  ['{"format_version": "1.2", "planned_values": {}}', /^it is a plan/],
  ['{"encrypted_data": "x"}', /^it is encrypted/],
  ['{"version": 4, "resources": {"password": "hunter2"}}', /^resources does not have the type that it has in a state/],
  ['{"version": 4, "resources": [{"type": 7}]}', /^resources\[0\]\.type does not have the type that it has in a state/],
  ['{"a": {"type": "string", "value": "hunter2"}}', /^none of the outputs is the lockedHosts of a firewall/],
  ["{}", /^none of the outputs/],
])("%j is refused with a remedy, and not repeated", (text, message) => {
  const read = (): unknown => readState(text);
  expect(read).toThrow(StateError);
  expect(read).toThrow(message);
  expect(read).not.toThrow(/hunter2/);
});

test("any text is a state or is refused", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json(),
        fc.string(),
        fc.jsonValue().map((value) => JSON.stringify({ version: 4, resources: [value] })),
      ),
      (text) => {
        try {
          hostsIn(readState(text));
        } catch (error) {
          expect(error).toBeInstanceOf(StateError);
        }
      },
    ),
  );
});

describe("hosts that are named besides", () => {
  const known = hostsOf(filed([{ key: "web", memory: { port: "22", user: "root" } }], { tracker: "terraform_data" }));
  const also = (address: string, connection = {}) => ({ key: address, address, claim: "absent" as const, connection });

  test("are added once, and only those that the state does not have", () => {
    const all = withNamed(known, [also("192.0.2.1"), also("192.0.2.2"), also("192.0.2.2")]);
    expect(all.map(({ address, claim }) => `${address} ${claim}`)).toEqual(["192.0.2.1 locked", "192.0.2.2 absent"]);
  });

  test("are others on another port, or behind another bastion", () => {
    expect(withNamed(known, [also("192.0.2.1", { port: "2222" })])).toHaveLength(2);
    const behind = hostsOf(filed([{ key: "b", memory: { bastion_host: "a" } }], { tracker: "terraform_data" }));
    expect(withNamed(behind, [also("192.0.2.1", { bastionHost: "c" })])).toHaveLength(2);
  });

  test("show by a fleet file how a host is reached, where the state does not know", () => {
    const connection = { port: "22", user: "ops", privateKeyPath: "/key" };
    const declared = [{ key: "web", address: "192.0.2.1", claim: "declared" as const, connection }];
    expect(withNamed(known, declared)).toMatchObject([
      { claim: "locked", connection: { port: "22", user: "root", privateKeyPath: "/key" } },
    ]);
  });
});
