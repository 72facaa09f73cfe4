/** Logins in the journal: those of sshd itself are reported, and those that a local user wrote under its name are not. */
import { parseEvidence } from "../../lib/report/evidence";
import { Lab } from "../lab/lab";
import { describeBooted } from "../lab/systemd-root";
import { program } from "./support/booted-host";
import { lockScript } from "./support/lock-script";

jest.setTimeout(300_000);

describeBooted("on a host that boots systemd", [{ network: "networkd" }], () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.create({ hosts: [{ name: "old", system: { network: "networkd" } }] });
  });
  afterAll(() => lab?.destroy());

  test("the journal has the logins that sshd wrote, and none that somebody else wrote as sshd", async () => {
    const host = lab.host("old");
    await host.ssh("true");
    const forged = "Accepted publickey for root from 203.0.113.66 port 9 ssh2";
    for (const tag of ["sshd", "sshd-session", "sshd[1]"]) {
      await host.exec(`setpriv --reuid 65534 --regid 65534 --clear-groups logger -t '${tag}' '${forged}'`);
    }
    // As root, but not sshd.
    await host.exec(`logger -t sshd '${forged}'`);
    await host.exec("journalctl --flush --sync", { check: false });
    expect((await host.exec("journalctl -q -t sshd")).stdout).toContain("203.0.113.66");
    await host.exec("sh -s", { input: lockScript(host, undefined, { CONFIRM_WITHIN: 600 }).script });
    const { logins, sources } = parseEvidence((await host.exec(`sh ${program} report`)).stdout);
    await host.exec(`sh ${program} unlock`);
    const journal = logins.filter(({ at }) => at !== null).map(({ from }) => from);
    expect(journal.length).toBeGreaterThan(0);
    expect(journal).not.toContain("203.0.113.66");
    expect(sources.find(({ name }) => name === "journal")?.all).toBe(journal.length);
  });
});
