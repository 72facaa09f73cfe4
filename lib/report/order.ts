/** In which order hosts are shown, and which. */
import { compareNatural } from "../output/text";
import type { HostUsage, UsageReport } from "./usage-report";
import { type Verdict, VERDICTS } from "./verdict-rules";

const WORST_FIRST = Object.keys(VERDICTS);

/** The worst verdict first; then by name, in which numbers count as numbers. */
export const worstFirst = (hosts: readonly HostUsage[]): readonly HostUsage[] =>
  [...hosts].sort(
    (a, b) =>
      WORST_FIRST.indexOf(a.verdict) - WORST_FIRST.indexOf(b.verdict) ||
      compareNatural(a.firewall ?? "", b.firewall ?? "") ||
      compareNatural(a.host, b.host),
  );

/** With the hosts of these verdicts alone. The counts stay those of all. */
export const onlyWith = (report: UsageReport, verdicts: readonly Verdict[] | undefined): UsageReport =>
  verdicts === undefined
    ? report
    : { ...report, hosts: report.hosts.filter(({ verdict }) => verdicts.includes(verdict)) };

/** "1 used, 2 unused". */
export const countsOf = ({ verdicts }: UsageReport): string =>
  Object.entries(verdicts)
    .filter(([, number]) => number > 0)
    .map(([word, number]) => `${number} ${word}`)
    .join(", ");

export const briefly = ({ reasons }: HostUsage): string => {
  const [first = "", ...others] = reasons;
  return others.length === 0 ? first : `${first}, and ${others.length} more`;
};
