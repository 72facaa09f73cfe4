/** The forms of `report`: a new one is its file and a line here. */
import { terminalColours } from "../output/colours";
import { type Formats, printJson } from "../output/formats";
import { toJunit } from "./junit";
import { toMarkdown } from "./markdown";
import { toPage } from "./page";
import { toPrometheus } from "./prometheus";
import { toTable } from "./table";
import type { UsageReport } from "./usage-report";

export const REPORT_FORMATS: Formats<UsageReport> = {
  table: {
    help: "for people at a terminal (the default)",
    print: (report, isExplained) => toTable(report, terminalColours(), isExplained),
  },
  markdown: { help: "for an issue or a comment: changes with --since, then one row a host", print: toMarkdown },
  json: { help: "for programs", hasShortForm: true, print: printJson },
  html: { help: "one page to read, print and sign", hasShortForm: true, print: toPage },
  junit: {
    help: "for build servers: one test a host, which fails unless the host is unused",
    hasShortForm: true,
    print: toJunit,
  },
  prometheus: { help: "for the textfile collector of a node exporter", print: toPrometheus },
};

/** Those that show what has changed since an earlier report. */
export const WITH_CHANGES: readonly string[] = ["table", "markdown", "json"];
