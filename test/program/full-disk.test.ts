/** A disk that is full by the time of the confirm: the lock fails, reports it, and rolls back automatically. */
import { eventually } from "../support/eventually";
import { describeLab } from "../lab/describe-lab";
import { type HostFirewall, Lab } from "../lab/lab";
import {
  firewalls,
  foreignRules,
  HostProgram,
  lockSettings,
  rulesetsFor,
  STATE,
  watchdogs,
  SMALL_DISK,
} from "./support/host-program";

describeLab("a disk that is full during confirm", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.create({
      hosts: firewalls.map((firewall) => ({
        name: firewall,
        firewall,
        provision: foreignRules[firewall],
        boot: SMALL_DISK,
      })),
    });
  });
  afterAll(() => lab?.destroy());

  test.each(firewalls)(
    "with %s: leaves the host as it was, open or locked, and the next deploy works",
    async (firewall: HostFirewall) => {
      const host = lab.host(firewall);
      const program = await HostProgram.on(host);
      for (const before of ["open", "locked"] as const) {
        if (before === "locked") {
          await program.lockForGood({ PERSIST: "true" });
        }
        const rules = await host.rules();
        const settings = lockSettings({
          ...rulesetsFor(22, { deniedOutbound: "drop" }),
          PERSIST: "true",
          CONFIRM_WITHIN: "3",
        });
        expect(await program.lock(settings)).toMatchObject({ code: 0 });
        await host.exec(`cat /dev/zero >${STATE}/filling 2>/dev/null || :`);
        const confirm = await program.confirm(settings);
        expect(confirm.code).not.toBe(0);
        expect(confirm.stderr).toMatch(/It is still pending, and rolls back unless it is confirmed\.\n$/);
        await eventually("it has come to rest", () => watchdogs(host).length === 0);
        expect(await host.rules()).toBe(rules);
        await host.exec(["rm", `${STATE}/filling`]);
        expect(await program.status()).toMatchObject({ code: 0, state: before });
      }
      await program.lockForGood({ PERSIST: "true" });
      expect(await program.run("unlock")).toMatchObject({ code: 0 });
    },
  );
});
