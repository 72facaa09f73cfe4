/** A state folder that others than root can change: nothing is written into it, and nothing of it is run. */
import { question, reportQuestion } from "../../lib/host/program";
import { describeLab } from "../lab/describe-lab";
import { Lab } from "../lab/lab";
import { HostProgram, lockSettings, shells, STATE } from "./support/host-program";

const MISPLACED: ReadonlyArray<readonly [what: string, make: string, says: string]> = [
  ["to which all may write", `mkdir -m 0777 ${STATE}`, `others than root may write to ${STATE},`],
  ["to which a group may write", `mkdir -m 0770 ${STATE}`, `others than root may write to ${STATE},`],
  ["that belongs to somebody", `mkdir -m 0700 ${STATE}; chown 1500 ${STATE}`, `${STATE} belongs to user 1500,`],
  ["that is a link", `mkdir /etc/elsewhere; ln -s /etc/elsewhere ${STATE}`, `${STATE} is a link: remove it`],
  ["that is a link to nothing", `ln -s /nowhere ${STATE}`, `${STATE} is a link: remove it`],
  ["that is a file", `echo mine >${STATE}`, `${STATE} is not a directory: move it away`],
  [
    "with a file of somebody",
    `mkdir -m 0700 ${STATE}; touch ${STATE}/log; chown 1500 ${STATE}/log`,
    `${STATE}/log belongs to user 1500`,
  ],
  ["below a folder to which all may write", "chmod 1777 /var/lib", "others than root may write to /var/lib,"],
  [
    "below a link to a folder of somebody",
    "mkdir -p /srv/of/lib; cp -a /var/lib/. /srv/of/lib; mv /var/lib /var/lib.away; ln -s ../srv/of/lib /var/lib; chown 1500 /srv/of",
    "/var/../srv/of belongs to user 1500",
  ],
];

const MEND = `rm -rf ${STATE} /etc/elsewhere; chmod 0755 /var/lib
if [ -d /var/lib.away ]; then rm /var/lib; mv /var/lib.away /var/lib; rm -rf /srv/of; fi`;

describe.each(shells)("under $name", ({ options }) => {
  describeLab("a state folder", () => {
    let lab: Lab;
    let program: HostProgram;
    beforeAll(async () => {
      lab = await Lab.create({ hosts: [{ name: "web-1", ...options }] });
      program = await HostProgram.on(lab.host("web-1"));
    });
    afterAll(() => lab?.destroy());
    afterEach(() => program.host.exec(MEND));

    test.each(MISPLACED)("%s is not locked from", async (_, make, says) => {
      await program.host.exec(make);
      const before = await program.traces();
      const { code, stdout, stderr } = await program.lock();
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(stderr).toContain(`ssh-only-firewall: ${says}`);
      expect(stderr).toMatch(/(chmod go-w|chown 0:0|remove it|move it away).*\. The host was not changed\.\n$/);
      expect(await program.traces()).toBe(before);
    });

    test("of a locked host is not used by a verb once others may write to it, and is again when they may not", async () => {
      const settings = await program.lockForGood();
      await program.host.exec(["chmod", "0777", STATE]);
      const traces = await program.traces();
      for (const words of [["status"], ["status", "--json"], ["report"], ["unlock"], ["unlock", "owner-1"]]) {
        const { code, stderr } = await program.run(...words);
        expect({ words, code, stderr }).toMatchObject({
          code: 1,
          stderr: expect.stringContaining(`chmod go-w ${STATE}`),
        });
      }
      expect(await program.lock(lockSettings())).toMatchObject({ code: 1 });
      expect(await program.confirm(settings)).toMatchObject({ code: 1 });
      expect(await program.traces()).toBe(traces);
      // The way back is not barred.
      expect(await program.run("rollback")).toMatchObject({ code: 0 });
      await program.host.exec(["chmod", "go-w", STATE]);
      expect(await program.status()).toMatchObject({ code: 0, state: "locked" });
      expect(await program.run("unlock")).toMatchObject({ code: 0 });
    });

    test("to which others may write has a program that nobody runs who only asks", async () => {
      await program.host.exec(`mkdir -m 0777 ${STATE}; echo 'touch /etc/elsewhere; echo owned' >${STATE}/host.sh`);
      for (const script of [question(), reportQuestion()]) {
        const { stdout } = await program.host.exec(["/bin/sh"], { input: script });
        expect(stdout).toMatch(new RegExp(`ssh-only-firewall-status 1 others than root may write to ${STATE}, `));
        expect(stdout).not.toContain("owned");
      }
      expect((await program.host.exec("ls /etc/elsewhere", { check: false })).code).not.toBe(0);
    });
  });
});
