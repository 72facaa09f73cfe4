/** A record that is damaged is called so; the deploy of its owner repairs it, and nobody else's opens the host. */
import { describeLab } from "../lab/describe-lab";
import { Lab } from "../lab/lab";
import { HostProgram, lockSettings, shells, STATE } from "./support/host-program";

const META = `${STATE}/records/*/meta`;

const DAMAGES: ReadonlyArray<readonly [string, string]> = [
  ["is cut", `for file in ${META}; do head -c 40 $file >/run/cut; cat /run/cut >$file; done`],
  ["is empty", `for file in ${META}; do : >$file; done`],
  ["has zeros", `for file in ${META}; do head -c 400 /dev/zero >$file; done`],
  ["has other words", `sed -i 's/^owner=.*/owner=a" b/; s/^locked_at=.*/locked_at="}/' ${META}`],
  ["is lost", `rm -r ${STATE}/records/*`],
  ["has another ruleset", `sed -i '/dport 22/d' ${STATE}/records/*/nftables`],
];

describe.each(shells)("under $name", ({ name, options }) => {
  describeLab("a locked host whose record", () => {
    let lab: Lab;
    let program: HostProgram;
    beforeAll(async () => {
      lab = await Lab.create({ hosts: [{ name: "web-1", ...options }] });
      program = await HostProgram.on(lab.host("web-1"));
    });
    afterAll(() => lab?.destroy());
    afterEach(() => program.reset());

    test.each(name === "dash" ? DAMAGES : DAMAGES.slice(2, 4))(
      "%s is called damaged, stays closed to others, and is repaired by its owner",
      async (_, damage) => {
        await program.lockForGood();
        const rules = await program.host.rules();
        await program.host.exec(damage);
        expect(await program.status()).toMatchObject({
          code: 10,
          state: "locked",
          rules: "damaged",
          owner: "owner-1",
          problem: "the record of this lock is damaged: deploy to this host again, which repairs it",
        });
        const refused = await program.lock(lockSettings({ OWNER: "owner-2" }));
        expect(refused).toMatchObject({ code: 8, stderr: expect.stringContaining("owner-1") });
        const { stdout } = await program.run("unlock", "owner-2");
        expect(stdout).toMatch(
          /This host is locked by another owner \(hold owner-1(, since [\dTZ:-]+)?\), and stays locked/,
        );
        expect(await program.host.rules()).toBe(rules);
        await program.lockForGood();
        expect(await program.status()).toMatchObject({ code: 0, state: "locked", rules: "matches", owner: "owner-1" });
        expect(await program.run("unlock", "owner-1")).toMatchObject({ code: 0 });
        expect(await program.status()).toMatchObject({ code: 0, state: "open", rules: "none" });
      },
    );

    test("is not named any more is found by its seal", async () => {
      await program.lockForGood();
      await program.host.exec(`: >${STATE}/confirmed`);
      expect(await program.status()).toMatchObject({ code: 0, state: "locked", rules: "matches", owner: "owner-1" });
      expect(await program.lock(lockSettings({ OWNER: "owner-2" }))).toMatchObject({ code: 8 });
    });

    test("names no owner, not even elsewhere, is opened by nobody but on the console, and taken over where that is asked for", async () => {
      await program.lockForGood();
      await program.host.exec(`rm -r ${STATE}/records/*; sed -i 's/ [^ ]*$//' ${STATE}/confirmed`);
      for (const result of [await program.lock(lockSettings()), await program.run("unlock", "owner-1")]) {
        expect(result).toMatchObject({
          code: 8,
          stderr: expect.stringMatching(/is damaged, and names no owner.*takeOver/),
        });
      }
      expect(await program.status()).toMatchObject({ code: 10, state: "locked", rules: "damaged", owner: "" });
      await program.lockForGood({ TAKE_OVER: "true" });
      expect(await program.status()).toMatchObject({ code: 0, state: "locked", rules: "matches" });
    });
  });
});
