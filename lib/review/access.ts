/** Who may reach SSH under the ruleset that a host gets, and who no longer. */
import type { RulesetTexts } from "../contract/backends";
import { describeIpProtocol } from "../contract/ip-protocols";
import { readRuleset, type RulesetSummary, sourcesLost } from "../ruleset/reader";
import type { Danger } from "./dangers";
import type { PreviousLock } from "./outcome";
import { known, same } from "./plan";
import type { ValueChange } from "./resources";
import type { Rulesets } from "./rulesets";
import { joined, type Text, text } from "./text";

/** @param observes whether the plan says that the host is only observed */
export function accessFindings(
  ruleset: ValueChange,
  rulesets: Rulesets,
  observes: boolean,
  previous: PreviousLock,
): readonly Danger[] {
  const { before, after } = ruleset;
  if (after === undefined || "hidden" in after) {
    return [["unknown", text`its ruleset is ${after ?? { hidden: "known after apply" }}`]];
  }
  const texts = rulesets.find(after.known);
  if (texts === undefined) {
    return [["unknown", text`no ruleset in this plan has the SHA-256 ${after.known}`]];
  }
  const summary = readRuleset(texts);
  if (summary === undefined) {
    return [
      ["unknown", ["this version of ssh-only-firewall does not understand its ruleset; read in it who may reach SSH"]],
    ];
  }
  if (summary.passesAll !== observes) {
    const detail = observes
      ? "its ruleset denies packets, although its mode is observe"
      : "its ruleset denies nothing, although its mode is enforce";
    return [["unknown", [detail]]];
  }
  if (observes || previous === "none") {
    return openToWorld(summary);
  }
  if (previous === "possible") {
    return [
      ...openToWorld(summary),
      ["cut-off", ["whether it is locked already is unknown, and so is who is cut off"]],
    ];
  }
  return before === undefined || same(before, after)
    ? openToWorld(summary)
    : [...openToWorld(summary), ...cutOff(rulesets.find(known(before)), summary)];
}

function openToWorld({ sshPort, sshSources, otherPorts, protocols }: RulesetSummary): readonly Danger[] {
  const danger = (detail: Text): Danger => ["open-to-world", detail];
  const wide = sshSources.filter(({ isWide }) => isWide).map(String);
  const others = [
    ...otherPorts
      .filter(({ source }) => source.isWide)
      .map(({ protocol, port, source }) => `${protocol} ${port} from ${source}`),
    ...protocols
      .filter(({ source }) => source?.isWide === true)
      .map(({ protocol, source }) => `${describeIpProtocol(protocol)} from ${source}`),
  ];
  return [
    ...(wide.length === 0 ? [] : [danger(text`TCP port ${String(sshPort)} from ${listed(wide)}`)]),
    ...(others.length === 0 ? [] : [danger(text`an exception lets in ${listed(others)}`)]),
  ];
}

function cutOff(texts: RulesetTexts | undefined, after: RulesetSummary): readonly Danger[] {
  const before = texts && readRuleset(texts);
  if (before === undefined) {
    const why =
      texts === undefined
        ? "its current ruleset is not in this plan"
        : "this version of ssh-only-firewall does not understand its current ruleset";
    return [["cut-off", [`${why}, so it is unknown who is cut off`]]];
  }
  const lost = sourcesLost(before, after).map(String);
  const details = [
    ...(before.sshPort === after.sshPort
      ? []
      : [text`the SSH port ${String(before.sshPort)} becomes ${String(after.sshPort)}`]),
    ...(lost.length === 0
      ? []
      : [text`no longer from ${listed(lost)}; from now on from ${listed(after.sshSources.map(String))}`]),
  ];
  return details.length === 0 ? [] : [["cut-off", joined(details, "; ")]];
}

const MOST = 8;

function listed(values: readonly string[]): Text {
  const shown = joined(values.slice(0, MOST).map((value) => text`${value}`));
  return values.length > MOST ? [...shown, ` and ${values.length - MOST} more`] : shown;
}
