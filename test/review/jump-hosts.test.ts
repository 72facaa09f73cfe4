import type { HostReview } from "../../lib/review/hosts";
import { jumpHosts } from "../../lib/review/jump-hosts";
import type { Rulesets } from "../../lib/review/rulesets";
import { plain } from "../../lib/review/text";
import { renderRulesets } from "../../lib/ruleset/backends";
import { PolicyException } from "../../lib/policy/exception";
import type { PolicyProps } from "../../lib/policy/policy";
import { policyOf } from "../ruleset/support/policies";

const host = (name: string, address: string, more: Partial<HostReview> = {}): HostReview =>
  ({
    name,
    outcome: "lock",
    locks: true,
    address: { known: address },
    ruleset: { before: undefined, after: { known: "hash" } },
    bastion: undefined,
    ...more,
  }) as HostReview;

const bastion = { host: "192.0.2.9", port: "22", to: "22" };
const behind = (name: string, address: string, more: Partial<HostReview> = {}): HostReview =>
  host(name, address, { bastion, ...more });

/** What is found where all hosts get the ruleset of this policy. */
function found(hosts: readonly HostReview[], policy: PolicyProps): string[] {
  const texts = renderRulesets(policyOf({ allowFrom: ["192.0.2.0/24"], ...policy }), "auto");
  const rulesets = { find: () => texts } as unknown as Rulesets;
  return jumpHosts(hosts, rulesets).map(({ host: name, detail }) => `${name}: ${plain(detail)}`);
}

const exceptions = [PolicyException.egress({ to: "10.0.0.0/24", port: 22 })];
const jump = host("jump", "192.0.2.9");

test("a plan that locks a bastion away from the hosts behind it is dangerous", () => {
  const both = [jump, behind("a", "10.0.0.5"), behind("b", "10.0.1.5")];
  expect(found(both, {})).toEqual(["jump: is the bastion of a (TCP port 22), b (TCP port 22)"]);
  expect(found(both, { exceptions })).toEqual(["jump: is the bastion of b (TCP port 22)"]);
  expect(found([jump, behind("a", "10.0.0.5", { locks: false, outcome: "stay" })], {})).toHaveLength(1);
});

test.each<[string, HostReview[], PolicyProps]>([
  ["an exception lets it connect to them", [jump, behind("a", "10.0.0.5")], { exceptions }],
  ["it only observes", [jump, behind("a", "10.0.0.5")], { mode: "observe" }],
  ["it is unlocked", [host("jump", "192.0.2.9", { outcome: "unlock" }), behind("a", "10.0.0.5")], {}],
  ["it is not of this plan", [behind("a", "10.0.0.5")], {}],
])("a bastion is not dangerous where %s", (_, hosts, policy) => {
  expect(found(hosts, policy)).toEqual([]);
});
