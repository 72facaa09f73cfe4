/** The report for a build server: one test a host, which fails where state and host do not agree. */
import { XMLBuilder } from "fast-xml-parser";
import type { StatusReport } from "./status-report";
import { escapeInvisible, plain } from "../output/text";

export function toJunit({ hosts, live }: StatusReport): string {
  const failures = hosts.filter(({ agrees }) => !agrees).length;
  const name = live ? "ssh-only-firewall status --live" : "ssh-only-firewall status";
  const builder = new XMLBuilder({ ignoreAttributes: false, format: true, suppressEmptyNode: true });
  const counts = { "@_tests": hosts.length, "@_failures": failures, "@_errors": 0 };
  return builder.build({
    "?xml": { "@_version": "1.0", "@_encoding": "UTF-8" },
    testsuites: {
      ...counts,
      testsuite: {
        "@_name": name,
        ...counts,
        "@_skipped": 0,
        testcase: hosts.map(({ host, firewall, address, state, condition, agrees, details, remedy }) => ({
          "@_classname": plain(firewall ?? "ssh-only-firewall"),
          "@_name": plain(address === null || address === host ? host : `${host} (${address})`),
          ...(agrees
            ? {}
            : {
                failure: {
                  "@_type": condition ?? state,
                  "@_message": plain([condition ?? state, ...details].join(": ")),
                  ...(remedy === null
                    ? {}
                    : { "#text": escapeInvisible(`${remedy.text} ${remedy.command ?? ""}`.trim()) }),
                },
              }),
        })),
      },
    },
  });
}
