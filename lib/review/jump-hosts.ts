/** Hosts that a plan locks, and that are the bastion of others which they then cannot reach. */
import { Problems } from "../input/problems";
import { parseCidr } from "../policy/address";
import { readRuleset, Source } from "../ruleset/reader";
import type { Finding } from "./dangers";
import type { HostReview } from "./hosts";
import { known } from "./plan";
import type { Rulesets } from "./rulesets";
import { joined, text } from "./text";

const MOST = 5;

export function jumpHosts(hosts: readonly HostReview[], rulesets: Rulesets): readonly Finding[] {
  const stays = hosts.filter(({ outcome }) => outcome !== "unlock" && outcome !== "leave");
  const byAddress = new Map(stays.map((host) => [known(host.address), host]));
  const behind = new Map<HostReview, HostReview[]>();
  for (const host of stays) {
    const jump = byAddress.get(host.bastion?.host);
    const isNew = host.locks || jump?.locks === true;
    if (jump !== undefined && jump !== host && isNew && !connects(jump, host, rulesets)) {
      behind.set(jump, [...(behind.get(jump) ?? []), host]);
    }
  }
  return [...behind].map(([{ name }, others]) => {
    const names = joined(others.slice(0, MOST).map((one) => text`${one.name} (TCP port ${one.bastion?.to ?? ""})`));
    const more = others.length > MOST ? [` and ${others.length - MOST} more`] : [];
    return { kind: "jump-host", host: name, detail: [...text`is the bastion of ${names}`, ...more] };
  });
}

/** Also where nothing is known: a ruleset that is not understood has findings of its own. */
function connects(jump: HostReview, { address, bastion }: HostReview, rulesets: Rulesets): boolean {
  const texts = rulesets.find(known(jump.ruleset.after));
  const summary = texts && readRuleset(texts);
  if (summary === undefined || summary.passesAll) {
    return true;
  }
  const cidr = parseCidr(known(address) ?? "", new Problems());
  return summary.answers
    .filter(({ protocol, port }) => protocol === "tcp" && String(port) === bastion?.to)
    .some(({ source }) => cidr === undefined || source.covers(new Source(cidr)));
}
