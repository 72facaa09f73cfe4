/** The forms of `report`: a new one is its file and a line here. */
import { type Formats, printJson } from "../output/formats";
import { toPage } from "./page";
import { toTable } from "./table";
import type { UsageReport } from "./usage-report";

export const REPORT_FORMATS: Formats<UsageReport> = {
  table: { help: "for people at a terminal (the default)", print: (report) => toTable(report) },
  json: { help: "for programs", hasShortForm: true, print: printJson },
  html: { help: "one page to read, print and sign", hasShortForm: true, print: toPage },
};
