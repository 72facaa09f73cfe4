/** Words that would mislead whoever reads the report. */
import { toPage } from "../../lib/report/page";
import { toTable } from "../../lib/report/table";
import { at, answered, reportOn, SS } from "./support/reports";

const BEGUN = "2026-09-01T08:00:00Z";

test.each([
  ["a host that was locked at once", {}, "", "locked"],
  ["a host that has only observed", { mode: "observe" }, `mode_from=observe ${at(0) + 20}\n`, "observed"],
  ["a host that was observed later", {}, `mode_from=observe ${at(9)}\nmode_from=enforce ${at(10)}\n`, "locked"],
])("of %s the report names what was first by its name", (_what, host, more, word) => {
  const report = reportOn({
    a: answered({ sockets: SS, host, more }, { state: word === "observed" ? "observed" : "locked" }),
  });
  expect(toTable(report)).toContain(`\n  When it was first ${word}, ${BEGUN}\n`);
  expect(toPage(report)).toContain(`What listened when it was first ${word}, ${BEGUN}`);
});

test("connections that differ only in a port that was chosen for each are one row", () => {
  const ends = Array.from({ length: 14 }, (_, index) => `${50200 + index}`);
  const ingoing = ends.map((port) => `tcp   TIME-WAIT 0   0   192.0.2.10:80    203.0.113.80:${port}\n`);
  const outgoing = ends.map((port) => `tcp   TIME-WAIT 0   0   192.0.2.10:${port}    203.0.113.9:443\n`);
  const shown = toTable(reportOn({ a: answered({ sockets: SS + ingoing.join("") + outgoing.join("") }) }));
  expect(shown).toMatch(/in +tcp +192\.0\.2\.10:80 +203\.0\.113\.80:\* +time-wait \(15 times\)/);
  expect(shown).toMatch(/out +tcp +192\.0\.2\.10:\* +203\.0\.113\.9:443 +time-wait \(14 times\)/);
  expect(shown.match(/time-wait/g)).toHaveLength(2);
});

test("a reason that is a whole sentence does not make two full stops", () => {
  const shown = toTable(reportOn({ a: { kind: "not asked", why: "Host key verification failed." } }));
  expect(shown).not.toContain("..");
});
