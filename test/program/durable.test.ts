/** Whoever relies on a name in the state folder makes it durable first: what the model (test/model) found in the program. */
import { describeLab } from "../lab/describe-lab";
import { type Host, Lab } from "../lab/lab";
import { HostProgram, lockSettings, STATE } from "./support/host-program";

/** Writes down what is synced; ends the verb that /run/kill names before the state folder is. */
const watchedSync = `cat >/usr/local/sbin/sync <<'END'
#!/bin/sh
echo "$*" >>/run/synced
if [ "$*" = ${STATE} ] && [ -e /run/kill ]; then pkill -KILL -f "program.sh $(cat /run/kill)"; exit; fi
exec /usr/bin/sync "$@"
END
chmod 0755 /usr/local/sbin/sync`;

describeLab("a host whose last run was killed before the state folder was on the disk", () => {
  let lab: Lab;
  let host: Host;
  let program: HostProgram;
  beforeAll(async () => {
    lab = await Lab.create({ hosts: [{ name: "host", provision: watchedSync }] });
    host = lab.host("host");
    program = await HostProgram.on(host);
  });
  afterAll(() => lab?.destroy());
  afterEach(async () => {
    await host.exec("rm -f /run/kill");
    await program.reset();
    await host.exec("rm -f /run/synced");
  });

  const folderIsSynced = async (): Promise<boolean> =>
    (await host.exec("cat /run/synced", { check: false })).stdout.split("\n").includes(STATE);

  test("confirm, run again, does not succeed before the name is durable", async () => {
    const settings = lockSettings();
    await program.lock(settings);
    await host.exec("echo confirm >/run/kill");
    expect((await program.confirm(settings)).code).toBe(137);
    expect(await program.stateFile("confirmed")).toContain(settings.ATTEMPT);
    await host.exec("rm -f /run/kill /run/synced");
    expect((await program.confirm(settings)).code).toBe(0);
    expect(await folderIsSynced()).toBe(true);
  });

  test("lock does not write a record anew to which a name on the disk may still lead", async () => {
    const settings = lockSettings();
    await program.lock(settings);
    expect(await folderIsSynced()).toBe(false);
    expect((await program.lock(settings)).code).toBe(0);
    expect(await folderIsSynced()).toBe(true);
  });

  test("an owner whose unlock was killed does not hear of another owner before its own lock is gone for good", async () => {
    await program.lockForGood();
    expect((await program.run("unlock", "owner-1", "60")).code).toBe(0);
    await host.exec("echo confirm-unlock >/run/kill");
    expect((await program.run("confirm-unlock", "owner-1")).code).toBe(137);
    expect(await program.stateFile("confirmed")).toBeUndefined();
    await program.lock(lockSettings({ OWNER: "owner-2" }));
    await host.exec("rm -f /run/kill /run/synced");
    const again = await program.run("confirm-unlock", "owner-1");
    expect(again.code).toBe(0);
    expect(again.stdout).toContain("locked by another owner (hold owner-2");
    expect(await folderIsSynced()).toBe(true);
  });
});
