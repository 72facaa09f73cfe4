/** Hosts whose SSH is not an sshd that waits for connections: ssh.socket of systemd, and dropbear. */
import type { HostProps } from "../../lib/index";
import { type Host, type HostOptions, Lab } from "../lab/lab";
import { describeBooted, type SystemOptions } from "../lab/systemd-root";
import type { Terraform } from "../lab/terraform";
import { lockdowns, STATE, statusOf } from "./support/drill";
import { Deployment, hostEntry } from "./support/deployment";
import { eventually } from "../support/eventually";

jest.setTimeout(300_000);

const plain: SystemOptions = { network: "networkd" };
const withDropbear: SystemOptions = { network: "networkd", packages: ["dropbear-bin"] };

const noSshd = "rm -f /etc/systemd/system/multi-user.target.wants/ssh.service /etc/systemd/system/sshd.service";

/** As Debian has it: one socket for both families, and an sshd for each connection. */
const socket = `
${noSshd}
mkdir -p /etc/systemd/system/sockets.target.wants
ln -s /lib/systemd/system/ssh.socket /etc/systemd/system/sockets.target.wants/
`;

/** With a host key of each kind, as Debian has it: without one for RSA it hangs up on whoever would like RSA best. */
const dropbear = `
${noSshd}
mkdir -p /etc/dropbear
dropbearconvert openssh dropbear /etc/ssh/lab_host_key /etc/dropbear/key
dropbearkey -t rsa -f /etc/dropbear/rsa
printf '%s\\n' '[Service]' 'ExecStart=/usr/sbin/dropbear -F -E -p 22 -r /etc/dropbear/key -r /etc/dropbear/rsa' >/etc/systemd/system/dropbear.service
ln -s ../dropbear.service /etc/systemd/system/multi-user.target.wants/
`;

const locked: Readonly<Record<string, Omit<HostOptions, "name">>> = {
  "ssh-socket": { system: plain, provision: socket },
  "ssh-socket-iptables": { system: plain, provision: socket, firewall: "iptables-nft" },
  dropbear: { system: withDropbear, provision: dropbear },
  "dropbear-iptables": { system: withDropbear, provision: dropbear, firewall: "iptables-nft" },
};
const withoutScp = "dropbear-without-scp";

describeBooted("a host with another SSH server", [plain, withDropbear], () => {
  const names = Object.keys(locked);
  let lab: Lab;
  let deployment: Deployment;
  beforeAll(async () => {
    lab = await Lab.create({
      hosts: [
        ...names.map((name) => ({ ...locked[name], name })),
        { ...locked.dropbear, name: withoutScp, without: ["scp"] },
      ],
    });
    deployment = new Deployment(lab);
  });
  afterAll(() => lab?.destroy());

  const host = (name: string): Host => lab.host(name);
  const logIn = async (name: string, family: 4 | 6 = 4): Promise<string> =>
    (await host(name).ssh("echo in", { family, check: false })).stdout;

  /** Terraform asks dropbear for its RSA key. */
  async function entry(name: string): Promise<HostProps> {
    if (!name.startsWith("dropbear")) {
      return hostEntry(lab, host(name));
    }
    const { stdout } = await host(name).exec("dropbearkey -y -f /etc/dropbear/rsa");
    const [hostKey] = /^ssh-rsa \S+/m.exec(stdout) ?? [];
    return hostEntry(lab, host(name), { connection: { hostKey } });
  }

  async function prepare(which: readonly string[], deployment: Deployment): Promise<Terraform> {
    const hosts = await Promise.all(which.map(async (name) => [name, await entry(name)] as const));
    return deployment.prepare({ hosts: Object.fromEntries(hosts) });
  }

  test("has no sshd that listens", () => {
    for (const name of names) {
      const listening = host(name)
        .processes()
        .filter((line) => /^(sshd: .*\[listener\]|\/usr\/sbin\/dropbear)/.test(line));
      expect(listening).toHaveLength(name.startsWith("dropbear") ? 1 : 0);
      expect(listening.join()).not.toContain("sshd");
    }
  });

  test("is locked, and accepts SSH over IPv4 and IPv6, also after a restart", async () => {
    await (await prepare(names, deployment)).apply();
    for (const name of names) {
      expect({ name, ...(await statusOf(host(name))) }).toMatchObject({ name, code: 0, state: "locked" });
      expect([name, await logIn(name), await logIn(name, 6)]).toEqual([name, "in\n", "in\n"]);
    }
    await Promise.all(names.map((name) => host(name).reboot()));
    for (const name of names) {
      await eventually(`${name} takes SSH`, async () => (await logIn(name)) === "in\n");
      expect({ name, ...(await statusOf(host(name))) }).toMatchObject({ name, code: 0, rules: "matches" });
      expect(await lab.scanTcp(host(name), { ports: "1-100" })).toMatchObject({ open: [22], closed: [] });
    }
  });

  test("is opened again", async () => {
    await deployment.destroy();
    for (const name of names) {
      expect((await host(name).exec(["ls", "-A", STATE])).stdout).toBe("log\n");
    }
  });

  test(`(${withoutScp}) fails in Terraform's upload, before the host is changed`, async () => {
    const terraform = await prepare([withoutScp], new Deployment(lab));
    const { code, stderr } = await terraform.apply([], { check: false });
    expect(code).toBe(1);
    expect(stderr).toMatch(/scp: (command )?not found|Failed to upload script/);
    expect((await lockdowns(terraform))[withoutScp]).not.toBe("healthy");
    expect(await host(withoutScp).exec(["test", "-e", STATE], { check: false })).toMatchObject({ code: 1 });
    expect(await host(withoutScp).rules()).toBe("");
  });
});
