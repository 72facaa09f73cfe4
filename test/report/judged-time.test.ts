/** Which part of the evidence decides, in the words of each form. */
import { toMarkdown } from "../../lib/report/markdown";
import { toPage } from "../../lib/report/page";
import { toTable } from "../../lib/report/table";
import { duration } from "../../lib/report/time";
import { usageReport } from "../../lib/report/usage-report";
import { DEFAULT_SETTINGS } from "../../lib/report/verdict-rules";

test.each([
  [30 * 86_400, "30 days"],
  [86_400, "1 day"],
  [5400, "1.5 hours"],
  [60, "1 minute"],
  [10, "10 seconds"],
])("%i seconds are read as %s", (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

test.each(Object.entries({ table: toTable, page: toPage, markdown: toMarkdown }))(
  "the %s names the time that --unused-for judges, and none without it",
  (_, print: (report: ReturnType<typeof usageReport>) => string) => {
    const settings = { ...DEFAULT_SETTINGS, unusedForSeconds: 30 * 86_400 };
    expect(print(usageReport([], [], 0, settings))).toContain("Only the last 30 days count.");
    expect(print(usageReport([], [], 0))).not.toContain("Only the last");
  },
);
