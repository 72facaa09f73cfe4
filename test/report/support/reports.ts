/** What hosts say, small: as the host program's report prints it. */
import type { Answered } from "../../../lib/ssh/answer";
import type { EvidenceReply } from "../../../lib/report/evidence-reply";
import { parseEvidence } from "../../../lib/report/evidence";
import { usageReport, type UsageReport } from "../../../lib/report/usage-report";
import { DEFAULT_SETTINGS, type VerdictSettings } from "../../../lib/report/verdict-rules";
import { renderRulesets } from "../../../lib/ruleset/backends";
import type { Host } from "../../../lib/state/hosts";
import { policies } from "../../ruleset/support/policies";

export const BASELINE = Date.parse("2026-09-01T08:00:00Z") / 1000;
export const NOW = Date.parse("2026-11-20T12:00:00Z") / 1000;
const day = 86_400;

export const at = (days: number): number => BASELINE + days * day;

export const SS = `Netid State  Recv-Q Send-Q            Local Address:Port  Peer Address:Port Process
udp   UNCONN 0      0                 127.0.0.1%lo:53         0.0.0.0:*     users:(("dnsmasq",pid=71,fd=4))
tcp   LISTEN 0      128                    0.0.0.0:22         0.0.0.0:*     users:(("sshd",pid=12,fd=3))
tcp   LISTEN 0      511                       [::]:80            [::]:*     users:(("nginx",pid=31,fd=6),("nginx",pid=30,fd=6))
tcp   LISTEN 0      80                           *:3306             *:*
tcp   ESTAB  0      0                   192.0.2.10:22    198.51.100.7:50022 users:(("sshd",pid=90,fd=4))
tcp   ESTAB  0      0      [2001:db8::10%eth0]:41234 [2001:db8::53]:443
tcp   TIME-WAIT 0   0                   192.0.2.10:80    203.0.113.80:50124
`;

export const PROC = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1201 1 0
   1: 0A0200C0:0016 076433C6:C366 01 00000000:00000000 02:00000000 00000000     0        0 1202 2 0
   2: 0A0200C0:0016 086433C6:C366 08 00000000:00000000 02:00000000 00000000     0        0 1205 2 0
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1203 1 0
   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  10: 00000000:0044 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1204 2 0 0
   sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
`;

export const DENIED = `in 6 203.0.113.80 80 42 ${at(2)} ${at(61)}
in 6 203.0.113.80 443 3 ${at(3)} ${at(3)}
in 17 198.51.100.99 161 1900 ${at(0.5)} ${at(80)}
in 58 2001:db8::99 - 2 ${at(30)} ${at(31)}
out 6 2001:db8::53 443 310 ${at(0)} ${at(79)}
in all - - 1950 ${at(0.5)} ${at(80)}
out all - - 310 ${at(0)} ${at(79)}
`;

export const JOURNAL = `2026-08-30T10:00:00+0200 web-1 sshd[80]: Accepted publickey for ops from 198.51.100.7 port 40000 ssh2: ED25519 SHA256:abc
2026-10-15T09:30:00+0000 web-1 sshd-session[81]: Accepted password for root from 198.51.100.7 port 40001 ssh2
`;

/** The texts of a ruleset that drops what it denies. */
export const DROPPING = renderRulesets(policies.default, "auto");

export interface Parts {
  readonly host?: Readonly<Record<string, string | number>>;
  readonly denied?: string;
  readonly sockets?: string;
  readonly logins?: string;
  readonly sources?: string;
  readonly sampled?: string;
  /** Lines of the host beside the usual. */
  readonly more?: string;
}

export function reportText({
  host,
  denied = "",
  sockets = "",
  logins = "",
  sources = "",
  sampled = "",
  more = "",
}: Parts): string {
  const known = {
    host: "web-1",
    owner: "1234",
    mode: "enforce",
    backend: "nftables",
    port: 22,
    locked_at: "2026-10-01T08:00:00Z",
    baseline_at: "2026-09-01T08:00:00Z",
    now: NOW,
    ...host,
  };
  const lines = Object.entries(known).map(([name, value]) => `${name}=${value}\n`);
  return `== host\n${lines.join("")}${more}== denied\n${denied}== sockets\n${sockets}== logins\n${logins}${sources === "" ? "" : `== sources\n${sources}`}${sampled === "" ? "" : `== sampled\n${sampled}`}`;
}

export const status = (more: Partial<Answered> = {}): Answered => ({
  kind: "answered",
  state: "locked",
  rules: "matches",
  owner: "1234",
  ruleset: "",
  program: "",
  lockedAt: "",
  problem: "",
  port: 22,
  listened: [],
  ...more,
});

export const answered = (parts: Parts, more: Partial<Answered> = {}): EvidenceReply => ({
  kind: "answered",
  status: status(more),
  evidence: parseEvidence(reportText(parts)),
});

export const reportOn = (
  replies: Readonly<Record<string, EvidenceReply>>,
  settings: Partial<VerdictSettings> = {},
): UsageReport =>
  usageReport(
    Object.entries(replies).map(
      ([key, reply], index) =>
        ({
          key,
          firewall: "fleet",
          address: `192.0.2.${10 + index}`,
          ...(reply.kind === "answered" && reply.status.state === "observed"
            ? { claim: "observed", observes: true }
            : { claim: "locked", observes: false }),
          owner: "1234",
          ruleset: "",
          texts: DROPPING,
        }) as Host,
    ),
    Object.values(replies),
    NOW * 1000,
    { ...DEFAULT_SETTINGS, ...settings },
  );

/** One host of each kind. */
export const fleet = (): UsageReport =>
  reportOn({
    "web-1": answered({ denied: DENIED, sockets: SS, logins: JOURNAL }),
    quiet: answered({
      sockets: PROC,
      host: { locked_at: "2026-09-01T08:00:00Z" },
      sources: "journal 0 2026-08-01T10:00:00+0200 quiet kernel: Linux\n",
    }),
    visited: answered({
      sockets: PROC,
      denied: `in 17 192.0.2.99 5353 80 ${at(0)} ${at(80)}\n`,
      logins: JOURNAL,
      sources: "journal 2 2026-08-01T10:00:00+0200 visited kernel: Linux\n",
    }),
    old: answered({
      host: { backend: "iptables" },
      denied: `in all - - 7 ${at(5)} ${at(9)}\nforward all - - 1 ${at(9)} ${at(9)}\n`,
      logins: "Nov 20 10:11:12 old sshd[1]: Accepted publickey for root from 198.51.100.7 port 9 ssh2\n",
    }),
    watched: answered(
      {
        host: { mode: "observe" },
        denied: `in 6 203.0.113.80 80 1 ${at(1)} ${at(1)}\nin all - - 4 ${at(1)} ${at(2)}\n`,
      },
      { state: "observed" },
    ),
    free: { kind: "answered", status: status({ state: "open", rules: "none" }), evidence: undefined },
    gone: { kind: "not asked", why: "connect to host 192.0.2.15 port 22: No route to host" },
  });
