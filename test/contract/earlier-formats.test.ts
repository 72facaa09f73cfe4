/** A state and a plan that a real Terraform wrote with the first layout of this package: terraform show -json of each. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readPlan } from "../../lib/review/plan";
import { reviewPlan } from "../../lib/review/review";
import { hostsIn } from "../../lib/state/hosts";
import { readState } from "../../lib/state/state";
import { trackedHosts } from "../../lib/status/drift-triggers";

const earlier = (name: string): string => readFileSync(join(__dirname, "../golden/earlier", `${name}.json`), "utf8");
// It has no seals.
const claims = [
  ["web-1", "192.0.2.10", "unconfirmed"],
  ["web-2", "192.0.2.11", "unconfirmed"],
  ["web-3", "192.0.2.12", "unconfirmed"],
];

test("status reads every host of an earlier state, and how it is reached", () => {
  const hosts = hostsIn(readState(earlier("state")));
  expect(hosts.map(({ key, address, claim }) => [key, address, claim])).toEqual(claims);
  expect(hosts.every(({ owner, ruleset, program }) => owner && ruleset && program)).toBe(true);
  expect(hosts.every(({ texts }) => texts.nftables?.includes("table inet ssh_only_firewall"))).toBe(true);
  expect(hosts[2]?.connection).toMatchObject({ port: "2222", user: "ops", bastionHost: "192.0.2.1" });
});

test("drift tracks the lockdowns of an earlier state", () => {
  const query = { lockdowns: ["terraform_data.fleet_lockdown"], connection: {} };
  expect(trackedHosts(earlier("state"), query).map(({ key, claim }) => [key, claim])).toEqual(
    claims.map(([key, , claim]) => [key, claim]),
  );
});

test("review reads what an earlier plan does to each host, and from where SSH can be reached", () => {
  const { hosts, dangers } = reviewPlan(readPlan(readFileSync(join(__dirname, "../golden/earlier/plan.json"))));
  expect(hosts.map(({ key, outcome }) => [key, outcome])).toEqual([
    ["web-1", "relock"],
    ["web-2", "observe"],
    ["web-3", "relock"],
  ]);
  // A ruleset whose rules were not understood would be one.
  expect(dangers.map(({ kind }) => kind)).toEqual([]);
});
