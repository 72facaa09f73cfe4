/** What a host notes of our own commands, so that its report takes neither their logins nor their probes for use. */
import { question } from "../../lib/host/program";
import { answerOf } from "../../lib/ssh/answer";
import { portsToTry } from "../../lib/status/ports";
import { describeLab } from "../lab/describe-lab";
import { Lab } from "../lab/lab";
import { HostProgram, shells, STATE } from "./support/host-program";

describeLab("a locked host", () => {
  let lab: Lab;

  beforeAll(async () => {
    const chosen = shells.filter(({ name }) => name !== "bash");
    lab = await Lab.create({
      hosts: chosen.map(({ options }, index) => ({
        name: `own-${index}`,
        firewall: "nftables",
        listeners: true,
        ...options,
      })),
    });
  });
  afterAll(() => lab?.destroy());

  test("notes who asks it, who deploys to it, and the ports that are going to be probed from where it is asked", async () => {
    for (const host of lab.hosts) {
      const program = await HostProgram.on(host);
      await program.lockForGood();
      const ask = async (from: string, before = ""): Promise<ReturnType<typeof answerOf>> => {
        const { stdout } = await host.exec(`sh -s '${from}' root`, { input: before + question() });
        return answerOf({ code: 0, timedOut: false, stdout, stderr: "", log: "" }, 30);
      };
      const answer = await ask("10.77.0.1 40001 10.77.0.10 22", "probe='auto'\nprobe_except='22 25'\n");
      await ask("10.77.0.2 40002 10.77.0.10 22", "probe='8080 22 9'\nprobe_except='22'\n");
      await ask("10.77.0.3 40003 10.77.0.10 22");
      for (const odd of ["", "fe80::1%eth0 1 fe80::2%eth0 22", "$(id) 1 2 3", "; 1 2 3"]) {
        await ask(odd);
      }
      // Terraform's own runs, after the first lock.
      await program.lockForGood({ FROM: "10.77.0.4 40004 10.77.0.10 22" });

      const { stdout } = await program.run("report");
      const noted = (name: string): string[] =>
        [...stdout.matchAll(new RegExp(`^${name}=\\d+ (.*)$`, "gm"))].map(([, value = ""]) => value);
      expect(noted("session")).toEqual(
        expect.arrayContaining(["10.77.0.1 40001", "10.77.0.2 40002", "10.77.0.3 40003", "10.77.0.4 40004"]),
      );
      expect(noted("session").filter((one) => !one.startsWith("10.77.0."))).toEqual([]);
      if (answer.kind !== "answered") {
        throw new Error(answer.why);
      }
      const probed = portsToTry(undefined, answer, undefined, 25);
      expect(probed.length).toBeGreaterThan(2);
      expect(noted("probe")).toEqual([`10.77.0.1 ${probed.join(",")}`, "10.77.0.2 8080,9"]);
    }
  }, 120_000);

  test("answers all the same where nothing can be noted", async () => {
    const host = lab.hosts[0] as (typeof lab.hosts)[number];
    await host.exec(`rm -f ${STATE}/baseline/sessions && mkdir ${STATE}/baseline/sessions`);
    const { stdout, stderr } = await host.exec("sh -s '10.77.0.1 40001 10.77.0.10 22' root", { input: question() });
    expect([stdout.includes('"state":"locked"'), stdout.endsWith("ssh-only-firewall-said\n"), stderr]).toEqual([
      true,
      true,
      "",
    ]);
  });
});
