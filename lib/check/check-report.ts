/** What was found, as one value that every form of output is made from. */
import { compare } from "../output/text";
import type { Finding, Word } from "./findings";
import type { Reason } from "./reply";
import type { Subject } from "./subject";

export interface CheckReport {
  /** Of this form; a change that breaks its readers makes it 2. */
  readonly version: 1;
  /** Whether every host is. */
  readonly ready: boolean;
  readonly counts: Readonly<Record<string, number>>;
  readonly hosts: readonly HostCheck[];
}

export interface HostCheck {
  readonly host: string;
  readonly stack: string;
  readonly address: string | null;
  readonly is: Word;
  readonly ready: boolean;
  readonly reasons: readonly Reason[];
  readonly notes: readonly string[];
}

/** @param findings of all subjects, in their order */
export function checkReport(subjects: readonly Subject[], findings: readonly Finding[]): CheckReport {
  const hosts = subjects.flatMap(({ host, stack }, index): HostCheck[] => {
    const found = findings[index];
    return found === undefined
      ? []
      : [
          {
            host: host.key,
            stack,
            address: host.address ?? null,
            is: found.word,
            ready: found.ready,
            reasons: found.reasons,
            notes: found.notes,
          },
        ];
  });
  const counts: Record<string, number> = {};
  for (const { is } of [...hosts].sort((a, b) => compare(a.is, b.is))) {
    counts[is] = (counts[is] ?? 0) + 1;
  }
  return { version: 1, ready: hosts.every(({ ready }) => ready), counts, hosts };
}
