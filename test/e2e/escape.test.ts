/** Names that mean something to a shell, to Terraform or to JavaScript, all the way to real hosts and back. */
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { defined } from "../support/required";
import type { HostProps } from "../../lib/index";
import { describeLab } from "../lab/describe-lab";
import { type Host, Lab } from "../lab/lab";
import { hostEntry } from "./support/deployment";
import { lockedHosts, statusOf, TRACKERS, Tracking } from "./support/tracked-deployment";

jest.setTimeout(300_000);

describeLab("a deploy", () => {
  describe.each(TRACKERS)("with %s", (tracker) => {
    let lab: Lab;
    let tracking: Tracking;

    beforeAll(async () => {
      lab = await Lab.create({
        hosts: ["one", "two", "three", "four"].map((name, index) => ({
          name,
          user: index === 3 ? "ops" : "root",
          shell: (["dash", "bash", "busybox", "dash"] as const)[index],
        })),
      });
      tracking = await Tracking.with(lab, tracker);
    });
    afterAll(async () => {
      tracking?.stop();
      await lab?.destroy();
    });

    const keyNamed = (name: string): string => {
      const folder = join(lab.makeFolder("keys"), name);
      mkdirSync(folder);
      copyFileSync(lab.privateKeyPath, join(folder, name));
      return join(folder, name);
    };

    async function locksAndUnlocks(hosts: Record<string, HostProps>): Promise<void> {
      const deployment = tracking.deployment();
      await deployment.apply({ hosts });
      const names = await Promise.all(lab.hosts.map(async (host) => (await statusOf(host))?.state));
      expect(names).toEqual(["locked", "locked", "locked", "locked"]);
      expect((await (await deployment.prepare({ hosts })).plan()).hasChanges).toBe(false);
      await deployment.destroy();
      expect(await lockedHosts(lab.hosts)).toEqual([]);
    }

    test("accepts any valid host name", async () => {
      const names = ["constructor", "1e3", "A.b_c-D.example", "x".repeat(63)];
      const entries = names.map((name, index) => [name, hostEntry(lab, defined(lab.hosts[index]))] as const);
      const hosts = Object.fromEntries(entries);
      const deployment = tracking.deployment();
      await deployment.apply({ hosts });
      const meta = (host: Host) => host.exec("sed -n 's/^host=//p' /var/lib/ssh-only-firewall/records/*/meta");
      expect(await Promise.all(lab.hosts.map(async (host) => (await meta(host)).stdout.trim()))).toEqual(names);
      const others = Object.fromEntries(entries.slice(1));
      await deployment.apply({ hosts: others });
      expect(await lockedHosts(lab.hosts)).toEqual(["two", "three", "four"]);
      await deployment.destroy();
      expect(await lockedHosts(lab.hosts)).toEqual([]);
    });

    const strange = "a key $HOME $(id) %d %s #1 ;&|<>*?[x] {y} !~=+^@,: ü 한 😀";

    test("finds a shared private key, whatever its path", async () => {
      const privateKeyPath = keyNamed(strange);
      const entries = lab.hosts.map((host) => [host.name, hostEntry(lab, host, { connection: { privateKeyPath } })]);
      await locksAndUnlocks(Object.fromEntries(entries) as Record<string, HostProps>);
    });

    test("finds the private key of each host, whatever its path", async () => {
      const entries = lab.hosts.map((host, index) => {
        const privateKeyPath = keyNamed(`${strange} ${index}`);
        return [host.name, hostEntry(lab, host, { connection: { privateKeyPath } })];
      });
      await locksAndUnlocks(Object.fromEntries(entries) as Record<string, HostProps>);
    });

    test("accepts host keys with a comment, and script paths of all kinds", async () => {
      const scripts = ["/var/tmp/run-%RAND%.sh", "./%RAND%", "../%RAND%-a_b+c.sh", "/tmp/x%RAND%%RAND%"];
      const entries = lab.hosts.map((host, index) => {
        const connection = { hostKey: `${host.hostKey} root@wëb$1`, scriptPath: scripts[index] };
        return [host.name, hostEntry(lab, host, { connection })];
      });
      await locksAndUnlocks(Object.fromEntries(entries) as Record<string, HostProps>);
    });
  });
});
