/** The forms of `check`: a new one is its file and a line here. */
import { type Formats, printJson } from "../output/formats";
import type { CheckReport } from "./check-report";
import { toJunit } from "./junit";
import { toTable } from "./table";

export const CHECK_FORMATS: Formats<CheckReport> = {
  table: { help: "for people (the default)", print: (report) => toTable(report) },
  json: { help: "for programs", hasShortForm: true, print: printJson },
  junit: { help: "for build servers: one test for each host", hasShortForm: true, print: toJunit },
};
