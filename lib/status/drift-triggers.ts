/**
 * What a plan learns of drift: for each host the value of its lockdown's trigger. It is the one in the state, so that nothing is
 * planned, unless the host was asked and its lockdown is gone, or differs from the state.
 */
import { type AskedConnection, askedConnection } from "../contract/connection";
import { type DriftFinding, LEFT_ALONE, NEVER_DRIFTED, nextDrift, QUERY } from "../contract/drift";
import { FLEET, nameIn, PARTS } from "../contract/names";
import { isObject } from "../input/keys";
import { plain } from "../output/text";
import { type Host, hostsIn } from "../state/hosts";
import { readState } from "../state/state";
import { StateError } from "../state/state-error";
import { type Condition, CONDITIONS, isLockedInState } from "./conditions";
import type { Finding } from "./live";

/** What the configuration says of a firewall. */
export interface DriftQuery {
  /** The resources that are its lockdowns. */
  readonly lockdowns: readonly string[];
  /** What is the same for all its hosts. */
  readonly connection: AskedConnection;
}

/** A host that the state has as locked or observed. */
export type TrackedHost = Host & Required<Pick<Host, "lockdown">>;

/** The query as Terraform's provider `external` gives it: a JSON object of texts. */
export function readQuery(text: string): DriftQuery {
  const query = parse(text);
  const lockdowns = query[QUERY.lockdowns]?.split(" ").filter((one) => one !== "") ?? [];
  if (lockdowns.length === 0) {
    throw new StateError(
      `it is not a query of a firewall with detectDrift; give one such as {"lockdowns": "null_resource.${nameIn(FLEET.construct, PARTS.lockdown)}"}`,
    );
  }
  return { lockdowns, connection: askedConnection((name) => query[name]) };
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

/** The others are locked, or locked again, whatever they are. */
export const isAsked = ({ claim }: Host): boolean => isLockedInState(claim);

/** @param findings of those hosts that are asked, in their order */
export function driftTriggers(hosts: readonly TrackedHost[], findings: readonly Finding[]): Record<string, string> {
  const rest = findings.values();
  const found = hosts.map((host) => {
    const finding = isAsked(host) ? rest.next().value : undefined;
    return { host, finding, drift: finding && driftIn(host, finding) };
  });
  const values = found.map(({ host: { key, lockdown }, drift }) => {
    return [key, drift === undefined ? lockdown.drift : nextDrift(lockdown.drift, drift)] as const;
  });
  const left = found.flatMap(({ host, finding, drift }) =>
    finding === undefined || finding.agrees || drift !== undefined ? [] : [{ host, finding }],
  );
  return {
    ...Object.fromEntries(values.filter(([, value]) => value !== NEVER_DRIFTED)),
    ...(left.length === 0 ? {} : { [LEFT_ALONE]: leftAlone(left) }),
  };
}

/** What its lockdown is replaced for. A lock of another owner would be refused, and a pending one ends by itself. */
function driftIn(host: Host, { condition, answer }: Finding): DriftFinding | undefined {
  const isOthers = answer.kind === "answered" && answer.owner !== "" && answer.owner !== host.owner;
  return (condition === "open" || condition === "drifted") && !isOthers ? condition : undefined;
}

const MOST_NAMED = 20;

/** A warning in Terraform's plan; indented, otherwise Terraform breaks the lines anew. */
function leftAlone(left: ReadonlyArray<{ readonly host: Host; readonly finding: Finding }>): string {
  const rows = left.map(({ host: { key, address = "" }, finding: { condition, details } }) => {
    const remedied: Condition = CONDITIONS[condition].remedy === undefined ? "locked-by-someone-else" : condition;
    const name = `${plain(key)} (${plain(address)})`;
    return {
      remedied,
      line: `  ${[`${name} is ${remedied}`, ...(details.length === 0 ? [] : [details.join("; ")])].join(": ")}`,
    };
  });
  const conditions = new Set<string>(rows.map(({ remedied }) => remedied));
  return [
    "This plan leaves these hosts as they are:",
    ...rows.slice(0, MOST_NAMED).map(({ line }) => line),
    ...(rows.length > MOST_NAMED ? [`  and ${rows.length - MOST_NAMED} more`] : []),
    ...Object.entries(CONDITIONS).flatMap(([word, { remedy }]) => (conditions.has(word) ? [`  ${remedy}`] : [])),
    "ssh-only-firewall status --live shows more.",
  ].join("\n");
}
