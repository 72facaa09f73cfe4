/** The units on a host that boots systemd: the watchdog lives and dies with its own lock, and a damaged program is noticed. */
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../support/eventually";
import { type Host, Lab } from "../lab/lab";
import { describeBooted } from "../lab/systemd-root";
import { program } from "./support/booted-host";
import { type LockScript, lockScript } from "./support/lock-script";

jest.setTimeout(300_000);

const ARMED = "/run/ssh-only-firewall.armed";
const STATE = "/var/lib/ssh-only-firewall";

describeBooted("on a host that boots systemd", [{ network: "networkd" }], () => {
  let lab: Lab;
  let host: Host;
  beforeAll(async () => {
    lab = await Lab.create({ hosts: [{ name: "old", system: { network: "networkd" } }] });
    host = lab.host("old");
  });
  afterEach(() => run("unlock"));
  afterAll(() => lab?.destroy());

  const run = (verb: string): Promise<unknown> => host.exec(`[ ! -s ${program} ] || sh ${program} ${verb}`);
  const status = async (): Promise<Record<string, string>> =>
    JSON.parse((await host.exec(`sh ${program} status --json`, { check: false })).stdout) as Record<string, string>;

  async function lock(settings: Readonly<Record<string, string | number | boolean>>): Promise<LockScript> {
    const made = lockScript(host, undefined, settings);
    await host.exec("sh -s", { input: made.script });
    return made;
  }

  /** Of the watchdog of an attempt. */
  const signal = (name: string, { attempt }: LockScript): Promise<unknown> =>
    host.exec(`pkill -${name} -f '[h]ost.sh watchdog ${attempt}'`);
  const units = async (): Promise<string> =>
    (await host.exec("systemctl list-units --all --plain --no-legend 'ssh-only-firewall-watchdog-*'")).stdout;

  test("a watchdog that is killed after unlock is not started again", async () => {
    const first = await lock({ CONFIRM_WITHIN: 600 });
    await signal("STOP", first);
    await run("unlock");
    await signal("KILL", first);
    await eventually("no unit is left", async () => (await units()) === "");
  });

  test("a watchdog that is killed when another lock is armed leaves that lock and its mark alone", async () => {
    const first = await lock({ CONFIRM_WITHIN: 2 });
    await signal("STOP", first);
    const second = await lock({ CONFIRM_WITHIN: 600 });
    await signal("KILL", first);
    await eventually("its unit is gone", async () => !(await units()).includes(first.attempt));
    expect((await host.exec(["head", "-n", "1", ARMED])).stdout).toBe(`${second.attempt}\n`);
    // Longer than the time limit of the first.
    await sleep(3_500);
    expect(await status()).toMatchObject({ state: "pending", rules: "matches" });
    expect(await host.exec(`sh ${program} ${second.confirm}`)).toMatchObject({ code: 0 });
  });

  test("the lock after one that was undone starts, whatever becomes of the first watchdog", async () => {
    const first = await lock({ CONFIRM_WITHIN: 600 });
    await signal("STOP", first);
    await run("rollback");
    const second = await lock({ CONFIRM_WITHIN: 600 });
    await signal("KILL", first);
    await eventually("its unit is gone", async () => !(await units()).includes(first.attempt));
    expect((await host.exec(["head", "-n", "1", ARMED])).stdout).toBe(`${second.attempt}\n`);
    expect(await status()).toMatchObject({ state: "pending" });
  });

  test("a watchdog that is started again has only the time that is left", async () => {
    const first = await lock({ CONFIRM_WITHIN: 12 });
    await signal("STOP", first);
    await sleep(12_000);
    await signal("KILL", first);
    await eventually("it is rolled back", async () => (await status()).state === "open", { seconds: 9 });
  });

  test("a host whose program is empty after a power cut boots locked, and has it again", async () => {
    const { confirm } = await lock({ PERSIST: true });
    await host.exec(`sh ${program} ${confirm}; rm ${program}; : >${program}`);
    await host.reboot();
    await host.untilBooted();
    await eventually("it is locked", async () =>
      expect(await status()).toMatchObject({ state: "locked", problem: "" }),
    );
  });

  test("a host on which no copy of the program is whole reports it at boot", async () => {
    const { confirm } = await lock({ PERSIST: true });
    await host.exec(`sh ${program} ${confirm}; : >${program}; rm -f ${STATE}/records/*/host.sh`);
    await host.reboot();
    await host.untilBooted();
    const failed = await host.exec("systemctl is-failed ssh-only-firewall.service; journalctl -u ssh-only-firewall", {
      check: false,
    });
    expect(failed.stdout).toMatch(/^failed\n/);
    expect(failed.stdout).toMatch(/is damaged: this host may be OPEN\. Deploy to it again\./);
    await lock({});
  });
});
