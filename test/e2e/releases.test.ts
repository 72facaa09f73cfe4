/** Other releases of Debian than the one of the lab, with their own systemd, nft, iptables and sshd: locked through a restart. */
import type { HostFirewall } from "../lab/lab";
import { describeBooted, type SystemOptions } from "../lab/systemd-root";
import { lockedStatus, Subject } from "./support/booted-host";

jest.setTimeout(300_000);

const releases: Record<string, { readonly system: SystemOptions; readonly firewalls: readonly HostFirewall[] }> = {
  "Debian 11": { system: { release: "bullseye" }, firewalls: ["nftables", "iptables-nft"] },
  "Debian 13": { system: { release: "trixie" }, firewalls: ["nftables", "iptables-nft"] },
};
const hosts = Object.entries(releases).flatMap(([release, { system, firewalls }]) =>
  firewalls.map((firewall) => ({ release, system, firewall })),
);

describeBooted(
  "a host of another release",
  hosts.map(({ system }) => system),
  () => {
    describe.each(hosts)("$release with $firewall", ({ system, firewall }) => {
      let subject: Subject;
      beforeAll(async () => {
        subject = await Subject.create({ firewall, system });
      });
      afterAll(() => subject?.lab.destroy());

      test("answers while it boots, as long as it is open", async () => {
        expect((await subject.reboot()).answers).toBeGreaterThan(0);
      });

      test("is locked, and closed to everything but SSH", async () => {
        await subject.mustDeploy();
        expect(await subject.status()).toMatchObject({ ...lockedStatus, backend: firewall.replace(/-.*/, "") });
        const scan = await subject.lab.scanTcp(subject.host, { ports: "1-1024" });
        expect(scan).toEqual({ open: [22], closed: [], filteredCount: 1023 });
      });

      test.each(["power cut", "clean"] as const)(
        "is locked after a restart before it answers anybody (%s)",
        async (how) => {
          const { knocks, answers } = await subject.reboot(how);
          expect(knocks).toBeGreaterThan(10);
          expect(answers).toBe(0);
          expect(await subject.status()).toMatchObject(lockedStatus);
          expect(await subject.hostLog()).toMatch(/booted: the confirmed ruleset is in force\n/);
        },
      );

      test("records the peers that it denied, with the right port", async () => {
        const peer = await subject.lab.peer();
        await peer.exec(`bash -c 'echo >/dev/udp/${subject.host.ipv4}/3306'`);
        const { stdout } = await subject.host.exec("sh /var/lib/ssh-only-firewall/host.sh report");
        expect(stdout).toMatch(
          firewall === "nftables" ? new RegExp(`^in 17 ${peer.ipv4} 3306 1 `, "m") : /^in all - - \d+ /m,
        );
      });

      test("is closed again soon after its rules were flushed", async () => {
        await subject.host.exec(firewall === "nftables" ? "nft flush ruleset" : "iptables -F; ip6tables -F");
        await subject.becomes(lockedStatus);
        await subject.reachable();
      });

      test("is unlocked permanently", async () => {
        await subject.deployment.destroy();
        await subject.expectNothingLeft();
        expect((await subject.reboot()).answers).toBeGreaterThan(0);
        await subject.expectNothingLeft();
      });
    });
  },
);
