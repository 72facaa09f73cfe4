/** What was found, as one value that every form of output is made from. */
import { fingerprint, type LockedHost } from "../contract/fingerprint";
import type { Host } from "../state/hosts";
import type { Answer } from "../ssh/answer";
import { claimAgrees, type Condition, type Outside } from "./judge";
import type { Finding } from "./live";

export interface Report {
  /** Of this form; a change that breaks its readers makes it 2. */
  readonly version: 1;
  /** Whether the hosts were asked. */
  readonly live: boolean;
  readonly agrees: boolean;
  readonly counts: Readonly<Record<string, number>>;
  /** As review makes it: of the hosts that the state says are locked, and of those that say so themselves. */
  readonly fingerprint: { readonly state: string | null; readonly live: string | null };
  readonly hosts: readonly HostReport[];
}

export interface HostReport {
  readonly host: string;
  readonly firewall: string | null;
  readonly address: string | null;
  /** What the state says. */
  readonly state: StateWord;
  /** What the host is; null when it was not asked. */
  readonly condition: Condition | null;
  readonly agrees: boolean;
  readonly details: readonly string[];
  readonly inState: { readonly owner: string | null; readonly ruleset: string | null; readonly program: string | null };
  readonly onHost: Omit<Answer & { kind: "told" }, "kind" | "port" | "listened" | "problem"> | null;
  readonly outside: string | null;
}

/** What the state says of a host. */
export type StateWord = "locked" | "observed" | "unfinished" | "not in it";

export function reportOf(hosts: readonly Host[], findings: readonly Finding[] | undefined): Report {
  const rows = hosts.map((host, index) => hostReport(host, findings?.[index]));
  const words = rows.map(({ condition, state }) => condition ?? state);
  const lockedInState = hosts.filter(({ claim }) => claim === "locked");
  const lockedLive = hosts.flatMap((host, index) => {
    const answer = findings?.[index].answer;
    return answer?.kind === "told" && answer.state === "locked"
      ? [{ key: host.key, address: host.address ?? "", ruleset: answer.ruleset, program: answer.program }]
      : [];
  });
  return {
    version: 1,
    live: findings !== undefined,
    agrees: rows.every((row) => row.agrees),
    counts: Object.fromEntries([...new Set(words)].map((word) => [word, words.filter((one) => one === word).length])),
    fingerprint: {
      state: lockedInState.every(isWhole) ? fingerprint(lockedInState) : null,
      live: findings === undefined ? null : fingerprint(lockedLive),
    },
    hosts: rows,
  };
}

/** Outputs do not say which host program a host has. */
function isWhole(host: Host): host is Host & LockedHost {
  return host.address !== undefined && host.ruleset !== undefined && host.program !== undefined;
}

function hostReport(host: Host, finding: Finding | undefined): HostReport {
  const { key, firewall, address, claim, why, owner, ruleset, program } = host;
  return {
    host: key,
    firewall: firewall === "" ? null : firewall,
    address: address ?? null,
    state: claim === "declared" || claim === "absent" ? "not in it" : claim,
    condition: finding?.condition ?? null,
    agrees: finding?.agrees ?? claimAgrees(claim),
    details: finding?.details ?? (why === undefined ? [] : [why]),
    inState: { owner: owner ?? null, ruleset: ruleset ?? null, program: program ?? null },
    onHost: finding === undefined ? null : toldBy(finding.answer),
    outside: finding === undefined ? null : outsideWord(finding.outside),
  };
}

function toldBy(answer: Answer): HostReport["onHost"] {
  if (answer.kind !== "told") {
    return null;
  }
  const { state, rules, owner, ruleset, program, lockedAt } = answer;
  return { state, rules, owner, ruleset, program, lockedAt };
}

function outsideWord(outside: Outside): string {
  if (outside.kind === "skipped") {
    return outside.why;
  }
  const answering = outside.answers.map(({ port, how }) => `${port} ${how}`);
  return answering.length > 0 ? answering.join(", ") : `closed: ${outside.ports.join(", ")}`;
}
