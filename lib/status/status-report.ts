/** What was found, as one value that every form of output is made from. */
import { fingerprint, type LockedHost } from "../contract/fingerprint";
import type { Answer, Answered } from "../ssh/answer";
import type { Host } from "../state/hosts";
import type { Remedy } from "../state/remedies";
import { CLAIMS, type Condition, type StateWord } from "./conditions";
import type { Outside } from "./judge";
import type { Finding } from "./live";

export interface StatusReport {
  /** Of this form; a change that breaks its readers makes it 2. */
  readonly version: 1;
  /** Whether the hosts were asked. */
  readonly live: boolean;
  readonly agrees: boolean;
  readonly counts: Readonly<Record<string, number>>;
  /** As review makes it: of the hosts that are locked according to the state, and of those that report it themselves; null where none is. */
  readonly fingerprint: { readonly state: string | null; readonly live: string | null };
  readonly hosts: readonly HostStatus[];
}

export interface HostStatus {
  readonly host: string;
  readonly firewall: string | null;
  readonly address: string | null;
  /** What the state says. */
  readonly state: StateWord;
  /** What the host is; null when it was not asked. */
  readonly condition: Condition | null;
  readonly agrees: boolean;
  readonly details: readonly string[];
  /** What to do where the state does not call it locked. */
  readonly remedy: Remedy | null;
  readonly inState: { readonly owner: string | null; readonly ruleset: string | null; readonly program: string | null };
  readonly onHost: Pick<Answered, "state" | "rules" | "owner" | "ruleset" | "program" | "lockedAt" | "lockedBy"> | null;
  readonly outside: string | null;
}

/** @param findings of all hosts, in their order; undefined where they were not asked */
export function statusReport(hosts: readonly Host[], findings: readonly Finding[] | undefined): StatusReport {
  const rows = hosts.map((host, index) => hostStatus(host, findings?.[index]));
  const counts: Record<string, number> = {};
  for (const { condition, state } of rows) {
    const word = condition ?? state;
    counts[word] = (counts[word] ?? 0) + 1;
  }
  const lockedInState = hosts.filter(({ claim }) => claim === "locked");
  const lockedLive = hosts.flatMap(({ key, address = "" }, index) => {
    const answer = findings?.[index]?.answer;
    return answer?.kind === "answered" && answer.state === "locked"
      ? [{ key, address, ruleset: answer.ruleset, program: answer.program }]
      : [];
  });
  return {
    version: 1,
    live: findings !== undefined,
    agrees: rows.every((row) => row.agrees),
    counts,
    fingerprint: {
      state: lockedInState.length > 0 && lockedInState.every(isWhole) ? fingerprint(lockedInState) : null,
      live: lockedLive.length > 0 ? fingerprint(lockedLive) : null,
    },
    hosts: rows,
  };
}

/** Outputs do not say which host program a host has. */
function isWhole(host: Host): host is Host & LockedHost {
  return host.address !== undefined && host.ruleset !== undefined && host.program !== undefined;
}

function hostStatus(host: Host, finding: Finding | undefined): HostStatus {
  const { key, firewall, address, claim, why, remedy, owner, ruleset, program } = host;
  return {
    host: key,
    firewall: firewall === "" ? null : firewall,
    address: address ?? null,
    state: CLAIMS[claim].word,
    condition: finding?.condition ?? null,
    agrees: finding?.agrees ?? CLAIMS[claim].agrees,
    details: [...mayBeLocked(host, finding), ...(finding?.details ?? (why === undefined ? [] : [why]))],
    remedy: remedy ?? null,
    inState: { owner: owner ?? null, ruleset: ruleset ?? null, program: program ?? null },
    onHost: finding === undefined ? null : onHost(finding.answer),
    outside: finding === undefined ? null : outsideText(finding.outside),
  };
}

/** Unless the host itself says what it is. */
function mayBeLocked({ claim }: Host, finding: Finding | undefined): readonly string[] {
  return claim === "unfinished" && finding?.answer.kind !== "answered" ? ["it may be locked"] : [];
}

function onHost(answer: Answer): HostStatus["onHost"] {
  if (answer.kind !== "answered") {
    return null;
  }
  const { state, rules, owner, ruleset, program, lockedAt, lockedBy } = answer;
  return { state, rules, owner, ruleset, program, lockedAt, ...(lockedBy === undefined ? {} : { lockedBy }) };
}

function outsideText(outside: Outside): string {
  if (outside.kind === "skipped") {
    return outside.why;
  }
  const answering = outside.answers.map(({ port, how }) => `${port} ${how}`);
  return answering.length > 0 ? answering.join(", ") : `closed: ${outside.ports.join(", ")}`;
}
