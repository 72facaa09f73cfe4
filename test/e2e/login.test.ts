/** Hosts as they are: other shells, other users, a noexec /tmp, logins that are slow or talk. */
import { describeLab } from "../lab/describe-lab";
import { type Host, type HostOptions, Lab } from "../lab/lab";
import { Deployment, eventually, hostEntry } from "./support";

jest.setTimeout(300_000);

const works: readonly HostOptions[] = [
  { name: "root-dash", shell: "dash" },
  { name: "root-bash", shell: "bash", firewall: "iptables-legacy" },
  { name: "root-busybox", shell: "busybox", firewall: "iptables-nft" },
  { name: "sudo-dash", shell: "dash", user: "ops", firewall: "iptables-nft" },
  { name: "sudo-bash", shell: "bash", user: "ops" },
  { name: "sudo-busybox", shell: "busybox", user: "ops", firewall: "iptables-legacy" },
  { name: "noexec-tmp", noexecTmp: true },
  { name: "sudo-noexec-tmp", noexecTmp: true, user: "ops" },
  { name: "slow", slowLoginSeconds: 2 },
  { name: "talks-to-stderr", chattyLogin: "stderr", user: "ops" },
];

describeLab(
  "a deploy",
  () => {
    let lab: Lab;
    let deployment: Deployment;

    beforeAll(async () => {
      lab = await Lab.create({ hosts: [...works, { name: "talks-to-stdout", chattyLogin: "stdout" }] });
      deployment = new Deployment(lab);
      const hosts = works.map(({ name }) => [name, hostEntry(lab, lab.host(name))]);
      await deployment.apply({ hosts: Object.fromEntries(hosts) });
    });
    afterAll(() => lab?.destroy());

    test.each(works.map(({ name }) => name))(
      "locks the host %s, and leaves no file in the home or in /tmp",
      async (name) => {
        const host = lab.host(name);
        expect(JSON.parse((await host.exec(status)).stdout)).toMatchObject({ state: "locked", rules: "matches" });
        await eventually("Terraform's scripts are gone", async () => (await leftovers(host)) === "", 30);
      },
    );

    test("opens them all again", async () => {
      await deployment.destroy();
      for (const { name } of works) {
        expect((await lab.host(name).exec("ls /var/lib/ssh-only-firewall")).stdout).toBe("log\n");
        await eventually("Terraform's scripts are gone", async () => (await leftovers(lab.host(name))) === "", 30);
      }
    });

    test("to a host whose login talks to standard output fails in Terraform's upload, before the host is changed", async () => {
      const host = lab.host("talks-to-stdout");
      const terraform = await new Deployment(lab).prepare({
        hosts: {
          [host.name]: {
            ...hostEntry(lab, host),
            connection: { ...hostEntry(lab, host).connection, timeoutSeconds: 5 },
          },
        },
      });
      const { code, stderr } = await terraform.apply([], { check: false });
      expect(code).toBe(1);
      // Terraform takes the first letter of the greeting for scp's word that it failed.
      expect(stderr.replace(/\s+/g, " ")).toMatch(/elcome to talks-to-stdout/);
      expect(await host.rules()).toBe("");
      expect((await host.exec("ls /var/lib/ssh-only-firewall", { check: false })).code).not.toBe(0);
    });
  },
  { needs: "terraform" },
);

const status = "sh /var/lib/ssh-only-firewall/host.sh status --json";

async function leftovers(host: Host): Promise<string> {
  return (await host.exec("find /root /home /tmp -name '*ssh-only*' -o -name 'terraform*'")).stdout;
}
