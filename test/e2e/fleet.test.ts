/** Hosts that come and go, move, and are reached in different ways. */
import type { HostProps } from "../../lib";
import { describeLab } from "../lab/describe-lab";
import { type Host, Lab } from "../lab/lab";
import { hostEntries, hostEntry } from "./support";
import { lockIdOf, lockedHosts, statusOf, TRACKERS, type TrackedDeployment, Tracking } from "./tracked";

jest.setTimeout(300_000);

describeLab("a fleet", () => {
  describe.each(TRACKERS)("with %s", (tracker) => {
    let lab: Lab;
    let tracking: Tracking;
    let plain: Host;
    let ops: Host;
    let behind: Host;
    let jump: Host;
    let other: Host;

    beforeAll(async () => {
      lab = await Lab.create({
        hosts: [
          { name: "plain" },
          { name: "ops", user: "ops", sshPort: 2222 },
          { name: "behind", firewall: "iptables-nft" },
          { name: "jump", user: "hop", sshPort: 2200 },
          { name: "other", firewall: "iptables-legacy" },
        ],
      });
      [plain, ops, behind, jump, other] = lab.hosts;
      tracking = await Tracking.with(lab, tracker);
    });
    afterAll(async () => {
      tracking?.stop();
      await lab?.destroy();
    });

    let deployment: TrackedDeployment;
    beforeEach(() => (deployment = tracking.deployment()));
    // Whatever a test left: the next one begins with open hosts.
    afterEach(async () => {
      await Promise.all(lab.hosts.map((host) => host.start()));
      await Promise.all(lab.hosts.map((host) => host.exec(openByHand)));
    });

    /** Four hosts, each reached in another way; `behind` lets only its bastion in. */
    const fourWays = (): Record<string, HostProps> => ({
      plain: hostEntry(lab, plain),
      ops: hostEntry(lab, ops),
      behind: hostEntry(lab, behind, {
        allowFrom: [jump.ipv4],
        connection: { bastion: { host: jump.ipv4, port: jump.sshPort, user: "hop" } },
      }),
      other: hostEntry(lab, other),
    });

    test.each(["plain", "ops", "behind"])("that loses %s unlocks it, and no other", async (name) => {
      const { [name]: taken, ...others } = fourWays();
      await deployment.apply({ hosts: { ...others, [name]: taken } });
      expect(await lockedHosts(lab.hosts)).toEqual(["plain", "ops", "behind", "other"]);
      const kept = lab.hosts.filter((host) => host.name in others);
      const before = await Promise.all(kept.map(lockIdOf));

      expect(await deployment.planned({ hosts: others })).toEqual(
        expect.arrayContaining([`delete hold.${name}`, `delete lockdown.${name}`]),
      );
      await deployment.apply({ hosts: others });
      expect(await lockedHosts(lab.hosts)).toEqual(kept.map((host) => host.name));
      expect(await Promise.all(kept.map(lockIdOf))).toEqual(before);
      expect((await deployment.tracked()).filter((one) => one.endsWith(`.${name}`))).toEqual([]);

      await deployment.destroy();
      expect(await lockedHosts(lab.hosts)).toEqual([]);
    });

    test("of which all hosts change, by name and way to reach them, unlocks those of before", async () => {
      await deployment.apply({ hosts: { ops: hostEntry(lab, ops) } });
      await deployment.apply({ hosts: { plain: hostEntry(lab, plain), other: hostEntry(lab, other) } });
      expect(await lockedHosts(lab.hosts)).toEqual(["plain", "other"]);
    });

    test("in which a way to reach all becomes that of one, unlocks that one when it leaves", async () => {
      const root = { connection: { user: "root" } };
      // The lab's root may log in everywhere, with the key of the user.
      await deployment.apply({ hosts: { ops: hostEntry(lab, ops) } });
      await deployment.apply({ hosts: { ops: hostEntry(lab, ops), plain: hostEntry(lab, plain, root) } });
      await deployment.apply({ hosts: { plain: hostEntry(lab, plain, root), other: hostEntry(lab, other, root) } });
      expect(await lockedHosts(lab.hosts)).toEqual(["plain", "other"]);
    });

    test("in which a host moves to another machine unlocks the old one and locks the new", async () => {
      await deployment.apply({ hosts: { moving: hostEntry(lab, plain), ops: hostEntry(lab, ops) } });
      expect(await lockedHosts(lab.hosts)).toEqual(["plain", "ops"]);
      const before = await lockIdOf(ops);

      // Another machine has another host key.
      const moved = { hosts: { moving: hostEntry(lab, other), ops: hostEntry(lab, ops) } };
      expect(await deployment.planned(moved)).toEqual(["delete,create hold.moving", "delete,create lockdown.moving"]);
      await deployment.apply(moved);
      expect(await lockedHosts(lab.hosts)).toEqual(["ops", "other"]);
      expect(await lockIdOf(ops)).toBe(before);
      expect((await statusOf(other))?.owner).not.toBe("");
    });

    test("in which a host moves to a machine with another user and port", async () => {
      await deployment.apply({ hosts: { moving: hostEntry(lab, plain), other: hostEntry(lab, other) } });
      await deployment.apply({ hosts: { moving: hostEntry(lab, ops), other: hostEntry(lab, other) } });
      expect(await lockedHosts(lab.hosts)).toEqual(["ops", "other"]);
    });

    test("that another one took a host over from does not unlock it any more", async () => {
      const later = tracking.deployment();
      const hosts = { plain: hostEntry(lab, plain) };
      await deployment.apply({ hosts });
      const owner = (await statusOf(plain))?.owner as string;

      const refused = await later.tryApply({ hosts });
      expect(refused.code).toBe(1);
      expect(words(refused)).toContain(`This host is already locked by another owner (hold ${owner}, since`);
      expect(await statusOf(plain)).toMatchObject({ state: "locked", owner });

      await later.apply({ hosts: { plain: { ...hosts.plain, takeOver: true } } });
      const taken = await statusOf(plain);
      expect(taken?.owner).not.toBe(owner);
      const { stdout } = await deployment.destroy();
      expect(stdout).toContain(`This host is locked by another owner (hold ${taken?.owner}`);
      expect(await deployment.tracked()).toEqual([]);
      expect(await statusOf(plain)).toEqual(taken);
      await later.destroy();
      expect(await lockedHosts(lab.hosts)).toEqual([]);
    });

    test("of which only the ways to reach hosts change is neither unlocked nor locked again", async () => {
      const unpinned = { hostKey: undefined };
      const before = { plain: hostEntry(lab, plain, { connection: unpinned }), ops: hostEntry(lab, ops) };
      await deployment.apply({ hosts: before });
      const ids = await Promise.all([plain, ops].map(lockIdOf));
      const after = {
        plain: hostEntry(lab, plain, { connection: { timeoutSeconds: 31, scriptPath: "./.another-%RAND%.sh" } }),
        // Root of the lab's hosts has the same key.
        ops: hostEntry(lab, ops, {
          connection: { user: "root", bastion: { host: jump.ipv4, port: 2200, user: "hop" } },
        }),
      };
      const planned = await deployment.planned({ hosts: after, allowFrom: undefined });
      expect(planned.filter((one) => /create|delete/.test(one) && !one.includes("ruleset"))).toEqual([]);
      await deployment.apply({ hosts: after });
      expect(await Promise.all([plain, ops].map(lockIdOf))).toEqual(ids);
      await deployment.destroy();
      expect(await lockedHosts(lab.hosts)).toEqual([]);
    });

    describe("of which a host does not answer", () => {
      const seconds = { connection: { timeoutSeconds: 4 } };

      test("fails to destroy, keeps that host in the state, and unlocks it once it answers", async () => {
        const hosts = { plain: hostEntry(lab, plain, seconds), ops: hostEntry(lab, ops) };
        await deployment.apply({ hosts });
        await plain.stop();
        const failed = await deployment.terraform.destroy([], { check: false });
        expect(failed.code).toBe(1);
        expect(words(failed)).toMatch(/firewall_hold\["plain"\]/);
        expect(await deployment.tracked()).toEqual(expect.arrayContaining(["hold.plain"]));
        expect(await lockedHosts([ops])).toEqual([]);

        await plain.start();
        await deployment.destroy();
        expect(await deployment.tracked()).toEqual([]);
        expect(await lockedHosts(lab.hosts)).toEqual([]);
      });

      test("goes on with unlock-if-reachable, and says so", async () => {
        const hosts = { plain: hostEntry(lab, plain, seconds), ops: hostEntry(lab, ops) };
        await deployment.apply({ hosts, onDestroy: "unlock-if-reachable" });
        await plain.stop();
        const result = await deployment.destroy();
        expect(words(result)).toMatch(/Warning: .*timeout/i);
        expect(await deployment.tracked()).toEqual([]);
        expect(await lockedHosts([ops])).toEqual([]);
        await plain.start();
        expect(await lockedHosts([plain])).toEqual(["plain"]);
      });

      test("is destroyed with leave-locked, and every host stays as it is", async () => {
        const hosts = { plain: hostEntry(lab, plain, seconds), ops: hostEntry(lab, ops) };
        await deployment.apply({ hosts, onDestroy: "leave-locked" });
        await plain.stop();
        await deployment.destroy();
        expect(await deployment.tracked()).toEqual([]);
        await plain.start();
        expect(await lockedHosts(lab.hosts)).toEqual(["plain", "ops"]);
      });
    });

    test("with an agent instead of a key file is locked and unlocked", async () => {
      const socket = `${lab.makeFolder("agent")}/socket`;
      const agent = lab.controller.spawn(["ssh-agent", "-D", "-a", socket]);
      try {
        const env = { SSH_AUTH_SOCK: socket };
        await lab.controller.exec(`until [ -S ${socket} ]; do sleep 0.1; done; ssh-add -q ${lab.privateKeyPath}`, {
          env,
        });
        const keyless = (host: Host): HostProps => {
          const { connection, ...entry } = hostEntry(lab, host);
          return { ...entry, connection: { ...connection, privateKeyPath: undefined } };
        };
        const terraform = await deployment.prepare({ hosts: { plain: keyless(plain), ops: keyless(ops) } });
        const without = await terraform.apply([], { check: false });
        expect(without.code).toBe(1);
        await terraform.apply([], { env });
        expect(await lockedHosts(lab.hosts)).toEqual(["plain", "ops"]);
        await terraform.destroy([], { env });
        expect(await lockedHosts(lab.hosts)).toEqual([]);
      } finally {
        agent.kill();
      }
    });
  });
});

/** What the host program offers somebody on the console. */
const openByHand =
  "[ ! -e /var/lib/ssh-only-firewall/host.sh ] || sh /var/lib/ssh-only-firewall/host.sh unlock >/dev/null";

/** What Terraform said, on one line, without its frames. */
function words({ stdout, stderr }: { stdout: string; stderr: string }): string {
  return `${stdout}\n${stderr}`.replace(/[│╷╵]/g, " ").replace(/\s+/g, " ");
}
