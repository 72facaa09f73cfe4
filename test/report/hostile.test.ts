/** Whatever a host sends, the forms of the report stay what they are. */
import * as fc from "fast-check";
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { defined } from "../support/required";
import { NO_COLOURS } from "../../lib/output/colours";
import { toPage } from "../../lib/report/page";
import { parseEvidence } from "../../lib/report/evidence";
import { usageReport, type UsageReport } from "../../lib/report/usage-report";
import { toTable } from "../../lib/report/table";
import type { Host } from "../../lib/state/hosts";
import { fleet, NOW, reportText, status } from "./support/reports";

const xml = (page: string): string => page.replace(/^<!doctype html>\n/, "");

describe("whatever a host sends", () => {
  const evil = fc.constantFrom(
    "\u001b[2J\u001b]0;x\u0007",
    "\u009b31m",
    "\u202eoffset",
    "<script>alert(1)</script>",
    `" onload="alert(1)`,
    "' style='x",
    "</td></table></style>",
    "&amp;&#0;]]>",
    "\0\r",
    "== denied\n",
    "${x}",
  );
  const text = fc.oneof(evil, fc.string({ unit: "binary" }), fc.string());
  const line = fc.oneof(
    text,
    fc.tuple(text, text).map(([a, b]) => `in 6 ${a} 80 1 1 ${b}`),
    fc.tuple(text, text).map(([a, b]) => `${a}=${b}`),
    text.map((a) => `tcp LISTEN 0 1 0.0.0.0:22 0.0.0.0:* users:(("${a}",pid=1))`),
    text.map((a) => `2026-08-30T10:00:00+0200 h sshd[80]: Accepted publickey for ${a} from ${a} port 1 ssh2`),
    fc.tuple(fc.nat(), fc.nat()).map(([a, b]) => `in 6 192.0.2.1 80 1 ${a} ${b}`),
  );
  const section = fc.array(line, { maxLength: 4 }).map((lines) => lines.map((one) => `${one}\n`).join(""));
  const hostile = fc.record({
    key: text,
    parts: fc.record({
      host: fc.dictionary(fc.constantFrom("host", "backend", "port", "baseline_at", "now"), text),
      denied: section,
      sockets: section,
      logins: section,
    }),
    junk: text,
  });
  const reportFrom = ({ key, parts, junk }: typeof hostile extends fc.Arbitrary<infer T> ? T : never): UsageReport =>
    usageReport(
      [
        { key, firewall: "", address: key, texts: {} } as Host,
        { key: "b", firewall: junk, address: undefined, texts: {} } as Host,
      ],
      [
        { kind: "answered", status: status(), evidence: parseEvidence(junk + reportText(parts)) },
        { kind: "not asked", why: "it is gone" },
      ],
      NOW * 1000,
    );

  test("terminal, page and JSON stay what they are", () => {
    const tags = new Set(toPage(fleet()).match(/<[a-z0-9]+/g));
    fc.assert(
      fc.property(hostile, (sent) => {
        const report = reportFrom(sent);
        const json = JSON.stringify(report);
        expect(json).not.toMatch(/\p{C}/u);
        expect(toTable(report, NO_COLOURS)).not.toMatch(/[^\n\P{C}]/u);
        const page = toPage(report);
        expect(page).not.toMatch(/[^\n\P{C}]/u);
        expect(XMLValidator.validate(xml(page))).toBe(true);
        expect((page.match(/<[a-z0-9]+/g) ?? []).filter((tag) => !tags.has(tag))).toEqual([]);
        expect(page).not.toMatch(/<[^>]*\son\w+=/);
      }),
      { numRuns: 300 },
    );
  });

  test("an escaped text is read back as it was", () => {
    const hostKey = `<b>"'&amp;`;
    const page = toPage(
      reportFrom({ key: hostKey, parts: { host: {}, denied: "", sockets: "", logins: "" }, junk: "" }),
    );
    const parsed = new XMLParser({ htmlEntities: true, parseTagValue: false }).parse(xml(page)) as {
      html: { body: { section: Array<{ h2: string }> } };
    };
    expect(defined(parsed.html.body.section[0]).h2).toBe(hostKey);
  });
});
