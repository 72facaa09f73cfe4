/** The verdict on a host: what leads to it, in which time, and in which form it is written. The corpus has what traffic is. */
import { XMLValidator } from "fast-xml-parser";
import { defined } from "../support/required";
import { ignored } from "../../lib/cli/verdict-options";
import { NO_COLOURS } from "../../lib/output/colours";
import { compareNatural } from "../../lib/output/text";
import { toJunit } from "../../lib/report/junit";
import { onlyWith, worstFirst } from "../../lib/report/order";
import { toPage } from "../../lib/report/page";
import { toPrometheus } from "../../lib/report/prometheus";
import { toTable } from "../../lib/report/table";
import type { HostUsage } from "../../lib/report/usage-report";
import { DEFAULT_SETTINGS, RULES, type VerdictSettings } from "../../lib/report/verdict-rules";
import { connection, DAY, login, replyOf, SSHD, tcp, type Trace, udp } from "./support/packets";
import { listener } from "./support/profiles";
import { at, BASELINE, fleet, NOW, reportOn } from "./support/reports";

const listening = [SSHD, listener("tcp", 80, "nginx")];
const on = (trace: Trace, settings: Partial<VerdictSettings> = {}): HostUsage =>
  defined(reportOn({ a: replyOf({ listening, ...trace }) }, settings).hosts[0]);
const days = (number: number): Partial<VerdictSettings> => ({ unusedForSeconds: number * DAY });

describe("a verdict", () => {
  test("has since when the host is quiet, when it was used last, and who used what how often", () => {
    expect(on({ packets: connection("192.0.2.7", 80, at(10), 4) })).toMatchObject({
      verdict: "used",
      lastUse: "2026-09-11T08:00:03Z",
      quietSince: "2026-09-11T08:00:03Z",
      reasons: [
        "192.0.2.7 tried tcp port 80 (nginx): 3 packets, 2026-09-11T08:00:00Z to 2026-09-11T08:00:03Z [service]",
      ],
    });
    expect(on({})).toMatchObject({ verdict: "unused", lastUse: null, quietSince: "2026-09-01T08:00:00Z" });
  });

  test("names user, address and key of logins, and how many there were", () => {
    const logins = [1, 2].map((day) => login("ops", "192.0.2.7", at(day), 40_000 + day, "SHA256:ops"));
    expect(on({ logins })).toMatchObject({
      verdict: "ssh-only",
      lastUse: "2026-09-03T08:00:00Z",
      reasons: [
        expect.stringMatching(/^ops from 192\.0\.2\.7 with key SHA256:ops: 2 logins, 2026-09-02.* to 2026-09-03/),
      ],
    });
  });

  test("is unknown within a month of a gap; then the gap is only since when it is quiet", () => {
    const gap = (day: number): Trace => ({ more: [`gap=1 ${at(day)} ${at(day) + 9}`] });
    expect(on(gap(75))).toMatchObject({
      verdict: "unknown",
      quietSince: null,
      reasons: [expect.stringContaining("[gap]")],
    });
    expect(on(gap(20))).toMatchObject({ verdict: "unused", quietSince: "2026-09-21T08:00:09Z" });
    expect(on({ more: [`gap=1 - ${at(20)}`] })).toMatchObject({
      verdict: "unused",
      quietSince: "2026-09-21T08:00:00Z",
    });
  });

  test("reaches only as far as the log of logins", () => {
    const sources = "journal 0 2026-10-01T10:00:00+0000 web-1 kernel: Linux\n";
    expect(on({ parts: { sources } })).toMatchObject({ verdict: "unused", quietSince: "2026-10-01T10:00:00Z" });
    expect(on({ parts: { sources } }, days(60))).toMatchObject({ verdict: "unknown" });
  });

  test("takes one SYN for noise only where the rules are known to drop it", () => {
    const one = { packets: [tcp("192.0.2.7", 80, at(10))] };
    expect(on(one).verdict).toBe("unused");
    expect(on({ ...one, status: { state: "observed" } }).verdict).toBe("used");
    expect(on({ ...one, status: { ruleset: "another" } }).verdict).toBe("used");
    expect(on({ ...one, parts: { host: { locked_at: "2026-10-01T08:00:00Z" } } }).verdict).toBe("used");
  });

  test("names all rules that were applied, each with a meaning", () => {
    const { hosts } = fleet();
    for (const { rule, kind } of hosts.flatMap(({ findings }) => findings)) {
      expect(RULES[rule]).toMatchObject({ kind, meaning: expect.stringMatching(/./) });
    }
  });
});

describe("--unused-for", () => {
  test("requires a time without use: what was before decides nothing", () => {
    const used = { packets: connection("192.0.2.7", 80, at(10), 4) };
    expect(on(used, days(60))).toMatchObject({ verdict: "unused", quietSince: "2026-09-11T08:00:03Z" });
    expect(on(used, days(75))).toMatchObject({ verdict: "used" });
    const logins = [login("ops", "192.0.2.7", at(10), 40_000)];
    expect(on({ logins }, days(60)).verdict).toBe("unused");
    expect(on({ logins }, days(75)).verdict).toBe("ssh-only");
  });

  test("calls a host unknown that has not been watched for so long, or not without a gap", () => {
    expect(on({}, days(80)).verdict).toBe("unused");
    expect(on({}, days(81))).toMatchObject({ verdict: "unknown", reasons: [expect.stringContaining("[too-short]")] });
    const gap = { more: [`gap=1 ${at(75)} ${at(75) + 9}`] };
    expect(on(gap, days(5)).verdict).toBe("unused");
    expect(on(gap, days(6)).verdict).toBe("unknown");
  });
});

describe("--ignore and --threshold", () => {
  const check = { packets: [...connection("192.0.2.7", 80, at(10)), ...connection("192.0.2.8", 80, at(11))] };

  test("what is ignored stays in the evidence, and is named", () => {
    const some = (...texts: readonly string[]): HostUsage => on(check, { ignored: texts.map(ignored) });
    expect(some("192.0.2.7").verdict).toBe("used");
    const all = some("192.0.2.0/28");
    expect(all).toMatchObject({ verdict: "unused", denied: [{ rule: "ignored" }, { rule: "ignored" }] });
    expect(all.findings).toMatchObject([{ kind: "ignored", text: "8 packets, 2 peers, 1 port" }]);
    expect(some("80/tcp").verdict).toBe("unused");
    expect(some("80/udp").verdict).toBe("used");
    expect(some("192.0.2.7,80/tcp", "192.0.2.8,443/tcp").verdict).toBe("used");
    expect(some("192.0.2.7,80/tcp", "192.0.2.8,80/tcp").verdict).toBe("unused");
    expect(() => ignored("web")).toThrow(/no address, range or port/);
    expect(() => ignored("192.0.2.0/33")).toThrow(/no address, range or port/);
  });

  test("thresholds change what a rule takes for a scanner or a return", () => {
    const scan = {
      packets: Array.from({ length: 9 }, (_, i) => tcp("192.0.2.7", 8000 + i, at(10) + i)).concat(
        tcp("192.0.2.7", 80, at(10)),
        tcp("192.0.2.7", 80, at(10) + 1),
      ),
    };
    const packets = { packets: [tcp("192.0.2.7", 80, at(10)), tcp("192.0.2.7", 80, at(10)), ...scan.packets] };
    expect(on(packets).verdict).toBe("used");
    const pings = { packets: [1, 2, 3].map((day) => udp("192.0.2.7", 514, at(day))) };
    const thresholds = { ...DEFAULT_SETTINGS.thresholds, "return-packets": 4 };
    expect([on(pings).verdict, on(pings, { thresholds }).verdict]).toEqual(["used", "unused"]);
  });
});

describe("the forms", () => {
  const names = (hosts: readonly HostUsage[]): readonly string[] => hosts.map(({ host }) => host);

  test("have the worst first, and names by their numbers", () => {
    expect(["web-10", "web-2", "web-2a", "web", "a"].sort(compareNatural)).toEqual([
      "a",
      "web",
      "web-2",
      "web-2a",
      "web-10",
    ]);
    const quiet = replyOf({ listening });
    const used = replyOf({ listening, packets: connection("192.0.2.7", 80, at(10)) });
    const report = reportOn({ "web-10": quiet, "web-2": quiet, "web-9": used });
    expect(names(worstFirst(report.hosts))).toEqual(["web-9", "web-2", "web-10"]);
    const few = onlyWith(report, ["used", "unknown"]);
    expect(names(few.hosts)).toEqual(["web-9"]);
    expect(toTable(few, NO_COLOURS)).toContain("3 hosts: 1 used, 2 unused; 3 asked");
    expect(toTable(report, NO_COLOURS)).toMatch(/^VERDICT +HOST .*\nused +web-9 .*\nunused +web-2 .*\nunused +web-10 /);
  });

  test("the table explains each part of the evidence by its rule where that is asked for", () => {
    expect(toTable(fleet(), NO_COLOURS)).not.toContain("What led to the verdict");
    const explained = toTable(fleet(), NO_COLOURS, true);
    expect(explained).toMatch(/use +service +203\.0\.113\.80 tried tcp port 80 \(nginx\): 42 packets/);
    expect(explained).toContain(`    service: ${RULES.service.meaning}`);
  });

  test("the page has the verdict on top of each host, and noise folded away", () => {
    const page = toPage(fleet());
    expect(page).toMatch(/<h2>web-1<\/h2>\n<p class="verdict used">used<\/p>/);
    expect(page).toMatch(/<details>\n<summary>Noise, housekeeping and the like: 2 rows<\/summary>/);
    expect(page).toContain("(1 used, 4 unknown, 1 ssh-only, 1 unused)");
  });

  test("JUnit fails every host that is not unused", () => {
    const xml = toJunit(fleet());
    expect(XMLValidator.validate(xml)).toBe(true);
    expect(xml.match(/<failure type="used"/g)).toHaveLength(1);
    expect(xml).toMatch(/tests="7" failures="6"/);
    expect(xml).toMatch(/<testcase classname="fleet" name="quiet \(192\.0\.2\.11\)"\/>/);
  });

  test("Prometheus gets verdict, state, last use and age of the evidence of each host", () => {
    const text = toPrometheus(fleet());
    expect(text).toContain(`ssh_only_firewall_verdict{host="web-1",firewall="fleet",verdict="used"} 1\n`);
    expect(text).toContain(`ssh_only_firewall_verdict{host="web-1",firewall="fleet",verdict="unused"} 0\n`);
    expect(text).toContain(`ssh_only_firewall_state{host="watched",firewall="fleet",state="observed"} 1\n`);
    expect(text).toContain(`ssh_only_firewall_last_use_seconds{host="web-1",firewall="fleet"} ${at(80)}\n`);
    expect(text).toContain(`ssh_only_firewall_evidence_age_seconds{host="quiet",firewall="fleet"} ${NOW - BASELINE}\n`);
    expect(text).not.toMatch(/last_use_seconds\{host="quiet"/);
    for (const line of text.trimEnd().split("\n")) {
      expect(line).toMatch(/^(# (HELP|TYPE) ssh_only_firewall_\w+ .+|ssh_only_firewall_\w+\{(\w+="[^"]*",?)+\} \d+)$/);
    }
  });
});
