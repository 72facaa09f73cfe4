/** The forms of `status`: a new one is its file and a line here. */
import { type Formats, printJson } from "../output/formats";
import { toJunit } from "./junit";
import type { StatusReport } from "./status-report";
import { toTable } from "./table";

export const STATUS_FORMATS: Formats<StatusReport> = {
  table: { help: "for people (the default)", print: (report) => toTable(report) },
  json: { help: "for programs", hasShortForm: true, print: printJson },
  junit: { help: "for build servers: one test for each host", hasShortForm: true, print: toJunit },
};
