/** What is made of what a host says, without hosts. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { replyOf } from "../../lib/report/ask";
import { toPage } from "../../lib/report/page";
import { parseReport } from "../../lib/report/parse";
import { reportOf, type UsageReport } from "../../lib/report/report";
import { toTable } from "../../lib/report/table";
import type { Host } from "../../lib/status/hosts";
import { answerOf } from "../../lib/status/ask";
import { at, DENIED, fleet, JOURNAL, NOW, PROC, reportOn, reportText, SS, state, told } from "./support/reports";

const xml = (page: string): string => page.replace(/^<!doctype html>\n/, "");
const golden = (name: string): string => readFileSync(join(__dirname, "../golden/report", name), "utf8");

describe("what a host says", () => {
  test("names protocols, peers, ports, counts and times", () => {
    const { denied, totals, unread } = parseReport(reportText({ denied: `${DENIED}in 99 192.0.2.1 - 1 1 2\n` }));
    expect(denied.map((one) => Object.values(one).join(" "))).toEqual([
      "in tcp 203.0.113.80 80 42 2026-09-03T08:00:00Z 2026-11-01T08:00:00Z",
      "in tcp 203.0.113.80 443 3 2026-09-04T08:00:00Z 2026-09-04T08:00:00Z",
      "in udp 198.51.100.99 161 1900 2026-09-01T20:00:00Z 2026-11-20T08:00:00Z",
      "in icmpv6 2001:db8::99  2 2026-10-01T08:00:00Z 2026-10-02T08:00:00Z",
      "out tcp 2001:db8::53 443 310 2026-09-01T08:00:00Z 2026-11-19T08:00:00Z",
      "in protocol 99 192.0.2.1  1 1970-01-01T00:00:01Z 1970-01-01T00:00:02Z",
    ]);
    expect(totals.map(({ direction, packets }) => [direction, packets])).toEqual([
      ["in", 1950],
      ["out", 310],
    ]);
    expect(unread).toEqual([]);
  });

  test("has the sockets of the baseline, as ss prints them", () => {
    const { sockets } = parseReport(reportText({ sockets: SS }));
    expect(sockets.listening.map((one) => Object.values(one).join(" "))).toEqual([
      "udp 127.0.0.1%lo 53 dnsmasq",
      "tcp 0.0.0.0 22 sshd",
      "tcp :: 80 nginx",
      "tcp * 3306 ",
    ]);
    expect(sockets.connected.map((one) => Object.values(one).join(" "))).toEqual([
      "in tcp 192.0.2.10 22 sshd 198.51.100.7 50022",
      "out tcp 2001:db8::10%eth0 41234  2001:db8::53 443",
    ]);
    expect(sockets.other).toEqual([expect.stringContaining("TIME-WAIT")]);
  });

  test("has them as /proc/net has them, too", () => {
    const { sockets } = parseReport(reportText({ sockets: PROC }));
    expect(sockets.listening.map(({ protocol, address, port }) => `${protocol} ${address} ${port}`)).toEqual([
      "tcp 0.0.0.0 22",
      "tcp ::1 80",
      "udp 0.0.0.0 68",
    ]);
    expect(sockets.connected).toMatchObject([
      { direction: "in", address: "192.0.2.10", port: 22, peer: "198.51.100.7", peerPort: 50022 },
    ]);
    expect(sockets.other).toEqual([]);
  });

  test("has logins of the journal, of auth.log and of last; the rest of those is kept", () => {
    const others = [
      "reboot   system boot  6.1.0-18-amd64   2026-11-20T09:11:12+00:00   still running",
      "wtmp begins …",
    ];
    const { logins, otherLogins } = parseReport(
      reportText({
        logins: [
          JOURNAL.trimEnd(),
          "2026-11-01T01:02:03.123456+01:00 h sshd[9]: Accepted publickey for a b from 2001:db8::1 port 7 ssh2",
          "Nov  2 10:11:12 h sshd[9]: Accepted publickey for root from 198.51.100.7 port 9 ssh2",
          "root     pts/0        198.51.100.8     2026-11-20T10:11:12+00:00 - 2026-11-20T10:20:00+00:00  (00:08)",
          ...others,
        ].join("\n"),
      }),
    );
    expect(logins.map(({ at: when, logged, user, from, by }) => [when ?? logged, user, from, by])).toEqual([
      ["2026-08-30T08:00:00Z", "ops", "198.51.100.7", "publickey"],
      ["2026-10-15T09:30:00Z", "root", "198.51.100.7", "password"],
      ["2026-11-01T00:02:03Z", "a b", "2001:db8::1", "publickey"],
      ["Nov  2 10:11:12", "root", "198.51.100.7", "publickey"],
      ["2026-11-20T10:11:12Z", "root", "198.51.100.8", null],
    ]);
    expect(otherLogins).toEqual(others);
  });

  test("is kept as text where it makes no sense", () => {
    const odd = [
      "in 6 203.0.113.80 80 many 1 2",
      "in 6 <b> 80 1 1 2",
      "up 6 192.0.2.1 80 1 1 2",
      "in 6 192.0.2.1 80 1 1",
    ];
    const { denied, unread } = parseReport(`hello\n${reportText({ denied: `${odd.join("\n")}\n== new section\n` })}`);
    expect(denied).toEqual([]);
    expect(unread).toEqual(["hello", ...odd, "== new section"]);
  });

  test("is one section after the other: a line of a later one that looks like an earlier head is a line", () => {
    const { denied, otherLogins } = parseReport(`${reportText({ logins: `== denied\nin 6 192.0.2.1 80 1 1 2\n` })}`);
    expect(denied).toEqual([]);
    expect(otherLogins).toEqual(["== denied", "in 6 192.0.2.1 80 1 1 2"]);
  });
});

describe("an answer", () => {
  const status = `ssh-only-firewall-status 0 {"state":"locked","rules":"matches"}\nssh-only-firewall-said\n`;
  const reply = (stdout: string, stderr = ""): ReturnType<typeof replyOf> =>
    replyOf(answerOf({ code: 0, timedOut: false, stdout, stderr, log: "" }, 30), stdout, stderr);

  test("is a report only when it is whole", () => {
    const text = `${status}ssh-only-firewall-report\n${reportText({ denied: DENIED })}`;
    expect(reply(`${text}\nssh-only-firewall-end 0\n`)).toMatchObject({ kind: "told", told: { unread: [] } });
    expect(reply(text)).toEqual({ kind: "not asked", why: expect.stringContaining("ended half-way") });
    expect(reply(`${status}ssh-only-firewall-report\n\nssh-only-firewall-end 2\n`, "usage: host.sh lock")).toEqual({
      kind: "not asked",
      why: expect.stringMatching(/gave no report: usage: host\.sh lock; deploy again/),
    });
  });

  test("of a host without the program is that it is open; of one that does not answer, the reason", () => {
    const open = `ssh-only-firewall-status 0 {"state":"open","rules":"none"}\nssh-only-firewall-said\n`;
    expect(reply(open)).toMatchObject({ kind: "told", told: undefined });
    expect(reply("", "sudo: a password is required")).toEqual({
      kind: "not asked",
      why: expect.stringContaining("not as root"),
    });
  });
});

describe("a verdict", () => {
  const verdict = (...reply: Parameters<typeof told>): string => reportOn({ a: told(...reply) }).hosts[0].verdict;
  const notes = (...reply: Parameters<typeof told>): string =>
    reportOn({ a: told(...reply) }).hosts[0].notes.join("\n");

  test("claims what was seen, and since when", () => {
    expect(verdict({})).toBe("Nobody but SSH was seen since 2026-09-01T08:00:00Z.");
    expect(verdict({}, { rules: "drifted" })).toMatch(/^Nobody but SSH was seen since .*, but not all .* counted\.$/);
    expect(verdict({ denied: DENIED })).toBe(
      "3 peers were denied, last on 2026-11-20T08:00:00Z. " +
        "The host tried 1 address that it was denied, last on 2026-11-19T08:00:00Z.",
    );
    expect(verdict({ denied: `in 6 192.0.2.1 80 1 1 ${NOW}\n` }, { state: "observed" })).toBe(
      "1 peer was seen that would be denied, last on 2026-11-20T12:00:00Z.",
    );
    expect(verdict({ denied: `in all - - 7 1 ${NOW}\n`, host: { backend: "iptables" } })).toBe(
      "7 packets coming in were denied, last on 2026-11-20T12:00:00Z.",
    );
    expect(verdict({}, { state: "open" })).toMatch(/not locked, .* who uses it is not known/);
  });

  test("is qualified where the host cannot know", () => {
    expect(notes({ host: { backend: "iptables" } })).toMatch(/iptables counts packets for each direction only/);
    expect(notes({ denied: `in 6 192.0.2.1 80 1 1 2\nin all - - 4 1 2\n` })).toMatch(/^3 packets more coming in/m);
    expect(notes({ denied: DENIED })).not.toMatch(/more going out/);
    expect(notes({ denied: DENIED })).toMatch(/multicast.* cannot be told/);
    expect(notes({}, { rules: "drifted" })).toMatch(/not all that came may have been counted/);
    expect(notes({}, { state: "observed" })).toMatch(/nothing is denied/);
    expect(notes({ host: { now: NOW + 3600 } })).toMatch(/3600 seconds ahead of/);
    expect(notes({ host: { now: NOW - 1 } })).not.toMatch(/clock/);
    expect(notes({})).toMatch(/no log of logins/);
  });
});

describe("of one host of each kind", () => {
  test("the table is what a person can read", () => {
    expect(toTable(fleet(), false)).toBe(golden("fleet.txt"));
    expect(toTable(fleet(), true)).toContain("\u001b[33mnot asked\u001b[39m");
  });

  test("the page is what a person can read", () => {
    expect(toPage(fleet())).toBe(golden("fleet.html"));
  });

  test("JSON has all of it", () => {
    expect(`${JSON.stringify(fleet(), undefined, 2)}\n`).toBe(golden("fleet.json"));
  });

  test("the page loads nothing and runs nothing", () => {
    const page = toPage(fleet());
    expect(page).not.toMatch(/<script|<link|<img|<iframe|\son\w+=|https?:|url\(|@import/i);
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
  });

  test("a flood fills no page", () => {
    const flood = Array.from({ length: 5000 }, (_, i) => `in 17 10.0.${i >> 8}.${i & 255} 53 1 ${at(1)} ${at(1)}\n`);
    const report = reportOn({ flooded: told({ denied: flood.join("") }) });
    const page = toPage(report);
    expect(page.length).toBeLessThan(400_000);
    expect(page).toContain("And 4500 more, which --json lists.");
    expect(page).toContain("4970 more are in the table.");
    expect(
      toTable(report, false)
        .split("\n")
        .filter((line) => line.includes(" udp ")),
    ).toHaveLength(5000);
  });
});

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
    reportOf(
      [{ key, firewall: "", address: key } as Host, { key: "b", firewall: junk, address: undefined } as Host],
      [
        { kind: "told", state: state(), told: parseReport(junk + reportText(parts)) },
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
        expect(toTable(report, false)).not.toMatch(/[^\n\P{C}]/u);
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
    expect(parsed.html.body.section[0].h2).toBe(hostKey);
  });
});
