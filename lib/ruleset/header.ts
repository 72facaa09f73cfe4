/** The words at the top of a ruleset: what passes and what does not, for a reviewer who reads no further. */
import { FAMILIES, type Family, familyName } from "../policy/address";
import type { Policy } from "../policy/policy";
import type { AllowedSource } from "../policy/source";

/** @param family says only what concerns this family; both by default. */
export function summary(policy: Policy, family?: Family): readonly string[] {
  const shown = family === undefined ? FAMILIES : [family];
  const open = shown.filter((one) => policy.families.includes(one));
  const sources = shown.flatMap((one) => policy.sourcesOf(one));
  const exceptions = policy.exceptions.filter((exception) => open.some((one) => exception.uses(one)));
  const observes = policy.mode === "observe";
  return [
    ...(observes ? ["Mode observe: nothing is denied. What mode enforce would deny is counted and recorded."] : []),
    observes ? "Mode enforce would allow:" : "Allowed:",
    "  - loopback",
    ...sshLines(policy, sources),
    ...exceptions.flatMap((exception) => listed(exception.what, exception.ends(family))),
    ...(open.length > 0 ? [`  - what these need: ${needs(open)}`] : []),
    observes ? "Mode enforce would deny:" : "Denied:",
    ...shown.filter((one) => !open.includes(one)).map((one) => `  - ${familyName(one)}: everything but loopback`),
    `  - inbound: ${policy.deniedInbound === "drop" ? "dropped without an answer" : "rejected, the sender gets an answer"}`,
    `  - outbound: ${policy.deniedOutbound === "drop" ? "dropped" : "rejected, so that local programs fail at once"}`,
    "  - forwarded: dropped",
  ];
}

function sshLines(policy: Policy, sources: readonly AllowedSource[]): readonly string[] {
  if (sources.length === 0) {
    return [];
  }
  const ends = sources.map((source) => `from ${source}`);
  return listed(`SSH: TCP port ${policy.sshPort}`, ends);
}

/** One address a line where there are several, so that a changed address is one changed line of a plan. */
function listed(what: string, ends: readonly string[]): readonly string[] {
  return ends.length > 1 ? [`  - ${what}`, ...ends.map((end) => `      ${end}`)] : [`  - ${[what, ...ends].join(" ")}`];
}

function needs(open: readonly Family[]): string {
  const words = ["replies", '"packet too big" errors', ...(open.includes("ipv6") ? ["IPv6 neighbour discovery"] : [])];
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}
