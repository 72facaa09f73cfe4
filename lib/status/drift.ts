/**
 * What a plan is told of drift: for each host the value of its lockdown's trigger. It is the one that the state has, so
 * that nothing is planned, unless the host was asked and its lockdown is gone, or is another than the state says.
 */
import { type DriftFinding, LEFT_ALONE, NEVER_DRIFTED, nextDrift } from "../contract/drift";
import { isObject } from "../input/keys";
import { type Connection, connectionFrom, type Host, hostsIn } from "../state/hosts";
import type { Condition } from "./judge";
import type { Finding } from "./live";
import { messages, StateError } from "../state/messages";
import { readState } from "../state/state";

/** What the configuration says of a firewall. */
export interface DriftQuery {
  /** The resources that are its lockdowns. */
  readonly lockdowns: readonly string[];
  /** What is the same for all its hosts. */
  readonly connection: Connection;
}

/** A host that the state has as locked or observed. */
export type TrackedHost = Host & Required<Pick<Host, "lockdown">>;

/** The query as Terraform's provider `external` gives it: a JSON object of texts. */
export function readQuery(text: string): DriftQuery {
  const query = parse(text);
  const lockdowns = query.lockdowns?.split(" ").filter((one) => one !== "") ?? [];
  if (lockdowns.length === 0) {
    throw new StateError(messages.noQuery());
  }
  return { lockdowns, connection: connectionFrom((name) => query[name]) };
}

function parse(text: string): Record<string, string | undefined> {
  try {
    const query: unknown = JSON.parse(text);
    return isObject(query) && Object.values(query).every((value) => typeof value === "string")
      ? (query as Record<string, string>)
      : {};
  } catch {
    return {};
  }
}

/**
 * The hosts of these lockdowns; without a state there are none. What the configuration says of how they are reached goes
 * over what the state remembers, for Terraform will connect by it too.
 */
export function trackedHosts(state: string, { lockdowns, connection }: DriftQuery): readonly TrackedHost[] {
  const hosts = state.trim() === "" ? [] : hostsIn(readState(state));
  return hosts
    .filter((host): host is TrackedHost => lockdowns.includes(host.lockdown?.resource ?? ""))
    .map((host) => ({ ...host, connection: { ...host.connection, ...connection } }));
}

/** Whether it is asked: the others are locked, or locked again, whatever they are. */
export const isAsked = ({ claim }: Host): boolean => claim === "locked" || claim === "observed";

/** @param findings of those hosts that are asked, in their order */
export function driftOf(hosts: readonly TrackedHost[], findings: readonly Finding[]): Record<string, string> {
  const asked = new Map(hosts.filter(isAsked).map((host, index) => [host, findings[index]]));
  const values = hosts.map(({ key, lockdown }, index): readonly [string, string] => {
    const finding = asked.get(hosts[index]);
    const found = finding && driftIn(hosts[index], finding);
    return [key, found === undefined ? lockdown.drift : nextDrift(lockdown.drift, found)];
  });
  const left = [...asked].filter(([host, finding]) => !finding.agrees && driftIn(host, finding) === undefined);
  return {
    ...Object.fromEntries(values.filter(([, value]) => value !== NEVER_DRIFTED)),
    ...(left.length === 0 ? {} : { [LEFT_ALONE]: leftAlone(left) }),
  };
}

/** What its lockdown is replaced for. A lock of another owner would be refused, and one that waits ends by itself. */
function driftIn(host: Host, { condition, answer }: Finding): DriftFinding | undefined {
  const isOthers = answer.kind === "told" && answer.owner !== "" && answer.owner !== host.owner;
  return (condition === "open" || condition === "drifted") && !isOthers ? condition : undefined;
}

const MOST_NAMED = 20;

function leftAlone(left: ReadonlyArray<readonly [Host, Finding]>): string {
  const words = messages.leftAloneRemedies;
  const wordOf = ({ condition }: Finding): Condition => (condition in words ? condition : "locked-by-someone-else");
  const lines = left
    .slice(0, MOST_NAMED)
    .map(([{ key, address }, finding]) =>
      messages.hostIs(key, address ?? "", wordOf(finding), finding.details.join("; ")),
    );
  const conditions = new Set<string>(left.map(([, finding]) => wordOf(finding)));
  const remedies = Object.entries(words).flatMap(([condition, remedy]) => (conditions.has(condition) ? [remedy] : []));
  return messages.leftAlone(lines, left.length - lines.length, remedies);
}
