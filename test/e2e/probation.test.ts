/** A host that is lost some seconds after its first confirm, as by a fence that misses its peers, is as it was before. */
import { toMarkdown } from "../../lib/review/markdown";
import { readPlan } from "../../lib/review/plan";
import { reviewPlan } from "../../lib/review/review";
import { describeLab } from "../lab/describe-lab";
import { type Host, Lab } from "../lab/lab";
import { eventually } from "../support/eventually";
import { Apply, isAtRest, isPending, lockdowns, stateFile, statusOf, STATE } from "./support/drill";
import { Deployment, type DeploymentProps, hostEntries } from "./support/deployment";
import { words } from "./support/tracked-deployment";

/** On probation it takes SSH away while its peer is silent; and gives it back when the peer is there again. */
const fence = `
cat >/usr/local/bin/fence <<'END'
#!/bin/sh
while :; do
  if busybox ping -c 1 -W 1 10.77.0.1 >/dev/null 2>&1; then
    pkill -CONT -o -x sshd
  elif grep -q 'on probation' ${STATE}/log; then
    pkill -STOP -o -x sshd
  fi
  sleep 1
done
END
chmod 0755 /usr/local/bin/fence
`;

describeLab("a lock with a probation", () => {
  let lab: Lab;
  let steady: Host;
  let fenced: Host;
  const probation = (seconds: number): DeploymentProps => ({
    confirmWithinSeconds: 12,
    probationSeconds: seconds,
    hosts: hostEntries(lab),
  });
  beforeAll(async () => {
    lab = await Lab.create({ hosts: [{ name: "steady" }, { name: "fenced", provision: fence }] });
    [steady, fenced] = [lab.host("steady"), lab.host("fenced")];
    await fenced.exec("setsid /usr/local/bin/fence </dev/null >/dev/null 2>&1 &");
  });
  afterAll(() => lab?.destroy());

  test("locks the host that stays reachable, and says why the other one is open", async () => {
    const rules = await fenced.rules();
    const deployment = new Deployment(lab);
    const result = await (await deployment.prepare(probation(8))).apply([], { check: false });
    expect(result.code).toBe(1);
    const said = words(result);
    expect(said).toMatch(/steady: reached over a new connection, and on probation for 8 s/);
    expect(said).toMatch(/steady: confirmed over a new connection\. The host is locked/);
    expect(said).toMatch(/fenced: reached over a new connection, and on probation for 8 s/);
    expect(said).toMatch(/it was reached once, and not confirmed after its probation: the host is open/);
    expect(await lockdowns(deployment.terraform)).toEqual({ steady: "healthy", fenced: "tainted" });
    expect(await fenced.rules()).toBe(rules);
    expect([await statusOf(steady), await statusOf(fenced)]).toMatchObject([{ state: "locked" }, { state: "open" }]);
  });

  test("that Terraform does not live to see the end of rolls back", async () => {
    await steady.exec(`[ ! -e ${STATE}/host.sh ] || sh ${STATE}/host.sh unlock`);
    const rules = await steady.rules();
    const deployment = new Deployment(lab);
    const terraform = await deployment.prepare({ ...probation(5), hosts: hostEntries(lab, [steady]) });
    const { file } = await terraform.plan();
    const review = reviewPlan(readPlan(Buffer.from(JSON.stringify(await terraform.showJson(file)))));
    expect(review.dangers).toEqual([]);
    expect(toMarkdown(review)).toContain("- `probation`, over a new connection, on 1 host: pending for");
    const apply = Apply.start(lab, terraform);
    await eventually("it is on probation", () => stateFile(steady, "log")?.includes("on probation for 5 s") === true);
    await apply.kill();
    expect(isPending(steady)).toBe(true);
    await eventually("it is at rest", () => isAtRest(steady), { seconds: 60 });
    expect(await statusOf(steady)).toMatchObject({ state: "open" });
    expect(await steady.rules()).toBe(rules);
    await deployment.apply({ ...probation(2), hosts: hostEntries(lab, [steady]) });
    expect(await statusOf(steady)).toMatchObject({ state: "locked" });
  });
});
