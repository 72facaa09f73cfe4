/** The report for a build server: one test a host, which fails unless the host is unused. */
import { XMLBuilder } from "fast-xml-parser";
import { plain } from "../output/text";
import { worstFirst } from "./order";
import { nameOf } from "./rows";
import type { UsageReport } from "./usage-report";

export function toJunit(report: UsageReport): string {
  const hosts = worstFirst(report.hosts);
  const failures = hosts.filter(({ verdict }) => verdict !== "unused").length;
  const builder = new XMLBuilder({ ignoreAttributes: false, format: true, suppressEmptyNode: true });
  const counts = { "@_tests": hosts.length, "@_failures": failures, "@_errors": 0 };
  return builder.build({
    "?xml": { "@_version": "1.0", "@_encoding": "UTF-8" },
    testsuites: {
      ...counts,
      testsuite: {
        "@_name": "ssh-only-firewall report",
        ...counts,
        "@_skipped": 0,
        testcase: hosts.map((row) => ({
          "@_classname": row.firewall ?? "ssh-only-firewall",
          "@_name": plain(`${nameOf(report, row)}${row.address === null ? "" : ` (${row.address})`}`),
          ...(row.verdict === "unused"
            ? {}
            : {
                failure: {
                  "@_type": row.verdict,
                  "@_message": plain([row.verdict, ...row.reasons.slice(0, 1)].join(": ")),
                  "#text": row.reasons.join("\n"),
                },
              }),
        })),
      },
    },
  });
}
