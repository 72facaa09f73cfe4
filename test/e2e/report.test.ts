/** `report` against hosts that were used, that were not, and that are gone. */
import { defined, items } from "../support/required";
import type { HostUsage, UsageReport } from "../../lib/report/usage-report";
import { describeLab } from "../lab/describe-lab";
import { Lab, listenerPorts, type Peer, type RunResult } from "../lab/lab";
import { program } from "../cli/support/run";
import { terraformEnvironment } from "../lab/terraform";
import { STATE } from "../program/support/host-program";
import { runReport } from "./support/report-command";
import { Deployment, hostEntry } from "./support/deployment";

jest.setTimeout(300_000);

const PORTS = [25, 80, 443, 3306, 8080];
const TRIED = ["192.0.2.8", "198.51.100.9"];

describeLab(
  "report",
  () => {
    let lab: Lab;
    let deployment: Deployment;
    let peer: Peer;
    const before = Math.floor(Date.now() / 1000) * 1000;

    beforeAll(async () => {
      lab = await Lab.create({
        hosts: [
          { name: "gone" },
          { name: "ops", user: "ops", sshPort: 2222, firewall: "iptables-nft" },
          { name: "quiet" },
          { name: "used", listeners: true },
        ],
      });
      peer = await lab.peer();
      deployment = new Deployment(lab);
      const hosts = lab.hosts.map((host) => [host.name, hostEntry(lab, host, { persist: false })] as const);
      await deployment.apply({ hosts: Object.fromEntries(hosts) });
      const used = lab.host("used");
      // UDP in, for a SYN that is not answered is sent again; out, TCP is refused at once.
      await peer.exec(["node", "-e", KNOCK, used.ipv4, JSON.stringify(PORTS)]);
      await peer.exec(["node", "-e", KNOCK, used.ipv4, JSON.stringify([443])]);
      await used.exec(`for to in ${TRIED.join(" ")}; do bash -c "echo >/dev/tcp/$to/443" || :; done`, { check: false });
      await peer.exec(["node", "-e", KNOCK, lab.host("ops").ipv4, JSON.stringify(PORTS)]);
      const login = "2026-01-02T03:04:05+01:00 used sshd[1]: Accepted publickey for root from 10.77.0.1 port 9 ssh2";
      await used.exec("cat >>/var/log/auth.log", { input: `${login}\n` });
      await lab.host("gone").stop();
    });
    afterAll(() => lab?.destroy());

    const report = (...args: readonly string[]): Promise<RunResult> => runReport(lab, deployment, ...args);

    test("lists every denied peer, protocol and port with count and times as JSON", async () => {
      const { code, stdout, stderr } = await report("--json", "--timeout", "20");
      expect({ code, stderr }).toEqual({ code: 2, stderr: "" });
      const { hosts, asked, notAsked } = JSON.parse(stdout) as UsageReport;
      expect({ asked, notAsked }).toEqual({ asked: 3, notAsked: 1 });
      const [gone, ops, quiet, used] = items(hosts, 4);

      expect(
        used.denied.map((one) => `${one.direction} ${one.protocol} ${one.peer} ${one.port} ${one.packets}`).sort(),
      ).toEqual(
        [
          ...PORTS.map((port) => `in udp ${peer.ipv4} ${port} ${port === 443 ? 2 : 1}`),
          ...TRIED.map((address) => `out tcp ${address} 443 1`),
        ].sort(),
      );
      for (const { first, last } of used.denied) {
        const [from, to] = [Date.parse(first as string), Date.parse(last as string)];
        expect(before <= from && from <= to && to <= Date.now()).toBe(true);
      }
      expect(used.summary).toMatch(
        /^1 peer was denied, last on 20[^ ]+Z\. The host tried to reach 2 addresses and was denied, last on 20[^ ]+Z\.$/,
      );
      expect(used).toMatchObject({ asked: true, state: "locked", backend: "nftables", sshPort: 22, unread: [] });
      expect(Date.parse(used.since as string)).toBeGreaterThanOrEqual(before);
      expect(used.baseline.listening.map(({ port }) => port)).toEqual(
        expect.arrayContaining([22, ...listenerPorts.tcp]),
      );
      expect(used.baseline.connected).toContainEqual(
        expect.objectContaining({ direction: "in", port: 22, peer: "10.77.0.1" }),
      );
      expect(used.logins).toContainEqual(
        expect.objectContaining({ at: "2026-01-02T02:04:05Z", user: "root", from: "10.77.0.1", by: "publickey" }),
      );

      expect(quiet).toMatchObject({
        state: "locked",
        denied: [],
        summary: `Nothing but SSH was seen since ${quiet.since}.`,
      });
      expect(ops).toMatchObject({
        backend: "iptables",
        sshPort: 2222,
        denied: [],
        totals: [{ direction: "in", packets: 5 }],
        verdict: "unknown",
        summary: expect.stringMatching(/^5 inbound packets were denied, last on /),
      });
      expect(gone).toMatchObject({
        asked: false,
        state: null,
        verdict: "unknown",
        summary: expect.stringMatching(/^It could not be asked: /),
      });
    });

    test("shows the same as a table and as a page", async () => {
      const table = await report("--timeout", "20", "--explain");
      expect({ code: table.code, stderr: table.stderr }).toEqual({ code: 2, stderr: "" });
      expect(table.stdout).not.toContain("\u001b");
      expect(table.stdout).toMatch(/^unknown +gone +[0-9.]+ +not asked +.*\[not-asked\]$/m);
      const row = new RegExp(`^    in +udp +${peer.ipv4.replaceAll(".", "\\.")} +443 +2 +20\\S+Z +20\\S+Z$`, "m");
      expect(table.stdout).toMatch(row);
      expect(
        table.stdout.split("\n").filter((line) => /^ {4}(in|out) +(udp|tcp) +\S+ +\d+ +\d+ /.test(line)),
      ).toHaveLength(7);
      expect(table.stdout).toContain("; 3 asked, 1 not asked. All times are UTC.");

      const page = await report("--html", "--timeout", "20");
      expect({ code: page.code, stderr: page.stderr }).toEqual({ code: 2, stderr: "" });
      expect(page.stdout).toMatch(/^<!doctype html>[^]*<\/html>\n$/);
      // Its row depends on who was heard of last.
      expect(page.stdout).toMatch(
        new RegExp(`<text x="0" y="[0-9]+">in ${peer.ipv4.replaceAll(".", "\\.")} · 6</text>`),
      );
    });

    test("does not take our own probes and logins for use, but the same machine at the same port", async () => {
      const quiet = lab.host("quiet");
      await quiet.exec("cat >/var/log/auth.log", { input: "2026-01-01T00:00:00+00:00 quiet kernel: first line\n" });
      const status = program(
        "ssh-only-firewall",
        "status",
        "--live",
        "--identity",
        lab.privateKeyPath,
        "--timeout",
        "20",
      );
      const options = { check: false, cwd: deployment.stack.folder, env: terraformEnvironment(lab) };
      await lab.controller.exec(status, options);
      await lab.controller.exec(status, options);
      const usage = async (): Promise<HostUsage> => {
        const { stdout } = await report("--json", "--host", "quiet", "--timeout", "20");
        return defined((JSON.parse(stdout) as UsageReport).hosts[0]);
      };

      // As sshd would log the logins of these sessions, and one that is none of them.
      const sessions = (await quiet.exec(`cat ${STATE}/baseline/sessions`)).stdout.trimEnd().split("\n");
      expect(sessions.length).toBeGreaterThanOrEqual(3);
      const logins = sessions.map((line) => {
        const [at, from, port] = line.split(" ");
        return `${new Date(Number(at) * 1000).toISOString()} quiet sshd[9]: Accepted publickey for root from ${from} port ${port} ssh2: ED25519 SHA256:own\n`;
      });
      await quiet.exec("cat >>/var/log/auth.log", { input: logins.join("") });
      expect(await usage()).toMatchObject({
        verdict: "unused",
        denied: [{ rule: "probe" }, { rule: "probe" }],
        logins: { length: sessions.length },
      });
      await quiet.exec("cat >>/var/log/auth.log", { input: (logins.at(-1) ?? "").replace(/ port \d+ /, " port 9 ") });
      expect(await usage()).toMatchObject({
        verdict: "ssh-only",
        reasons: [expect.stringContaining("key SHA256:own: 1 login")],
      });

      await lab.controller.exec(`timeout 4 bash -c 'echo >/dev/tcp/${quiet.ipv4}/80' || :`, { check: false });
      expect(await usage()).toMatchObject({ verdict: "used" });
    });
  },
  { needs: "terraform" },
);

const KNOCK = `
const [address, ports] = process.argv.slice(1);
const socket = require("node:dgram").createSocket("udp4");
const all = JSON.parse(ports).map((port) => new Promise((done) => socket.send("x", port, address, done)));
Promise.all(all).then(() => socket.close());
`;
