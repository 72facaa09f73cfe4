/** The report for a build server: one test a host, which fails where a host is not ready. */
import { XMLBuilder } from "fast-xml-parser";
import { escapeInvisible, plain } from "../output/text";
import type { CheckReport, HostCheck } from "./check-report";

export function toJunit({ hosts }: CheckReport): string {
  const builder = new XMLBuilder({ ignoreAttributes: false, format: true, suppressEmptyNode: true });
  const counts = {
    "@_tests": hosts.length,
    "@_failures": hosts.filter(({ ready }) => !ready).length,
    "@_errors": 0,
  };
  return builder.build({
    "?xml": { "@_version": "1.0", "@_encoding": "UTF-8" },
    testsuites: {
      ...counts,
      testsuite: {
        "@_name": "ssh-only-firewall check",
        ...counts,
        "@_skipped": 0,
        testcase: hosts.map((row) => ({
          "@_classname": plain(row.stack),
          "@_name": plain(row.address === null || row.address === row.host ? row.host : `${row.host} (${row.address})`),
          ...(row.ready ? {} : { failure: failureOf(row) }),
        })),
      },
    },
  });
}

const failureOf = ({ is, reasons, notes }: HostCheck): object => ({
  "@_type": reasons[0]?.word ?? is,
  "@_message": plain([is, ...reasons.map(({ word }) => word)].join(": ")),
  "#text": [...reasons.map(({ text }) => text), ...notes].map((text) => escapeInvisible(text)).join("\n"),
});
