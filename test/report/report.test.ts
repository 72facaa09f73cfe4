/** What is made of what a host says, without hosts. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { XMLValidator } from "fast-xml-parser";
import { createColors } from "picocolors";
import { defined } from "../support/required";
import { NO_COLOURS } from "../../lib/output/colours";
import { type EvidenceReply, evidenceReply } from "../../lib/report/evidence-reply";
import { toPage } from "../../lib/report/page";
import { parseEvidence } from "../../lib/report/evidence";
import { usageReport, type UsageReport } from "../../lib/report/usage-report";
import { toTable } from "../../lib/report/table";
import type { Host } from "../../lib/state/hosts";
import { answerOf } from "../../lib/ssh/answer";
import { hostsIn } from "../../lib/state/hosts";
import { readState } from "../../lib/state/state";
import { holdAlone } from "../state/support/holds-alone";
import { filed } from "../state/support/states";
import { at, DENIED, fleet, JOURNAL, NOW, PROC, reportOn, reportText, SS, answered } from "./support/reports";

/** A host of which the state has only the hold, and one of which it has only the lockdown. */
const HALF: readonly Host[] = [
  ...hostsIn(readState(holdAlone("terraform_data", "filed"))),
  ...hostsIn(readState(JSON.stringify(filed([{ key: "web", hold: "none" }], { tracker: "terraform_data" })))),
];

const xml = (page: string): string => page.replace(/^<!doctype html>\n/, "");
const golden = (name: string): string => readFileSync(join(__dirname, "../golden/report", name), "utf8");

describe("what a host says", () => {
  test("names protocols, peers, ports, counts and times", () => {
    const { denied, totals, unread } = parseEvidence(reportText({ denied: `${DENIED}in 99 192.0.2.1 - 1 1 2\n` }));
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
    const { sockets } = parseEvidence(reportText({ sockets: SS }));
    expect(sockets.listening.map((one) => Object.values(one).join(" "))).toEqual([
      "udp 127.0.0.1%lo 53 dnsmasq",
      "tcp 0.0.0.0 22 sshd",
      "tcp :: 80 nginx",
      "tcp * 3306 ",
    ]);
    expect(sockets.connected.map((one) => Object.values(one).join(" "))).toEqual([
      "in tcp 192.0.2.10 22 sshd 198.51.100.7 50022 established",
      "out tcp 2001:db8::10%eth0 41234  2001:db8::53 443 established",
      "in tcp 192.0.2.10 80  203.0.113.80 50124 time-wait",
    ]);
    expect(sockets.other).toEqual([]);
  });

  test("has them as /proc/net has them, too", () => {
    const { sockets } = parseEvidence(reportText({ sockets: PROC }));
    expect(sockets.listening.map(({ protocol, address, port }) => `${protocol} ${address} ${port}`)).toEqual([
      "tcp 0.0.0.0 22",
      "tcp ::1 80",
      "udp 0.0.0.0 68",
    ]);
    expect(sockets.connected).toMatchObject([
      { direction: "in", address: "192.0.2.10", port: 22, peer: "198.51.100.7", peerPort: 50022, state: "established" },
      { direction: "in", address: "192.0.2.10", port: 22, peer: "198.51.100.8", peerPort: 50022, state: "close-wait" },
    ]);
    expect(sockets.other).toEqual([]);
  });

  test("has logins of the journal, of auth.log and of last; the rest of those is kept", () => {
    const others = [
      "reboot   system boot  6.1.0-18-amd64   2026-11-20T09:11:12+00:00   still running",
      "wtmp begins …",
    ];
    const { logins, otherLogins } = parseEvidence(
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
    const { denied, unread } = parseEvidence(`hello\n${reportText({ denied: `${odd.join("\n")}\n== new section\n` })}`);
    expect(denied).toEqual([]);
    expect(unread).toEqual(["hello", ...odd, "== new section"]);
  });

  test("is one section after the other: a line of a later one that looks like an earlier head is a line", () => {
    const { denied, otherLogins } = parseEvidence(`${reportText({ logins: `== denied\nin 6 192.0.2.1 80 1 1 2\n` })}`);
    expect(denied).toEqual([]);
    expect(otherLogins).toEqual(["== denied", "in 6 192.0.2.1 80 1 1 2"]);
  });
});

describe("an answer", () => {
  const status = `ssh-only-firewall-status 0 {"state":"locked","rules":"matches"}\nssh-only-firewall-said\n`;
  const reply = (stdout: string, stderr = ""): ReturnType<typeof evidenceReply> =>
    evidenceReply({ answer: answerOf({ code: 0, timedOut: false, stdout, stderr, log: "" }, 30), stdout, stderr });

  test("is a report only when it is whole", () => {
    const text = `${status}ssh-only-firewall-report\n${reportText({ denied: DENIED })}`;
    expect(reply(`${text}\nssh-only-firewall-end 0\n`)).toMatchObject({ kind: "answered", evidence: { unread: [] } });
    expect(reply(text)).toEqual({ kind: "not asked", why: expect.stringContaining("report is incomplete") });
    expect(reply(`${status}ssh-only-firewall-report\n\nssh-only-firewall-end 2\n`, "usage: host.sh lock")).toEqual({
      kind: "not asked",
      why: expect.stringMatching(/gave no report: usage: host\.sh lock; deploy again/),
    });
  });

  test("of a host without the program is that it is open; of one that does not answer, the reason", () => {
    const open = `ssh-only-firewall-status 0 {"state":"open","rules":"none"}\nssh-only-firewall-said\n`;
    expect(reply(open)).toMatchObject({ kind: "answered", evidence: undefined });
    expect(reply("", "sudo: a password is required")).toEqual({
      kind: "not asked",
      why: expect.stringContaining("not as root"),
    });
  });
});

describe("a verdict", () => {
  const verdict = (...reply: Parameters<typeof answered>): string =>
    defined(reportOn({ a: answered(...reply) }).hosts[0]).summary;
  const notes = (...reply: Parameters<typeof answered>): string =>
    defined(reportOn({ a: answered(...reply) }).hosts[0]).notes.join("\n");

  test("claims what was seen, and since when", () => {
    expect(verdict({})).toBe("Nothing but SSH was seen since 2026-09-01T08:00:00Z.");
    expect(verdict({}, { rules: "drifted" })).toMatch(
      /^Nothing but SSH was seen since .*, but some traffic may not have been counted\.$/,
    );
    expect(verdict({ denied: DENIED })).toBe(
      "3 peers were denied, last on 2026-11-20T08:00:00Z. " +
        "The host tried to reach 1 address and was denied, last on 2026-11-19T08:00:00Z.",
    );
    expect(verdict({ denied: `in 6 192.0.2.1 80 1 1 ${NOW}\n` }, { state: "observed" })).toBe(
      "1 peer would have been denied, last on 2026-11-20T12:00:00Z.",
    );
    expect(verdict({ denied: `in all - - 7 1 ${NOW}\n`, host: { backend: "iptables" } })).toBe(
      "7 inbound packets were denied, last on 2026-11-20T12:00:00Z.",
    );
    expect(verdict({}, { state: "open" })).toMatch(/not locked and has no records: its use is unknown/);
  });

  test("claims nothing for a time in which the rules were gone", () => {
    const gaps = `gap=7 - ${at(20)}\ngap=8 ${at(40) - 6} ${at(40)}\n`;
    expect(verdict({ more: gaps })).toBe("Nothing but SSH was seen since 2026-10-11T08:00:00Z.");
    expect(notes({ more: gaps })).toMatch(
      /^Its rules were missing or changed, or what they had counted was lost 8 times, the last 2 of them until 2026-09-21T08:00:00Z, from 2026-10-11T07:59:54Z until 2026-10-11T08:00:00Z: /m,
    );
    expect(reportOn({ a: answered({ more: gaps }) }).hosts[0]).toMatchObject({
      since: "2026-10-11T08:00:00Z",
      counted: "2026-09-01T08:00:00Z",
      gapCount: 8,
      gaps: [{ from: null }, { from: "2026-10-11T07:59:54Z", until: "2026-10-11T08:00:00Z" }],
    });
  });

  test("does not call denied what was let pass while it was observed", () => {
    const parts = { more: `mode_from=observe ${at(0)}\nmode_from=enforce ${at(30)}\n`, denied: DENIED };
    expect(verdict(parts)).toMatch(/^3 peers were denied, or passed while the host was only observed, last on /);
    expect(verdict(parts)).toContain("1 address and was denied, or succeeded while it was only observed, last on");
    expect(notes(parts)).toMatch(
      /^It was only observed from 2026-09-01T08:00:00Z until 2026-10-01T08:00:00Z: .* not denied but passed\.$/m,
    );
    const report = reportOn({ a: answered(parts) });
    for (const shown of [toTable(report, NO_COLOURS), toPage(report)]) {
      expect(shown).toContain("Denied, or passed while the host was only observed, since 2026-09-01T08:00:00Z");
    }
    expect(
      toTable(reportOn({ a: answered({ more: `mode_from=observe ${at(0)}\n` }, { state: "observed" }) }), NO_COLOURS),
    ).toContain("Would have been denied since");
  });

  test("reports what was open already on a host that is observed, because only openings are counted", () => {
    const local = "tcp ESTAB 0 0 127.0.0.1:3306 127.0.0.1:40000\ntcp ESTAB 0 0 192.0.2.10:3306 192.0.2.10:40001\n";
    const observed = (sockets: string): string => verdict({ sockets }, { state: "observed" });
    expect(observed(SS + local)).toMatch(
      /^Nothing but SSH was seen since .*\. 1 connection other than SSH was already open /,
    );
    expect(observed(local)).toBe("Nothing but SSH was seen since 2026-09-01T08:00:00Z.");
    expect(verdict({ sockets: SS })).toBe("Nothing but SSH was seen since 2026-09-01T08:00:00Z.");
  });

  test("names another owner, another mode, and a host that the state does not have", () => {
    expect(verdict({}, { owner: "5678", lockedAt: "2026-10-01T08:00:00Z" })).toMatch(
      /^It does not match the state: it is locked-by-someone-else \(owned by 5678 since 2026-10-01T08:00:00Z\)\. Nothing /,
    );
    const ofState = (claim: Host["claim"], own: Partial<Host>, ...reply: Parameters<typeof answered>): UsageReport =>
      usageReport(
        [{ key: "a", firewall: "", claim, observes: claim === "observed", owner: "1234", texts: {}, ...own } as Host],
        [answered(...reply)],
        NOW * 1000,
      );
    expect(ofState("locked", {}, {}, { state: "observed" })).toMatchObject({
      disagree: 1,
      hosts: [{ condition: "open", summary: expect.stringContaining("it is only observed (hold 1234") }],
    });
    expect(defined(ofState("observed", {}, {}).hosts[0]).summary).toContain(
      "it is locked, but only observed according to the state",
    );
    expect(defined(ofState("absent", { owner: undefined }, {}).hosts[0]).summary).toContain("locked-but-not-in-state");
    expect(ofState("locked", {}, {})).toMatchObject({ disagree: 0, hosts: [{ agrees: true }] });
  });

  test("reports where logins come from, how far back, and how many are left out", () => {
    const sources = `journal 1234 2026-10-01T10:00:00+0200 web-1 kernel: Linux\nauth.log 3 Nov  2 10:11:12 h x\n`;
    expect(notes({ sources, logins: JOURNAL })).toContain(
      "Its journal begins on 2026-10-01T08:00:00Z, later than the lock: earlier logins are unknown; only the last 500 of its 1234 logins are listed.\nIts auth.log begins on Nov  2 10:11:12. Any local user can write to it.",
    );
    const twice = `${JOURNAL}Oct 15 09:30:00 web-1 sshd-session[81]: Accepted password for root from 198.51.100.7 port 40001 ssh2\n`;
    expect(reportOn({ a: answered({ sources, logins: twice }) }).hosts[0]).toMatchObject({
      logins: { length: 2 },
      loginSources: [
        { name: "journal", all: 1234 },
        { name: "auth.log", all: 3 },
      ],
      unread: [],
    });
  });

  test("reports that a first time is unknown", () => {
    const parts = { denied: `in 6 192.0.2.1 80 3 - ${at(9)}\n` };
    expect(notes(parts)).toMatch(/^The first time is unknown if several packets/m);
    expect(toTable(reportOn({ a: answered(parts) }), NO_COLOURS)).toMatch(
      /192\.0\.2\.1 +80 +3 +unknown +2026-09-10T08:00:00Z/,
    );
    expect(toPage(reportOn({ a: answered(parts) }))).toContain(`<td data-title="First" class="short">unknown</td>`);
    expect(defined(reportOn({ a: answered(parts) }).hosts[0]).denied).toMatchObject([
      { first: null, last: "2026-09-10T08:00:00Z" },
    ]);
  });

  test("with iptables has whom the kernel's log names, as a sample, or explains how to get it", () => {
    const host = { backend: "iptables", logged: 10 };
    const parts = { host, denied: `in all - - 700 1 ${NOW}\n`, sampled: `in 6 192.0.2.1 80 3 ${at(1)} ${at(9)}\n` };
    expect(notes(parts)).toMatch(
      /^The peers in the kernel's log are a sample: at most 10 packets a minute in each direction/m,
    );
    const report = reportOn({ a: answered(parts) });
    expect(defined(report.hosts[0]).sampled).toMatchObject([
      { direction: "in", protocol: "tcp", peer: "192.0.2.1", port: 80 },
    ]);
    expect(toTable(report, NO_COLOURS)).toMatch(
      /kernel's log\n.*\n +in +tcp +192\.0\.2\.1 +80 +3 +2026-09-02T08:00:00Z/,
    );
    expect(toPage(report)).toMatch(/kernel&#39;s log<\/h3>[^]*192\.0\.2\.1/);
    expect(notes({ host: { backend: "iptables", logged: "" } })).toMatch(
      /^To see some of the peers, set logDeniedPerMinute/m,
    );
  });

  test("is qualified where the host cannot know", () => {
    expect(notes({ host: { backend: "iptables" } })).toMatch(/iptables counts packets for each direction only/);
    expect(notes({ denied: `in 6 192.0.2.1 80 1 1 2\nin all - - 4 1 2\n` })).toMatch(
      /^3 inbound packets came from peers that were not recorded\.$/m,
    );
    expect(notes({ denied: DENIED })).not.toMatch(/outbound packets? went/);
    expect(notes({ denied: DENIED })).toMatch(/multicast.* cannot be distinguished/);
    expect(notes({}, { rules: "drifted" })).toMatch(/some traffic may not have been counted/);
    expect(notes({}, { state: "observed" })).toMatch(/nothing is denied/);
    expect(notes({ host: { now: NOW + 3600 } })).toMatch(/3600 seconds ahead of/);
    expect(notes({ host: { now: NOW - 1 } })).not.toMatch(/clock/);
    expect(notes({})).toMatch(/no readable log of SSH logins/);
  });
});

describe("of hosts of which the state has only the hold, or only the lockdown", () => {
  const reportFrom = (reply: EvidenceReply): UsageReport =>
    usageReport(
      HALF,
      HALF.map(() => reply),
      NOW * 1000,
    );
  const command = `terraform state rm 'terraform_data.fleet_hold["web-2"]'`;

  test.each<[string, EvidenceReply, RegExp]>([
    [
      "cannot be asked",
      { kind: "not asked", why: "No route to host" },
      /^By the state, it may be locked: .* It could not be asked: /,
    ],
    [
      "are open",
      answered({}, { state: "open", rules: "none" }),
      /^By the state, it may be locked: .* It is not locked/,
    ],
    ["are locked", answered({}, { owner: "other" }), /^It does not match the state: it is locked-by-someone-else /],
  ])("that %s gives the reason, and what to do", (_, reply, verdict) => {
    const report = reportFrom(reply);
    const lacks = {
      "web-2": "the state has its hold but no lockdown: ",
      web: "the state has its lockdown but no hold: ",
    };
    expect(report.hosts.map(({ host }) => host)).toEqual(Object.keys(lacks));
    Object.values(lacks).forEach((why, index) => {
      expect(report.hosts[index]).toMatchObject({ summary: expect.stringMatching(verdict), agrees: false });
      expect(report.hosts[index]?.summary).toContain(why);
    });
    const page = toPage(report);
    expect(XMLValidator.validate(xml(page))).toBe(true);
    expect(page).toContain(`<code>${command.replace(/'/g, "&#39;").replace(/"/g, "&quot;")}</code>`);
    for (const text of [toTable(report, NO_COLOURS), page]) {
      expect(text).toContain("What to do about web-2");
      expect(text).toMatch(/What to do about web\b(?!-)[^]*takeOver: same-stack/);
    }
    expect(toTable(report, NO_COLOURS)).toContain(`as it is:\n    ${command}\n`);
  });
});

describe("of one host of each kind", () => {
  test("the table is what a person can read", () => {
    expect(toTable(fleet(), NO_COLOURS)).toBe(golden("fleet.txt"));
    expect(toTable(fleet(), createColors(true))).toContain("\u001b[33munknown\u001b[39m");
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
    const report = reportOn({ flooded: answered({ denied: flood.join("") }) });
    const page = toPage(report);
    expect(page.length).toBeLessThan(400_000);
    expect(page).toContain("And 4500 more, which --json lists.");
    expect(page).toContain("4970 more are in the table.");
    expect(
      toTable(report, NO_COLOURS)
        .split("\n")
        .filter((line) => line.includes(" udp ")),
    ).toHaveLength(0);
    expect(toTable(report, NO_COLOURS)).toContain("and 5000 rows of noise, housekeeping and the like: --explain");
    expect(
      toTable(report, NO_COLOURS, true)
        .split("\n")
        .filter((line) => line.includes(" udp ")),
    ).toHaveLength(5000);
  });
});
