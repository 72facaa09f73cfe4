/** Hosts spread over several resources: moved from shard to shard, and locked wave by wave. */
import { DataResource, TerraformStack } from "cdktf";
import { defined } from "../support/required";
import { type HostProps, PolicyException, SshOnlyFirewall } from "../../lib/index";
import { describeLab } from "../lab/describe-lab";
import { Lab, type RunResult } from "../lab/lab";
import { synthStack, Terraform } from "../lab/terraform";
import { controllerOnly, hostEntries, hostEntry } from "./support/deployment";
import {
  lockedHosts,
  lockIdOf,
  openByHand,
  TRACKERS,
  type TrackedDeployment,
  Tracking,
  words,
} from "./support/tracked-deployment";

jest.setTimeout(300_000);

const names = ["web-1", "web-2", "db-1", "db-2"];

describeLab("a fleet of several resources", () => {
  let lab: Lab;
  const openAll = async (): Promise<void> => {
    await Promise.all(lab.hosts.map((host) => host.exec(openByHand)));
  };
  const lockIds = (): Promise<string[]> => Promise.all(lab.hosts.map(lockIdOf));

  beforeAll(async () => {
    lab = await Lab.create({ hosts: names.map((name) => ({ name })) });
  });
  afterAll(() => lab?.destroy());

  describe.each(TRACKERS)("in shards, with %s", (tracker) => {
    let tracking: Tracking;
    let deployment: TrackedDeployment;

    beforeAll(async () => {
      tracking = await Tracking.with(lab, tracker);
      deployment = tracking.deployment();
      await deployment.apply();
    });
    afterAll(async () => {
      await openAll();
      tracking?.stop();
    });

    test("is moved to another number of shards, back and forth, and nothing happens to the hosts", async () => {
      const before = await lockIds();
      for (const layout of [
        { shards: 4, movedFromShards: 1 },
        { shards: 3, movedFromShards: 4 },
        { shards: 1, movedFromShards: 3 },
        { shards: 2, movedFromShards: [4, 1] },
        { shards: 4, movedFromShards: [3, 1, 2] },
      ]) {
        expect(await deployment.planned(layout)).toEqual([]);
        await deployment.terraform.apply();
        expect(await deployment.planned({ shards: layout.shards })).toEqual([]);
      }
      expect(await lockIds()).toEqual(before);
      expect(await lockedHosts(lab.hosts)).toEqual(names);
    });

    test("unlocks the removed host, locks the added one, and touches no other", async () => {
      const { "web-1": taken, ...others } = hostEntries(lab);
      expect((await deployment.planned({ hosts: others, shards: 4 })).map(withoutShard)).toEqual([
        "delete hold.web-1",
        "delete lockdown.web-1",
      ]);
      await deployment.terraform.apply();
      expect(await lockedHosts(lab.hosts)).toEqual(["web-2", "db-1", "db-2"]);
      await deployment.apply({ hosts: { ...others, "web-1": defined(taken) }, shards: 4 });
      expect(await lockedHosts(lab.hosts)).toEqual(names);
    });

    test("unlocks the removed host while the others are moved", async () => {
      const { "web-1": taken, ...others } = hostEntries(lab);
      const before = await lockIds();
      expect((await deployment.planned({ hosts: others, shards: 3, movedFromShards: 4 })).map(withoutShard)).toEqual([
        "delete hold.web-1",
        "delete lockdown.web-1",
      ]);
      await deployment.terraform.apply();
      expect(await lockedHosts(lab.hosts)).toEqual(["web-2", "db-1", "db-2"]);
      await deployment.apply({ hosts: { ...others, "web-1": defined(taken) }, shards: 4, movedFromShards: 3 });
      expect(await lockedHosts(lab.hosts)).toEqual(names);
      expect((await lockIds()).slice(1)).toEqual(before.slice(1));
    });

    test("opens no host if movedFromShards is missing", async () => {
      const before = await lockIds();
      const refused = await deployment.tryApply({ shards: 2 });
      expect(refused.code).toBe(1);
      expect(words(refused)).toContain("An earlier run of this stack has locked this host at");
      expect(await lockIds()).toEqual(before);
      expect(await lockedHosts(lab.hosts)).toEqual(names);
    });
  });

  describe("in waves", () => {
    let tracking: Tracking;

    beforeAll(async () => {
      tracking = await Tracking.with(lab, "terraform_data");
    });
    afterEach(openAll);
    afterAll(() => tracking?.stop());

    const cable = (name: string, state: "up" | "down"): Promise<unknown> =>
      lab.controller.exec(`ip link set h${lab.host(name).ipv4.split(".")[3]} ${state}`);
    /** As Terraform is not to wait long for a host without a cable. */
    const impatient = (): Record<string, HostProps> =>
      Object.fromEntries(
        lab.hosts.map((host) => [host.name, hostEntry(lab, host, { connection: { timeoutSeconds: 10 } })]),
      );
    const layouts = [
      { name: "and no shards", shards: 1 },
      { name: "and shards", shards: 4 },
    ];

    test.each(layouts)(
      "$name, starts no wave after one that fails, and continues where it stopped",
      async ({ shards }) => {
        const deployment = tracking.deployment();
        const waves = [["web-1"], ["web-2", "db-1"]];
        const props = { waves, shards, hosts: impatient() };
        await cable("web-1", "down");
        const failed = await deployment.tryApply(props);
        await cable("web-1", "up");
        expect(failed.code).toBe(1);
        expect(await lockedHosts(lab.hosts)).toEqual([]);
        expect(locked(failed)).toEqual([]);

        const made = await deployment.apply(props);
        expect(await lockedHosts(lab.hosts)).toEqual(names);
        expect(locked(made).map(([, suffix]) => suffix.slice(0, 7))).toEqual([
          "_wave_1",
          "_wave_2",
          "_wave_2",
          suffixOf(shards),
        ]);
        await deployment.destroy();
        expect(await lockedHosts(lab.hosts)).toEqual([]);
      },
    );

    test("and shards, starts no wave after one in which a single shard fails", async () => {
      const deployment = tracking.deployment();
      // In two shards.
      const props = { waves: [["web-1", "db-1"]], shards: 4, hosts: impatient() };
      await cable("db-1", "down");
      const failed = await deployment.tryApply(props);
      await cable("db-1", "up");
      expect(failed.code).toBe(1);
      expect(locked(failed).map(([host]) => host)).toEqual(["web-1"]);
      expect(await lockedHosts(lab.hosts)).toEqual(["web-1"]);
      expect(locked(await deployment.apply(props)).map(([host]) => host)[0]).toBe("db-1");
      expect(await lockedHosts(lab.hosts)).toEqual(names);
    });

    // Terraform destroys what depends on a resource before it replaces that, so the lockdowns of later waves go first.
    test.each(TRACKERS)("with %s, keeps all hosts locked if the first wave fails during a change", async (tracker) => {
      const own = await Tracking.with(lab, tracker);
      try {
        const deployment = own.deployment();
        const props = { waves: [["web-1"]], hosts: impatient() };
        await deployment.apply(props);
        const before = await lockIds();
        const whole = await deployment.tracked();

        await cable("web-1", "down");
        const failed = await deployment.tryApply({ ...props, exceptions: [PolicyException.ping()] });
        await cable("web-1", "up");
        expect(failed.code).toBe(1);
        expect(await deployment.tracked()).toEqual(
          whole
            .filter((one) => !one.startsWith("lockdown."))
            .map((one) => (one.startsWith("lockdown_wave_1") ? `${one} (tainted)` : one)),
        );
        expect(await lockIds()).toEqual(before);
        expect(await lockedHosts(lab.hosts)).toEqual(names);

        // Taken back.
        expect((await deployment.planned(props)).filter((change) => /hold/.test(change))).toEqual([]);
        const { stdout } = await deployment.terraform.apply();
        expect(stdout).not.toContain("unlock");
        expect(await deployment.tracked()).toEqual(whole);
        expect(await deployment.planned(props)).toEqual([]);
        expect(await lockedHosts(lab.hosts)).toEqual(names);
      } finally {
        await openAll();
        own.stop();
      }
    });

    test("keeps a host closed that moves to another wave", async () => {
      const deployment = tracking.deployment();
      await deployment.apply({ waves: [["web-1"]] });
      const before = await lockIds();
      expect(await deployment.planned({ waves: [["web-2"]] })).toEqual([
        "create lockdown.web-1",
        "create lockdown_wave_1.web-2",
        "delete lockdown.web-2",
        "delete lockdown_wave_1.web-1",
      ]);
      const { stdout } = await deployment.terraform.apply();
      expect(stdout).not.toContain("unlock");
      expect(await lockedHosts(lab.hosts)).toEqual(names);
      const after = await lockIds();
      expect(after.map((id, index) => id === before[index])).toEqual([false, false, true, true]);
    });

    test("keeps what depends on the firewall waiting until all hosts are locked", async () => {
      const { folder } = synthStack(lab, (stack: TerraformStack) => {
        const firewall = new SshOnlyFirewall(stack, "firewall", {
          tracker: "terraform_data",
          allowFrom: controllerOnly,
          hosts: impatient(),
          waves: [["web-1"]],
          shards: 4,
        });
        new DataResource(stack, "after", { dependsOn: [firewall] });
      });
      const terraform = new Terraform(lab, folder);
      await terraform.init();
      await cable("db-2", "down");
      expect((await terraform.apply([], { check: false })).code).toBe(1);
      await cable("db-2", "up");
      expect(await terraform.stateList()).not.toContain("terraform_data.after");
      expect(await lockedHosts(lab.hosts)).toEqual(["web-1", "web-2", "db-1"]);
    });
  });
});

/** Which lockdowns were made, in their order: the host, and the end of the resource's name. */
function locked({ stdout }: RunResult): Array<[host: string, suffix: string]> {
  const made = /_lockdown(\S*)\["([^"]+)"\]: Creation complete/g;
  return [...stdout.matchAll(made)].map(([, suffix = "", host = ""]) => [host, suffix]);
}

const suffixOf = (shards: number): string => (shards === 1 ? "" : (expect.stringMatching(/^_4_\d$/) as string));
const withoutShard = (change: string): string => change.replace(/_4_\d\./, ".");
