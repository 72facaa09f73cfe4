/** Hosts that come and go, move, and are reached in different ways. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defined, items } from "../support/required";
import type { HostProps } from "../../lib/index";
import { eventually } from "../support/eventually";
import { hostsIn } from "../../lib/state/hosts";
import { readState } from "../../lib/state/state";
import { describeLab } from "../lab/describe-lab";
import { type Host, Lab } from "../lab/lab";
import { type EntryOverrides, hostEntry } from "./support/deployment";
import {
  lockIdOf,
  lockedHosts,
  openByHand,
  statusOf,
  TRACKERS,
  type TrackedDeployment,
  Tracking,
  words,
} from "./support/tracked-deployment";

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
      [plain, ops, behind, jump, other] = items(lab.hosts, 5);
      tracking = await Tracking.with(lab, tracker);
    });
    afterAll(async () => {
      tracking?.stop();
      await lab?.destroy();
    });

    /** Pulls the host's network cable out, or puts it back in. */
    const cable = (host: Host, state: "up" | "down"): Promise<unknown> =>
      lab.controller.exec(`ip link set h${host.ipv4.split(".")[3]} ${state}`);

    let deployment: TrackedDeployment;
    beforeEach(() => (deployment = tracking.deployment()));
    // Whatever a test left: the next one begins with open hosts.
    afterEach(async () => {
      await Promise.all(lab.hosts.map((host) => host.exec(openByHand)));
    });

    /** Four hosts, each reached in another way; `behind` lets only its bastion in. */
    const fourWays = (): Record<string, HostProps> => ({
      plain: hostEntry(lab, plain),
      ops: hostEntry(lab, ops),
      behind: hostEntry(lab, behind, {
        allowFrom: [jump.ipv4],
        // Terraform before 1.15 compares the bastion's key with that of the host.
        connection: { hostKey: undefined, bastion: { host: jump.ipv4, port: jump.sshPort, user: "hop" } },
      }),
      other: hostEntry(lab, other),
    });

    test.each(["plain", "ops", "behind"])("that loses %s unlocks it, and no other", async (name) => {
      const { [name]: taken, ...others } = fourWays();
      await deployment.apply({ hosts: { ...others, [name]: defined(taken) } });
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

    test("whose hosts and connections all change unlocks the previous hosts", async () => {
      await deployment.apply({ hosts: { ops: hostEntry(lab, ops) } });
      await deployment.apply({ hosts: { plain: hostEntry(lab, plain), other: hostEntry(lab, other) } });
      expect(await lockedHosts(lab.hosts)).toEqual(["plain", "other"]);
    });

    test("whose shared connection becomes that of one host unlocks that host when it is removed", async () => {
      const root = { connection: { user: "root" } };
      // The lab's root may log in everywhere, with the key of the user.
      await deployment.apply({ hosts: { ops: hostEntry(lab, ops) } });
      await deployment.apply({ hosts: { ops: hostEntry(lab, ops), plain: hostEntry(lab, plain, root) } });
      await deployment.apply({ hosts: { plain: hostEntry(lab, plain, root), other: hostEntry(lab, other, root) } });
      expect(await lockedHosts(lab.hosts)).toEqual(["plain", "other"]);
    });

    test("whose host moves to another machine unlocks the old one and locks the new one", async () => {
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

    test("whose host moves to a machine with another user and port locks it there", async () => {
      await deployment.apply({ hosts: { moving: hostEntry(lab, plain), other: hostEntry(lab, other) } });
      await deployment.apply({ hosts: { moving: hostEntry(lab, ops), other: hostEntry(lab, other) } });
      expect(await lockedHosts(lab.hosts)).toEqual(["ops", "other"]);
    });

    test("whose host another fleet has taken over no longer unlocks it", async () => {
      const later = tracking.deployment();
      const hosts = { plain: hostEntry(lab, plain) };
      await deployment.apply({ hosts });
      const owner = (await statusOf(plain))?.owner as string;

      const refused = await later.tryApply({ hosts });
      expect(refused.code).toBe(1);
      expect(words(refused)).toMatch(
        new RegExp(`An earlier run of this stack has locked this host at .* \\(hold ${owner}, `),
      );
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

    test("whose connections alone change is neither unlocked nor locked again", async () => {
      const unpinned = { connection: { hostKey: undefined } };
      await deployment.apply({
        hosts: { plain: hostEntry(lab, plain, unpinned), ops: hostEntry(lab, ops, unpinned) },
      });
      const ids = await Promise.all([plain, ops].map(lockIdOf));
      const after = {
        plain: hostEntry(lab, plain, { connection: { timeoutSeconds: 31, scriptPath: "./.another-%RAND%.sh" } }),
        // Root of the lab's hosts has the same key.
        ops: hostEntry(lab, ops, { connection: { user: "root" } }),
      };
      const updates = tracker === "null_resource" ? [] : ["update hold.ops", "update hold.plain"];
      expect(await deployment.planned({ hosts: after })).toEqual(updates);
      await deployment.apply({ hosts: after });
      expect(await Promise.all([plain, ops].map(lockIdOf))).toEqual(ids);
      await deployment.destroy();
      expect(await lockedHosts(lab.hosts)).toEqual([]);
    });

    describe("with a host that does not answer", () => {
      const seconds = { connection: { timeoutSeconds: 4 } };
      const hosts = (): Record<string, HostProps> => ({
        plain: hostEntry(lab, plain, seconds),
        ops: hostEntry(lab, ops),
      });
      afterEach(() => cable(plain, "up"));

      test("fails to destroy, keeps that host in the state, and unlocks it once it answers", async () => {
        await deployment.apply({ hosts: hosts() });
        await cable(plain, "down");
        const failed = await deployment.terraform.destroy([], { check: false });
        expect(failed.code).toBe(1);
        expect(words(failed)).toMatch(/Error: remote-exec provisioner error with \w+\.firewall_hold\["plain"\]/);
        expect((await deployment.tracked()).filter((one) => !one.startsWith("ruleset."))).toEqual(["hold.plain"]);
        expect(await lockedHosts(lab.hosts)).toEqual(["plain"]);

        await cable(plain, "up");
        await deployment.destroy();
        expect(await deployment.tracked()).toEqual([]);
        expect(await lockedHosts(lab.hosts)).toEqual([]);
      });

      // Terraform says nothing of the host that it did not reach.
      test("continues with unlock-if-reachable, and only unlocked hosts report it", async () => {
        await deployment.apply({ hosts: hosts(), onDestroy: "unlock-if-reachable" });
        await cable(plain, "down");
        const said = words(await deployment.destroy());
        expect(said).toMatch(/firewall_hold\["ops"\] \(remote-exec\): ssh-only-firewall: [^.]*unlocked/i);
        expect(said).not.toMatch(/firewall_hold\["plain"\] \(remote-exec\): ssh-only-firewall/);
        expect(await deployment.tracked()).toEqual([]);
        expect(await lockedHosts(lab.hosts)).toEqual(["plain"]);
      });

      test("is destroyed with leave-locked, and every host stays locked", async () => {
        await deployment.apply({ hosts: hosts(), onDestroy: "leave-locked" });
        await cable(plain, "down");
        await deployment.destroy();
        expect(await deployment.tracked()).toEqual([]);
        expect(await lockedHosts(lab.hosts)).toEqual(["plain", "ops"]);
      });
    });

    test("does not lock a machine that shows another host key than the pinned one", async () => {
      const impostor = hostEntry(lab, plain, { connection: { hostKey: ops.hostKey, timeoutSeconds: 4 } });
      const failed = await deployment.tryApply({ hosts: { plain: impostor } });
      expect(failed.code).toBe(1);
      expect(words(failed)).toContain("knownhosts: key mismatch");
      expect(await lockedHosts(lab.hosts)).toEqual([]);
    });

    test("is locked and unlocked with an agent instead of a key file", async () => {
      const socket = `${lab.makeFolder("agent")}/socket`;
      const agent = lab.controller.spawn(["ssh-agent", "-D", "-a", socket]);
      try {
        const env = { SSH_AUTH_SOCK: socket };
        await eventually("the agent listens", () => existsSync(socket));
        await lab.controller.exec(["ssh-add", "-q", lab.privateKeyPath], { env });
        const keyless = (host: Host): HostProps => {
          return hostEntry(lab, host, { connection: { privateKeyPath: undefined } });
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

describeLab("a fleet of which two hosts do not answer", () => {
  test.each([
    [40, "null_resource"],
    [14, "terraform_data"],
  ] as const)("of %d locks the others with %s, names the two, and locks them next", async (size, tracker) => {
    const names = Array.from({ length: size }, (_, index) => `host-${String(index + 1).padStart(2, "0")}`);
    const lab = await Lab.create({ hosts: names.map((name) => ({ name })) });
    const tracking = await Tracking.with(lab, tracker);
    try {
      const silent = ["host-07", "host-13"];
      const others = names.filter((name) => !silent.includes(name));
      const two = silent.map((name) => lab.host(name));
      const entry = (host: Host): HostProps =>
        hostEntry(lab, host, silent.includes(host.name) ? { connection: { timeoutSeconds: 5 } } : {});
      const hosts = Object.fromEntries(lab.hosts.map((host) => [host.name, entry(host)]));
      const deployment = tracking.deployment();
      await Promise.all(two.map((host) => host.stop()));

      const first = await deployment.tryApply({ hosts });
      expect(first.code).toBe(1);
      const reported = [
        ...words(first).matchAll(/Error: remote-exec provisioner error with \w+\.firewall_lockdown\["([^"]+)"\]/g),
      ];
      expect(reported.map(([, name]) => name).sort()).toEqual(silent);
      expect(await lockedHosts(others.map((name) => lab.host(name)))).toEqual(others);
      const lockdowns = (await deployment.tracked()).filter((one) => one.startsWith("lockdown."));
      const untouched = lockdowns.filter((one) => !one.endsWith(" (tainted)"));
      expect(untouched.sort()).toEqual(others.map((name) => `lockdown.${name}`));
      const { stdout } = await deployment.terraform.run(["state", "pull"]);
      const locked = hostsIn(readState(stdout)).filter(({ claim }) => claim === "locked");
      expect(locked.map(({ key }) => key)).toEqual(others);
      const ids = await Promise.all(others.map((name) => lockIdOf(lab.host(name))));

      await Promise.all(two.map((host) => host.start()));
      expect(await lockedHosts(two)).toEqual([]);
      expect(await deployment.planned({ hosts })).toEqual(silent.map((name) => `delete,create lockdown.${name}`));
      await deployment.apply({ hosts });
      expect(await lockedHosts(lab.hosts)).toEqual(names);
      expect(await Promise.all(others.map((name) => lockIdOf(lab.host(name))))).toEqual(ids);
      expect(await deployment.planned({ hosts })).toEqual([]);
      await deployment.destroy();
      expect(await lockedHosts(lab.hosts)).toEqual([]);
    } finally {
      tracking.stop();
      await lab.destroy();
    }
  });
});

type Bastion = NonNullable<NonNullable<EntryOverrides["connection"]>["bastion"]>;

describeLab("a host behind a bastion with a user, port and key of its own", () => {
  let lab: Lab;
  let tracking: Tracking;
  let inner: Host;
  let jump: Host;
  let bastionKey: string;

  beforeAll(async () => {
    lab = await Lab.create({
      hosts: [
        { name: "inner", user: "ops" },
        { name: "jump", user: "hop", sshPort: 2200 },
      ],
    });
    [inner, jump] = items(lab.hosts, 2);
    tracking = await Tracking.with(lab, "terraform_data");
    bastionKey = await keyIn(lab, "bastion");
    // Each lets only its own key in.
    await jump.exec("cat >/home/hop/.ssh/authorized_keys", { input: readFileSync(`${bastionKey}.pub`) });
  });
  afterAll(() => lab?.destroy());

  const entry = (bastion: Bastion, hostKey?: string): HostProps =>
    hostEntry(lab, inner, {
      allowFrom: [jump.ipv4],
      connection: {
        timeoutSeconds: 8,
        hostKey,
        bastion: { host: jump.ipv4, port: 2200, user: "hop", privateKeyPath: bastionKey, ...bastion },
      },
    });

  test("is locked and unlocked through it, and cannot be reached past it", async () => {
    const deployment = tracking.deployment();
    await deployment.apply({ hosts: { inner: entry({}) } });
    expect(await lockedHosts([inner, jump])).toEqual(["inner"]);
    expect((await inner.ssh("id", { check: false, options: ["ConnectTimeout=2"] })).code).toBe(255);
    await deployment.destroy();
    expect(await lockedHosts([inner, jump])).toEqual([]);
  });

  test.each<[string, Bastion]>([
    ["user", { user: "root" }],
    ["port", { port: 22 }],
    ["key", { privateKeyPath: undefined }],
  ])("is not reached with the %s of the host", async (_, bastion) => {
    const failed = await tracking.deployment().tryApply({ hosts: { inner: entry(bastion) } });
    expect(failed.code).toBe(1);
    expect(words(failed)).toMatch(/Error connecting to bastion|bastion/);
    expect(await lockedHosts([inner, jump])).toEqual([]);
  });

  test("is not locked by a connection past the bastion if allowFrom has only the bastion", async () => {
    const direct = hostEntry(lab, inner, { allowFrom: [jump.ipv4] });
    const failed = await tracking.deployment().tryApply({ hosts: { inner: direct } });
    expect(words(failed)).toContain(`You came from 10.77.0.1, which allowFrom does not cover (${jump.ipv4})`);
    expect(await lockedHosts([inner, jump])).toEqual([]);
  });
});

describeLab("a host that trusts a certificate authority", () => {
  test("is locked and unlocked with a key and its certificate", async () => {
    const lab = await Lab.create({ hosts: [{ name: "signed" }] });
    const tracking = await Tracking.with(lab, "terraform_data");
    try {
      const [host] = items(lab.hosts, 1);
      const [authority, key] = [await keyIn(lab, "authority"), await keyIn(lab, "user")];
      await lab.controller.exec(["ssh-keygen", "-q", "-s", authority, "-I", "test", "-n", "root", `${key}.pub`]);
      const trusted = `cert-authority ${readFileSync(`${authority}.pub`, "utf8")}`;
      await host.exec("cat >~/.ssh/authorized_keys", { input: trusted });
      const entry = (certificatePath?: string): HostProps =>
        hostEntry(lab, host, { connection: { privateKeyPath: key, certificatePath, timeoutSeconds: 5 } });

      expect((await tracking.deployment().tryApply({ hosts: { signed: entry() } })).code).toBe(1);
      const deployment = tracking.deployment();
      await deployment.apply({ hosts: { signed: entry(`${key}-cert.pub`) } });
      expect(await lockedHosts([host])).toEqual(["signed"]);
      await deployment.destroy();
      expect(await lockedHosts([host])).toEqual([]);
    } finally {
      await lab.destroy();
    }
  });
});

/** A new key pair in a folder of the lab; the path of the private one. */
async function keyIn(lab: Lab, name: string): Promise<string> {
  const file = join(lab.makeFolder("key"), name);
  await lab.controller.exec(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file]);
  return file;
}
