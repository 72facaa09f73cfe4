/** Who may reach SSH under the ruleset that a host gets, and who no longer. */
import type { Danger, Sides } from "./dangers";
import type { Earlier } from "./outcome";
import { known, same } from "./plan";
import type { Rulesets } from "./rulesets";
import { sourcesLost, sshAccess, type SshAccess, type Texts } from "../ruleset/reader/ssh-access";
import { joined, type Text, text } from "./text";

export function accessFindings(
  ruleset: Sides,
  rulesets: Rulesets,
  observes: boolean,
  earlier: Earlier,
): readonly Danger[] {
  if (ruleset.after === undefined || "hidden" in ruleset.after) {
    return [["unknown", text`its ruleset is ${ruleset.after ?? { hidden: "known after apply" }}`]];
  }
  const after = rulesets.find(ruleset.after.known);
  if (after === undefined) {
    return [["unknown", text`no ruleset in this plan has the SHA-256 ${ruleset.after.known}`]];
  }
  const access = sshAccess(after);
  if (access === undefined) {
    return [["unknown", ["its ruleset is not as this version of ssh-only-firewall writes it; read who may reach SSH"]]];
  }
  if (access.passesAll !== observes) {
    const detail = observes ? "its ruleset denies, though it is only to observe" : "its ruleset denies nothing";
    return [["unknown", [detail]]];
  }
  const wide = access.sources.filter((source) => source.isWide);
  const findings: Danger[] =
    wide.length === 0
      ? []
      : [["open-to-world", text`TCP port ${String(access.port)} from ${listed(wide.map(String))}`]];
  const others = access.others.filter(({ source }) => source.isWide).map((one) => `${one.port} from ${one.source}`);
  if (others.length > 0) {
    findings.push(["open-to-world", text`an exception lets in ${listed(others)}`]);
  }
  if (observes) {
    return findings;
  }
  if (earlier === "perhaps") {
    return [...findings, ["cut-off", ["whether it is locked already cannot be told, nor what it loses"]]];
  }
  if (earlier === "none" || ruleset.before === undefined || same(ruleset.before, ruleset.after)) {
    return findings;
  }
  return [...findings, ...cutOff(rulesets.find(known(ruleset.before)), access)];
}

function cutOff(before: Texts | undefined, after: SshAccess): readonly Danger[] {
  const access = before && sshAccess(before);
  if (access === undefined) {
    const why = before === undefined ? "in this plan" : "as this version of ssh-only-firewall writes it";
    return [["cut-off", [`the ruleset that it has is not ${why}, so that it cannot be told what it loses`]]];
  }
  const lost = sourcesLost(access, after);
  const details = [
    ...(access.port === after.port ? [] : [text`the SSH port ${String(access.port)} becomes ${String(after.port)}`]),
    ...(lost.length === 0
      ? []
      : [text`no longer from ${listed(lost.map(String))}; from now on from ${listed(after.sources.map(String))}`]),
  ];
  return details.length === 0 ? [] : [["cut-off", joined(details, "; ")]];
}

const MOST = 8;

function listed(values: readonly string[]): Text {
  const shown = joined(values.slice(0, MOST).map((value) => text`${value}`));
  return values.length > MOST ? [...shown, ` and ${values.length - MOST} more`] : shown;
}
