/** The report for the textfile collector of a node exporter. Times are seconds since 1970. */
import type { HostUsage, UsageReport } from "./usage-report";
import { VERDICTS } from "./verdict-rules";

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly samples: (
    row: HostUsage,
    at: string | null,
  ) => ReadonlyArray<readonly [Readonly<Record<string, string>>, number]>;
}

const seconds = (time: string | null): number | undefined => (time === null ? undefined : Date.parse(time) / 1000);

const time = (of: (row: HostUsage) => string | null): Metric["samples"] => {
  return (row) => [of(row)].flatMap((one) => seconds(one) ?? []).map((value) => [{}, value] as const);
};

const METRICS: readonly Metric[] = [
  {
    name: "verdict",
    help: "1 for the verdict on a host, 0 for the others.",
    samples: (row) => Object.keys(VERDICTS).map((verdict) => [{ verdict }, Number(row.verdict === verdict)] as const),
  },
  {
    name: "state",
    help: "1 for the state of a host; no sample where it could not be asked.",
    samples: ({ state }) => (state === null ? [] : [[{ state }, 1]]),
  },
  { name: "last_use_seconds", help: "When it was last used, if it was.", samples: time((row) => row.lastUse) },
  { name: "quiet_since_seconds", help: "Since when it has been quiet.", samples: time((row) => row.quietSince) },
  {
    name: "evidence_age_seconds",
    help: "For how long there has been evidence without a gap.",
    samples: (row) => {
      const [since, now] = [seconds(row.since), seconds(row.now)];
      return since === undefined || now === undefined ? [] : [[{}, now - since]];
    },
  },
];

export function toPrometheus({ hosts, at }: UsageReport): string {
  return METRICS.flatMap(({ name, help, samples }) => [
    `# HELP ssh_only_firewall_${name} ${help}`,
    `# TYPE ssh_only_firewall_${name} gauge`,
    ...hosts.flatMap((row) =>
      samples(row, at).map(([labels, value]) => {
        const all = { host: row.host, firewall: row.firewall ?? "", ...labels };
        const written = Object.entries(all).map(([label, text]) => `${label}="${escaped(text)}"`);
        return `ssh_only_firewall_${name}{${written.join(",")}} ${value}`;
      }),
    ),
  ])
    .concat("")
    .join("\n");
}

const escaped = (text: string): string => text.replace(/[\\"]/g, "\\$&").replace(/\n/g, "\\n");
