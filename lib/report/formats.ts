/** The forms of `report`: a new one is its file and a line here. */
import { terminalColours } from "../output/colours";
import { type Formats, printJson } from "../output/formats";
import { toJunit } from "./junit";
import { toPage } from "./page";
import { toPrometheus } from "./prometheus";
import { toTable } from "./table";
import type { UsageReport } from "./usage-report";

export const REPORT_FORMATS: Formats<UsageReport> = {
  table: {
    help: "for people at a terminal (the default)",
    print: (report, isExplained) => toTable(report, terminalColours(), isExplained),
  },
  json: { help: "for programs", hasShortForm: true, print: printJson },
  html: { help: "one page to read, print and sign", hasShortForm: true, print: toPage },
  junit: {
    help: "for build servers: one test a host, which fails unless the host is unused",
    hasShortForm: true,
    print: toJunit,
  },
  prometheus: { help: "for the textfile collector of a node exporter", print: toPrometheus },
};
