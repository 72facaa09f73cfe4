/**
 * The life of a fleet with one engine: deploy, nothing to do, update, a deploy that rolls back, drift, a partial plan, destroy; and
 * states that the other engine takes over, or that are encrypted. All other tests of a lab run Terraform, so that this one runs
 * OpenTofu, with one kind of resource. `npm run test:engines` runs it, and other core tests, with each engine and each kind.
 */
import { readFileSync } from "node:fs";
import { defined } from "../support/required";
import { describeLab } from "../lab/describe-lab";
import { type Host, Lab } from "../lab/lab";
import { nullAndExternalProvider, type ProviderChoice, type Terraform, useProgram } from "../lab/terraform";
import { program } from "../cli/support/run";
import { eventually } from "../support/eventually";
import { describeWithBuilt } from "../support/describe-unless";
import { details, kinds, outcomes, reviewed, type Reviewed } from "./support/describe-reviews";
import { controllerOnly, type DeploymentProps, hostEntries, hostEntry } from "./support/deployment";
import { isAtRest } from "./support/drill";
import { verdictOf } from "../../lib/review/markdown";
import { lockedHosts, lockIdOf, statusOf, TRACKERS, TrackedDeployment } from "./support/tracked-deployment";

jest.setTimeout(300_000);

const { SSH_ONLY_LAB_TERRAFORM: wish } = process.env;
const CHOSEN = wish ?? "tofu";
const NAMES = ["web-1", "web-2", "web-3"];
const oneMore = [...controllerOnly, "198.51.100.7"];
const detecting = { detectDrift: true, driftProgram: program("ssh-only-firewall", "drift") } as const;

/** A deployment with the providers that it needs, and commands of this package about it. */
class Fleet extends TrackedDeployment {
  public static async with(lab: Lab, tracker: (typeof TRACKERS)[number], env = {}): Promise<Fleet> {
    const folder = (): string => fleet.stack.folder;
    const provider = await nullAndExternalProvider(lab, folder);
    const fleet: Fleet = new Fleet(lab, tracker, { ...provider, env: { ...provider.env, ...env } });
    return fleet;
  }

  private constructor(
    private readonly at: Lab,
    tracker: (typeof TRACKERS)[number],
    private readonly providers: ProviderChoice,
  ) {
    super(at, tracker, providers);
  }

  public stop(): void {
    this.providers.stop();
  }

  /** The review of a plan, which is applied by `applied`. */
  public async review(props: DeploymentProps, ...args: readonly string[]): Promise<Reviewed> {
    const terraform = await this.prepare(props);
    const { stdout, file } = await terraform.plan(args);
    const json = (await terraform.run(["show", "-json", file])).stdout;
    return reviewed({ json, text: stdout });
  }

  /** A command of this package, where a user runs it. */
  public async command(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const { folder, environment } = this.terraform;
    return this.at.controller.exec(program("ssh-only-firewall", ...args), {
      cwd: folder,
      env: environment,
      check: false,
    });
  }
}

/** What a review says, without what no two runs have in common. */
const comparable = ({ markdown }: Reviewed): string => markdown.replace(/^Fingerprint.*$/gm, "");
const earlier = new Map<string, string>();

/** The same, whatever it runs on. */
function expectSame(what: string, found: string): void {
  expect(found).toBe(earlier.get(what) ?? found);
  earlier.set(what, found);
}

const rulesOf = async (hosts: readonly Host[]): Promise<string> =>
  (await Promise.all(hosts.map((host) => host.rules()))).join("\n");

function testLife(engine: string): void {
  let lab: Lab;
  beforeAll(async () => {
    useProgram(engine);
    lab = await Lab.create({ hosts: NAMES.map((name) => ({ name })) });
  });
  afterAll(() => lab?.destroy());

  describe.each(wish === undefined ? ["null_resource" as const] : TRACKERS)("with %s", (tracker) => {
    let fleet: Fleet;
    beforeAll(async () => {
      fleet = await Fleet.with(lab, tracker);
    });
    afterAll(() => fleet?.stop());
    const hosts = () => ({ hosts: hostEntries(lab) });

    test("is locked, and locked by nothing else on a second deploy", async () => {
      const first = await fleet.review(hosts());
      expect(kinds(first)).toEqual([]);
      expectSame("first", comparable(first));
      await fleet.apply(hosts());
      expect(await lockedHosts(lab.hosts)).toEqual(NAMES);
      expectSame("rules", await rulesOf(lab.hosts));
      const again = await fleet.review(hosts());
      expect(verdictOf(again)).toBe("Nothing to do. Of 3 hosts: 3 unchanged.");
      expect(await fleet.command("status", "--live", "--no-probe")).toMatchObject({ code: 0, stderr: "" });
      const { code, stdout } = await fleet.command("report", "--json");
      const asked = (JSON.parse(stdout) as { asked: number }).asked;
      expect({ code, asked }).toEqual({ code: 0, asked: 3 });
    });

    test("is updated in one step, by the plan that was reviewed", async () => {
      const review = await fleet.review({ ...hosts(), allowFrom: oneMore });
      expect(outcomes(review)).toEqual(Object.fromEntries(NAMES.map((name) => [name, "relock"])));
      expectSame("update", comparable(review));
      await fleet.apply({ ...hosts(), allowFrom: oneMore });
      expectSame("rules, updated", await rulesOf(lab.hosts));
    });

    test("is not called harmless by a plan that leaves a part of it out", async () => {
      const excluded = [`-exclude=${tracker}.firewall_lockdown["web-2"]`];
      const targeted = [`-target=${tracker}.firewall_lockdown["web-1"]`];
      for (const args of engine === "terraform" ? [targeted] : [targeted, excluded]) {
        const review = await fleet.review(hosts(), ...args);
        expect(details(review, "incomplete")).toContain("web-2: this plan leaves it out, or a part of it");
        expect(verdictOf(review)).toMatch(/^Dangerous/);
      }
    });

    test("rolls a host back that a deploy cuts off, keeps its earlier rules, and is mended by the next deploy", async () => {
      const [, host] = lab.hosts;
      const before = await defined(host).rules();
      // Terraform dials the port that sshd has, whatever the policy says.
      const cutOff = hostEntry(lab, defined(host), { sshPort: 2222, connection: { port: 22 } });
      const drill = { allowFrom: oneMore, confirmWithinSeconds: 10, skipPreflight: true };
      const { code } = await fleet.tryApply({ ...drill, hosts: { ...hostEntries(lab), "web-2": cutOff } });
      expect(code).toBe(1);
      await eventually("web-2 has come to rest", () => isAtRest(defined(host)), { seconds: 100 });
      expect(await defined(host).rules()).toBe(before);
      expect(await fleet.tracked()).toContain("lockdown.web-2 (tainted)");
      expect((await fleet.command("status")).code).toBe(2);
      await fleet.apply({ ...hosts(), allowFrom: oneMore });
      expect(await lockedHosts(lab.hosts)).toEqual(NAMES);
    });

    test("is locked again where a plan finds that a host has drifted", async () => {
      const drifting = { ...hosts(), allowFrom: oneMore, persist: false, ...detecting };
      await (await fleet.prepare(drifting)).init();
      await fleet.apply(drifting);
      const before = await lockIdOf(lab.host("web-1"));
      await lab.host("web-3").exec("nft delete table inet ssh_only_firewall");
      const review = await fleet.review(drifting);
      expect(kinds(review)).toEqual([]);
      expect(outcomes(review)).toEqual({ "web-1": "stay", "web-2": "stay", "web-3": "relock" });
      expectSame("drift", comparable(review));
      await fleet.apply(drifting);
      expect(await lockedHosts(lab.hosts)).toEqual(NAMES);
      expect(await lockIdOf(lab.host("web-1"))).toBe(before);
    });

    test("is unlocked by a destroy, and out of the state", async () => {
      expectSame("destroy", comparable(await fleet.review(hosts(), "-destroy")));
      await fleet.destroy();
      expect(await lockedHosts(lab.hosts)).toEqual([]);
      expect(await fleet.terraform.stateList()).toEqual([]);
    });
  });
}

/** Takes over the state in the same folder, as somebody does who changes the program. */
async function taken(fleet: Fleet, by: string): Promise<Terraform> {
  useProgram(by);
  await fleet.terraform.init();
  return fleet.terraform;
}

function testTakeOver(): void {
  let lab: Lab;
  beforeAll(async () => {
    useProgram("terraform");
    lab = await Lab.create({ hosts: NAMES.map((name) => ({ name })) });
  });
  afterAll(() => lab?.destroy());

  const trackers = wish === undefined ? (["terraform_data"] as const) : TRACKERS;
  test.each(trackers)("is taken over from Terraform by OpenTofu and back, with %s", async (tracker) => {
    useProgram("terraform");
    const fleet = await Fleet.with(lab, tracker);
    const props = { hosts: hostEntries(lab) };
    await fleet.apply(props);
    const owners = async () => (await Promise.all(lab.hosts.map(statusOf))).map((status) => status?.owner);
    const before = { owners: await owners(), locks: await Promise.all(lab.hosts.map(lockIdOf)) };

    const tofu = await taken(fleet, "tofu");
    expect((await tofu.plan()).hasChanges).toBe(false);
    await fleet.apply({ ...props, allowFrom: oneMore });
    expect(await owners()).toEqual(before.owners);
    expect(await Promise.all(lab.hosts.map(lockIdOf))).not.toEqual(before.locks);
    expect(await fleet.command("status")).toMatchObject({ code: 0, stderr: "" });

    const terraform = await taken(fleet, "terraform");
    expect((await terraform.plan()).hasChanges).toBe(false);
    expect(await fleet.command("status")).toMatchObject({ code: 0, stderr: "" });
    await fleet.destroy();
    expect(await lockedHosts(lab.hosts)).toEqual([]);
    fleet.stop();
  });

  test.each(trackers)("is encrypted in its state and plans, and read with the key alone, with %s", async (tracker) => {
    useProgram("tofu");
    const fleet = await Fleet.with(lab, tracker, { TF_ENCRYPTION: encryption("a passphrase of this test") });
    await fleet.apply({ hosts: hostEntries(lab) });
    expect(await lockedHosts(lab.hosts)).toEqual(NAMES);
    const { folder, environment } = fleet.terraform;
    const state = defined(/"path": "(.*tfstate)"/.exec(fleet.stack.json)?.[1]);
    expect(readFileSync(state, "utf8")).toMatch(/"encrypted_data"/);

    const { code, stdout } = await fleet.command("status", "--json");
    expect([code, (JSON.parse(stdout) as { hosts: unknown[] }).hosts.length]).toEqual([0, 3]);
    const { file } = await (await fleet.prepare({ hosts: hostEntries(lab), allowFrom: oneMore })).plan();
    expect(readFileSync(file, "utf8")).toMatch(/"encrypted_data"/);
    const review = await fleet.command("review", file, "--fail-on", "none");
    expect(review).toMatchObject({ code: 0, stderr: "" });
    expect(review.stdout).toContain("**Nothing dangerous. Of 3 hosts: 3 locked again.**");

    const elsewhere = (TF_ENCRYPTION: string): ReturnType<Fleet["command"]> =>
      lab.controller.exec(program("ssh-only-firewall", "status"), {
        cwd: folder,
        env: { ...environment, TF_ENCRYPTION },
        check: false,
      });
    for (const key of ["", encryption("another passphrase")]) {
      expect(await elsewhere(key)).toMatchObject({
        code: 1,
        stdout: "",
        stderr: expect.stringContaining("give it the key that the state is encrypted with: TF_ENCRYPTION, or"),
      });
    }
    await fleet.destroy();
    expect(await lockedHosts(lab.hosts)).toEqual([]);
    fleet.stop();
  });
}

const encryption = (passphrase: string): string =>
  JSON.stringify({
    key_provider: { pbkdf2: { main: { passphrase } } },
    method: { aes_gcm: { main: { keys: "${key_provider.pbkdf2.main}" } } },
    state: { method: "method.aes_gcm.main" },
    plan: { method: "method.aes_gcm.main" },
  });

if (CHOSEN === "tofu") {
  describeWithBuilt("tofu", "a fleet of OpenTofu", () => describeLab("in a lab", () => testLife("tofu")));
} else {
  describeLab(`a fleet of ${CHOSEN}`, () => testLife(CHOSEN), { needs: "terraform" });
}
describeWithBuilt("tofu", "a state", () => describeLab("in a lab", testTakeOver, { needs: "terraform" }));
