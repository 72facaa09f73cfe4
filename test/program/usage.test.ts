/** What is refused because it was asked for in a wrong way, or in a wrong place: nothing changes. */
import { defined } from "../support/required";
import { eventually } from "../support/eventually";
import { describeLab } from "../lab/describe-lab";
import { Lab } from "../lab/lab";
import { HostProgram, lockSettings, rulesetsFor, type Settings, shells, STATE } from "./support/host-program";

describe.each(shells)("under $name", ({ options }) => {
  describeLab("the host program", () => {
    let lab: Lab;
    let program: HostProgram;
    let untouched: string;
    beforeAll(async () => {
      lab = await Lab.create({ hosts: [{ name: "web-1", ...options }] });
      program = await HostProgram.on(lab.host("web-1"));
      untouched = await program.traces();
    });
    afterAll(() => lab?.destroy());

    /** And makes it so, lest one failure brings others. */
    const expectUntouched = async (): Promise<void> => {
      const now = await program.traces();
      if (now !== untouched) {
        await program.reset();
      }
      expect(now).toBe(untouched);
    };

    test.each([
      [[]],
      [["help"]],
      [["lock", "now"]],
      [["confirm"]],
      [["confirm", "owner", "attempt"]],
      [["confirm", "owner", "attempt", "ruleset", "more"]],
      [["rollback", "now"]],
      [["unlock", "owner", "60", "more"]],
      [["confirm-unlock", "owner", "more"]],
      [["status", "--json", "more"]],
      [["status", "--jsn"]],
      [["watchdog"]],
      [["watchdog", "attempt"]],
    ])("called with %j, it shows its usage and changes nothing", async (words) => {
      const usage = `usage: sh ${STATE}/host.sh status [--json] | report | unlock [--console] | confirm-unlock | rollback\n`;
      expect(await program.run(...words)).toEqual({ code: 2, stdout: "", stderr: usage });
      await expectUntouched();
    });

    const values = ["", "two words", "a/b", "../a", "a;b", "$(id)", "a'b", "a\nb", "über", "*", "-1", "22.5", "1e3"];
    test.each([
      ["HOST", "an identifier"],
      ["OWNER", "an identifier"],
      ["ATTEMPT", "an identifier"],
      ["RULESET", "an identifier"],
      ["PORT", "a number"],
      ["CONFIRM_WITHIN", "a number"],
      ["LOG_DENIED", "a number"],
    ])("lock refuses as its %s what is not %s", async (name, what) => {
      const wrong = values.filter((one) =>
        what === "a number" ? one !== "" || name !== "LOG_DENIED" : !/^[\w.-]+$/.test(one),
      );
      for (const value of wrong) {
        expect(await program.lock(lockSettings({ [name]: value }))).toEqual({
          code: 2,
          stdout: "",
          stderr: `ssh-only-firewall: '${value}' is not ${what}. The host was not changed.\n`,
        });
      }
      await expectUntouched();
    });

    test.each(["HOST", "OWNER", "ATTEMPT", "RULESET", "PORT", "CONFIRM_WITHIN", "NFTABLES", "IPTABLES", "IP6TABLES"])(
      "lock without the setting %s fails, and changes nothing",
      async (name) => {
        const { code, stderr } = await program.lock(lockSettings({ [name]: null }));
        expect(code).not.toBe(0);
        expect(stderr).toContain(`SSH_ONLY_${name}`);
        await expectUntouched();
      },
    );

    test("a ruleset that was damaged on its way is refused", async () => {
      const whole = lockSettings();
      for (const damaged of ["NFTABLES", "IPTABLES", "IP6TABLES"]) {
        const text = defined(whole[damaged]).replace("22", "23");
        const { code, stdout, stderr } = await program.lock({ ...whole, [damaged]: text });
        expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
        expect(stderr).toMatch(
          /^ssh-only-firewall: The ruleset that arrived is not the one in the plan \([0-9a-f]{64}, not [0-9a-f]{64}\)\. The host was not changed\.\n$/,
        );
      }
      await expectUntouched();
    });

    test("a ruleset that no firewall takes is refused, in the firewall's own words", async () => {
      // As a policy is written, but with a rate of zero.
      const rated = Object.entries(rulesetsFor(22, { logDeniedPerMinute: 10 }));
      const wrong: Settings = Object.fromEntries(
        rated.map(([name, text]) => [name, text.replaceAll("10/minute", "0/minute")]),
      );
      for (const [BACKEND, words] of [
        ["nftables", /'nftables'\. nft does not take the ruleset: /s],
        ["iptables", /'iptables'\. iptables-restore does not take the ruleset: .*bad rate/s],
        ["auto", /'auto'\. nft does not take .* And: iptables-restore does not take /s],
        ["ipfw", /'ipfw'\./],
      ] as const) {
        const { code, stdout, stderr } = await program.lock(lockSettings({ ...wrong, BACKEND }));
        expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
        expect(stderr).toMatch(words);
        expect(stderr).toMatch(/The host was not changed\.\n$/);
      }
      await expectUntouched();
    });

    test("who is not root is refused by every verb", async () => {
      for (const words of [
        ["status"],
        ["lock"],
        ["confirm", "a", "b", "c"],
        ["rollback"],
        ["unlock"],
        ["confirm-unlock"],
      ]) {
        const program_ = ["/bin/sh", "/opt/host-program.sh", ...words];
        const result = await program.host.exec(["setpriv", "--reuid=65534", "--clear-groups", ...program_], {
          check: false,
        });
        expect(result).toEqual({
          code: 3,
          stdout: "",
          stderr: "ssh-only-firewall: This needs root. The host was not changed.\n",
        });
      }
      await expectUntouched();
    });

    test.each(["awk", "sed", "grep", "sort", "date", "sha256sum", "flock"])(
      "a host without %s is refused, with a message",
      async (tool) => {
        await program.host.exec(`for folder in /usr/local/sbin /usr/bin; do
          if [ -e $folder/${tool} ]; then mv $folder/${tool} $folder/${tool}.away; fi; done`);
        try {
          const { code, stdout, stderr } = await program.lock();
          expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
          expect(stderr).toContain(`ssh-only-firewall: ${tool} is missing`);
          expect(stderr).toMatch(/The host was not changed\.\n$/);
        } finally {
          await program.host.exec(`for folder in /usr/local/sbin /usr/bin; do
            if [ -e $folder/${tool}.away ]; then mv $folder/${tool}.away $folder/${tool}; fi; done`);
        }
        await expectUntouched();
      },
    );

    test("another run holds the host: this one waits, and then goes on", async () => {
      const holder = program.host.spawn(["flock", "/run/ssh-only-firewall.lock", "sleep", "2"]);
      await eventually("another run holds the host", () => program.host.processes().includes("sleep 2"));
      expect(await program.status()).toMatchObject({ code: 0, state: "open" });
      expect(holder.exitCode).toBe(0);
    });

    test("rules that bear our name and are in no record are shown, and unlock removes them", async () => {
      await program.host.exec("nft -f -", { input: rulesetsFor().NFTABLES });
      expect(await program.status()).toMatchObject({ code: 10, state: "open", rules: "unrecorded" });
      expect(await program.run("status")).toEqual({
        code: 10,
        stdout: "state:   open\nproblem: rules of this program are live that it did not record: run unlock\n",
        stderr: "",
      });
      expect(await program.run("unlock")).toMatchObject({ code: 0 });
      expect(await program.status()).toMatchObject({ code: 0, state: "open", rules: "none" });
      await expectUntouched();
    });
  });
});
