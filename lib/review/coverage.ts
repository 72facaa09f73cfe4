/**
 * Whether a plan covers all hosts. OpenTofu's plans do not say whether they have targets or exclusions (`complete`). A plan of
 * the whole configuration has a change for each object of the prior state, if only one that changes nothing, and for each host
 * of the configuration; one that has no change at all is of `-refresh-only`, or nothing that it covers is there.
 */
import type { Finding } from "./dangers";
import type { Firewalls, TrackedHost } from "./firewalls";
import type { Instance, Plan } from "./plan";
import { withoutKeys } from "./plan-configuration";
import type { Text } from "./text";

/** What a plan leaves out, each named as far as it is known. @param nameOf what a host is called in this review */
export function coverageFindings(
  plan: Plan,
  firewalls: Firewalls,
  nameOf: (host: TrackedHost) => string,
): readonly Finding[] {
  const finding = (detail: Text, host?: string): Finding => ({ kind: "incomplete", host, detail });
  if (plan.errored) {
    return [finding(["planning failed; Terraform will not apply this plan"])];
  }
  if (plan.complete === true || (plan.complete === undefined && changesNothing(plan))) {
    return [];
  }
  const left = unmentioned(plan);
  const leftOut = firewalls.hosts.filter(({ hold, lockdown }) =>
    [hold, lockdown].some((part) => part !== undefined && left.has(part.change.address)),
  );
  const missing = missingHosts(plan, firewalls);
  if (plan.complete === undefined && left.size === 0 && missing.length === 0) {
    return isTold(plan, firewalls) ? [] : [finding(UNTOLD)];
  }
  return [
    finding(["another plan is needed after this one: it has targets or exclusions, or something was deferred"]),
    ...leftOut.map((host) => finding(["this plan leaves it out, or a part of it"], nameOf(host))),
    ...missing.map((name) => finding(["it is in the configuration, and not in this plan"], name)),
  ];
}

const UNTOLD = [
  "this plan does not show whether it has targets or exclusions, and its configuration does not list the hosts; make sure that it was planned without -target and -exclude, or synthesize with this version of cdktf-ssh-only-firewall",
];

/** As a plan of `-refresh-only`, and one whose targets or exclusions leave nothing. */
export const changesNothing = ({ changes, prior }: Plan): boolean => changes.length === 0 && prior.length > 0;

/** Addresses of objects in the state that no change mentions. */
function unmentioned(plan: Plan): ReadonlySet<string> {
  const mentioned = new Set(plan.changes.flatMap(({ address, previousAddress }) => [address, previousAddress]));
  return new Set(plan.prior.filter((one: Instance) => !mentioned.has(one.address)).map(({ address }) => address));
}

/**
 * Hosts that are listed more often than they are found. Names of firewalls are not compared, because their resources may have
 * been given others. Where everything is destroyed, hosts that were never made are not missing.
 */
function missingHosts(plan: Plan, { hosts, rulesets }: Firewalls): readonly string[] {
  const modules = [...new Set(plan.hostNames.map(({ module }) => module))];
  return modules.flatMap((module) => {
    const within = hosts.filter((host) => withoutKeys(moduleOf(host)) === module);
    const stays = [
      ...within.flatMap(({ hold, lockdown }) => [hold?.change, lockdown?.change]),
      ...rulesets.filter((one) => withoutKeys(one.module) === module),
    ].some((change) => change?.after !== undefined);
    const listed = plan.hostNames.filter((one) => one.module === module).flatMap(({ names }) => names);
    return within.length > 0 && !stays ? [] : surplus(listed, within);
  });
}

function surplus(listed: readonly string[], hosts: readonly TrackedHost[]): readonly string[] {
  const found = new Map<string, number>();
  for (const host of hosts.filter(({ hold, lockdown }) => (hold ?? lockdown)?.change.after !== undefined)) {
    const slot = JSON.stringify([moduleOf(host), host.key]);
    found.set(slot, (found.get(slot) ?? 0) + 1);
  }
  const most = new Map<string, number>();
  for (const [slot, times] of found) {
    const [, key] = JSON.parse(slot) as [string, string];
    most.set(key, Math.max(times, most.get(key) ?? 0));
  }
  const counts = new Map<string, number>();
  listed.forEach((key) => counts.set(key, (counts.get(key) ?? 0) + 1));
  return [...counts].filter(([key, times]) => times > (most.get(key) ?? 0)).map(([key]) => key);
}

const moduleOf = ({ hold, lockdown }: TrackedHost): string => (lockdown ?? hold)?.change.module ?? "";

/** Whether each firewall of the configuration lists its hosts. */
function isTold(plan: Plan, { configured }: Firewalls): boolean {
  const listing = new Set(plan.hostNames.map(({ module }) => module));
  return plan.configured && configured.every((module) => listing.has(module));
}
