/** Hosts of which only a hold, or only a lockdown, is in the state. */
import { type Host, hostsIn } from "../../lib/state/hosts";
import { readState } from "../../lib/state/state";
import { HOLDS_ALONE, holdAlone, renamed, withoutRole } from "./support/holds-alone";
import { filed, type Form, ownerOf, shown } from "./support/states";

const hostsOf = (text: string): readonly Host[] => hostsIn(readState(text));

describe.each(HOLDS_ALONE)("a state with one %s", (tracker) => {
  describe.each(["shown", "filed"] as const)("as it is %s", (written) => {
    const state = holdAlone(tracker, written);

    test("that is a hold has its host, with the way to reach it and the command that takes it out", () => {
      expect(hostsOf(state)).toEqual([
        {
          key: "web-2",
          firewall: "fleet",
          claim: "unfinished",
          observes: false,
          why: "the state has its hold but no lockdown: a lock or a destroy was not finished",
          remedy: {
            text: expect.stringMatching(
              /^Deploy again; if a destroy failed, run it again\. .* in the directory of the stack/,
            ),
            command: `terraform state rm '${tracker}.fleet_hold["web-2"]'`,
          },
          address: "192.0.2.11",
          owner: expect.stringMatching(/^[0-9a-f-]{16,}$/),
          connection: { port: "2222", user: "ops", hostKey: expect.stringMatching(/^ssh-ed25519 /) },
          texts: {},
        },
      ]);
    });

    test("that is a hold knows it by its role, whatever it is called", () => {
      expect(hostsOf(renamed(state))).toMatchObject([
        {
          key: "web-2",
          claim: "unfinished",
          address: "192.0.2.11",
          remedy: { command: `terraform state rm '${tracker}.grip["web-2"]'` },
        },
      ]);
    });

    test("that is a hold of an earlier version knows it by its name and its address", () => {
      expect(hostsOf(withoutRole(state))).toMatchObject([{ key: "web-2", claim: "unfinished", address: "192.0.2.11" }]);
      expect(hostsOf(withoutRole(state).replaceAll('"address"', '"elsewhere"'))).toEqual([]);
      expect(hostsOf(withoutRole(state).replaceAll(/"index(_key)?"/g, '"other_key"'))).toEqual([]);
    });

    test("that has neither the role nor the name of a hold leaves it to its owner", () => {
      expect(hostsOf(renamed(withoutRole(state)))).toEqual([]);
    });
  });

  test.each([
    ["terraform show -json", shown],
    ["a state file", filed],
  ] as const)("whose hold has left it is not locked, as %s", (_, write) => {
    const state = write([{ key: "db" }, { key: "web", hold: "none" }], { tracker });
    expect(hostsOf(JSON.stringify(state))).toMatchObject([
      { key: "db", claim: "locked" },
      {
        key: "web",
        claim: "unfinished",
        why: "the state has its lockdown but no hold: no deploy and no destroy unlocks it",
        remedy: { text: expect.stringMatching(/takeOver: same-stack.*\/host\.sh unlock/) },
        owner: ownerOf({ key: "web" }),
        lockdown: { resource: `${tracker}.fleet_lockdown` },
      },
    ]);
  });
});

describe("the command that takes a host out", () => {
  const DATA: Form = { tracker: "terraform_data" };
  const commandsOf = (state: unknown): unknown[] => hostsOf(JSON.stringify(state)).map(({ remedy }) => remedy?.command);

  test("names its module", () => {
    const state = filed([{ key: "web", lockdown: "none" }], { ...DATA, module: 'module.a["it\'s"]' });
    expect(commandsOf(state)).toEqual([`terraform state rm 'module.a["it'\\''s"].terraform_data.fleet_hold["web"]'`]);
  });

  test.each(["tainted", "of another hold"] as const)("names a lockdown too that is %s", (lockdown) => {
    expect(commandsOf(filed([{ key: "web", lockdown }], DATA))).toEqual([
      `terraform state rm 'terraform_data.fleet_hold["web"]' 'terraform_data.fleet_lockdown["web"]'`,
    ]);
  });
});
