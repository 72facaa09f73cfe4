/** Deploys that are killed: what the state says of their hosts, and that the next deploy mends it. */
import { readPlan } from "../../../lib/review/plan";
import { reviewPlan } from "../../../lib/review/review";
import { hostsIn } from "../../../lib/state/hosts";
import { readState } from "../../../lib/state/state";
import type { HostProps, TrackerKind } from "../../../lib/index";
import { type Host, Lab } from "../../lab/lab";
import { eventually } from "../../support/eventually";
import { defined, items } from "../../support/required";
import { type DeploymentProps, hostEntries } from "./deployment";
import { Apply, holdLogins, isPending, lockdowns, stateFile } from "./drill";
import { lockedHosts, statusOf, type TrackedDeployment, Tracking, words } from "./tracked-deployment";

const NAMES = ["web-1", "web-2", "web-3"];
const drill = { confirmWithinSeconds: 10 };

/** What a state says of its hosts. */
async function claims(deployment: TrackedDeployment): Promise<Record<string, string>> {
  const { stdout } = await deployment.terraform.run(["state", "pull"]);
  return Object.fromEntries(hostsIn(readState(stdout)).map(({ key, claim }) => [key, claim]));
}

export interface KilledDeploys {
  readonly tracker: TrackerKind;
  /** What the state says of web-1 and web-3, which had confirmed before. */
  readonly othersAre: "locked" | "unconfirmed";
}

/** Three hosts, of which web-2 lets nobody confirm while its logins are held. */
export function testKilledDeploys({ tracker, othersAre }: KilledDeploys): void {
  let lab: Lab;
  let tracking: Tracking;
  let deployment: TrackedDeployment;
  let held: Host;
  let others: readonly Host[];
  const props = (persist = true): DeploymentProps => {
    const hosts = hostEntries(lab);
    return { ...drill, hosts: { ...hosts, "web-1": { ...defined(hosts["web-1"]), persist } } };
  };

  beforeAll(async () => {
    lab = await Lab.create({ hosts: NAMES.map((name) => ({ name, provision: holdLogins })) });
    tracking = await Tracking.with(lab, tracker);
    deployment = tracking.deployment();
    const [one, two, three] = items(lab.hosts, 3);
    held = two;
    others = [one, three];
    await Promise.all(others.map((host) => host.exec("rm /run/hold-logins")));
  });

  afterAll(async () => {
    tracking?.stop();
    await lab?.destroy();
  });

  /**
   * Kills a deploy that waits for web-2 alone, once the state on the disk has its lockdown or relock: Terraform writes a state
   * when something is done.
   * @param later hosts that are confirmed only after that
   */
  async function killWhileWaiting(isInState: () => Promise<boolean>, later: readonly Host[] = []): Promise<void> {
    await Promise.all([held, ...later].map((host) => host.exec(": >/run/hold-logins")));
    const apply = Apply.start(lab, await deployment.prepare(props(later.length === 0)));
    await eventually("web-2 is pending", () => isPending(held));
    await Promise.all(later.map((host) => host.exec("rm /run/hold-logins")));
    await eventually("the others are confirmed", () => others.every((host) => stateFile(host, "confirmed")));
    await eventually("the state has it", isInState);
    await apply.kill();
    await eventually("web-2 has rolled back", () => !isPending(held), { seconds: 60 });
    await held.exec("rm -f /run/hold-logins");
  }

  async function outcomes(): Promise<Record<string, string>> {
    const { file } = await (await deployment.prepare(props())).plan();
    const plan = readPlan(Buffer.from(JSON.stringify(await deployment.terraform.showJson(file))));
    const { hosts, dangers, others: elsewhere } = reviewPlan(plan);
    expect([dangers.map(({ kind }) => kind), [...elsewhere]]).toEqual([["cut-off"], []]);
    return Object.fromEntries(hosts.map(({ key, outcome }) => [key, outcome]));
  }

  test("leaves a lockdown that looks whole, of which neither the state nor a plan says that its host is locked", async () => {
    await killWhileWaiting(async () => "web-2" in (await lockdowns(deployment.terraform).catch(() => ({}))));
    expect(await lockdowns(deployment.terraform)).toMatchObject({ "web-2": "healthy" });
    expect((await statusOf(held))?.state).toBe("open");
    expect(await claims(deployment)).toEqual({ "web-1": othersAre, "web-2": "unconfirmed", "web-3": othersAre });
    const other = othersAre === "locked" ? "stay" : "again";
    expect(await outcomes()).toEqual({ "web-1": other, "web-2": "again", "web-3": other });
  });

  test("and again in the next leaves an error that names the host and a command that mends it", async () => {
    const isAlone = othersAre === "locked";
    const has = async (): Promise<boolean> => (await deployment.tracked()).includes("relock.web-2");
    await killWhileWaiting(has, isAlone ? others.slice(0, 1) : []);
    expect((await claims(deployment))["web-2"]).toBe("unconfirmed");
    const failed = await (
      await deployment.prepare(props(!isAlone))
    ).run(["plan", "-no-color", "-input=false"], { check: false });
    expect(failed.code).toBe(1);
    const command = /Run: terraform (apply -replace='[^']*\["web-2"\]')/.exec(words(failed))?.[1];
    expect(command).toBeDefined();
    const replace = [...words(failed).matchAll(/-replace='([^']*)'/g)].map(([, address]) => `-replace=${address}`);
    await deployment.terraform.apply(replace);
    expect(await claims(deployment)).toEqual({ "web-1": "locked", "web-2": "locked", "web-3": "locked" });
    expect(await lockedHosts(lab.hosts)).toEqual(NAMES);
    expect(await deployment.planned(props(!isAlone))).toEqual([]);
  });

  test("once is mended by the next, which asks nobody", async () => {
    await deployment.destroy();
    await killWhileWaiting(async () => "web-2" in (await lockdowns(deployment.terraform).catch(() => ({}))));
    const next = await deployment.apply(props());
    expect(await claims(deployment)).toEqual({ "web-1": "locked", "web-2": "locked", "web-3": "locked" });
    expect(await lockedHosts(lab.hosts)).toEqual(NAMES);
    expect(next.stdout.includes("confirmed already")).toBe(othersAre === "unconfirmed");
    expect((await (await deployment.prepare(props())).plan()).hasChanges).toBe(false);
  });

  test("is mended by the next also where another host fails", async () => {
    await deployment.destroy();
    await killWhileWaiting(async () => "web-2" in (await lockdowns(deployment.terraform).catch(() => ({}))));
    const [, refusing] = items(others, 2);
    // A change of web-3, which fails before it changes anything.
    await refusing.exec("mv /var/lib/ssh-only-firewall /var/lib/away && : >/var/lib/ssh-only-firewall");
    const { hosts } = props();
    const changed = {
      ...drill,
      hosts: { ...hosts, "web-3": { ...(defined(hosts?.["web-3"]) as HostProps), persist: false } },
    };
    const next = await deployment.tryApply(changed);
    expect(next.code).toBe(1);
    await refusing.exec("rm /var/lib/ssh-only-firewall && mv /var/lib/away /var/lib/ssh-only-firewall");
    // In a resource with others, a host waits until none of them fails.
    expect((await claims(deployment))["web-2"]).toBe(othersAre);
    expect((await statusOf(held))?.state).toBe(othersAre === "locked" ? "locked" : "open");
  });
}
