/** Hosts as they are: other shells, other users, a noexec /tmp, logins that are slow or talk. */
import { items } from "../support/required";
import { describeLab } from "../lab/describe-lab";
import { type Host, type HostOptions, Lab } from "../lab/lab";
import { shells } from "../program/support/host-program";
import { isAtRest, lockdowns, STATE, statusOf } from "./support/drill";
import { Deployment, hostEntry } from "./support/deployment";
import { eventually } from "../support/eventually";

/** busybox as /bin/sh, and its tools before the machine's own. */
const onlyBusybox = shells.find(({ options }) => options.shell === "busybox")?.options;

const works: readonly HostOptions[] = [
  { name: "root-dash", shell: "dash" },
  { name: "root-bash", shell: "bash", firewall: "iptables-legacy" },
  { name: "root-busybox", shell: "busybox", firewall: "iptables-nft" },
  { name: "root-only-busybox", ...onlyBusybox },
  { name: "sudo-dash", shell: "dash", user: "ops", firewall: "iptables-nft" },
  { name: "sudo-bash", shell: "bash", user: "ops" },
  { name: "sudo-busybox", shell: "busybox", user: "ops", firewall: "iptables-legacy" },
  { name: "sudo-only-busybox", ...onlyBusybox, user: "ops", firewall: "iptables-legacy" },
  { name: "root-noexec-tmp", noexecTmp: true },
  { name: "sudo-noexec-tmp", noexecTmp: true, user: "ops" },
  { name: "root-slow", slowLoginSeconds: 2 },
  { name: "sudo-slow", slowLoginSeconds: 2, user: "ops", shell: "busybox" },
  { name: "root-talks-to-stderr", chattyLogin: "stderr", shell: "bash" },
  { name: "sudo-talks-to-stderr", chattyLogin: "stderr", user: "ops" },
];
const names = works.map(({ name }) => name);
const talkers = ["root-talks-to-stdout", "sudo-talks-to-stdout"];

describeLab(
  "a deploy",
  () => {
    let lab: Lab;
    let deployment: Deployment;
    const before = new Map<string, string>();

    beforeAll(async () => {
      const fails = talkers.map((name) => ({ name, chattyLogin: "stdout" as const, user: userOf(name) }));
      lab = await Lab.create({ hosts: [...works, ...fails] });
      for (const host of lab.hosts) {
        before.set(host.name, await filesOf(host));
      }
      deployment = new Deployment(lab);
      const hosts = names.map((name) => [name, hostEntry(lab, lab.host(name))]);
      await deployment.apply({ hosts: Object.fromEntries(hosts) });
    }, 300_000);
    afterAll(() => lab?.destroy());

    test.each(names)("locks the host %s, and leaves no file in a home or in /tmp", async (name) => {
      const host = lab.host(name);
      expect(await statusOf(host)).toMatchObject({ code: 0, state: "locked", rules: "matches" });
      expect((await host.ssh("echo in")).stdout).toMatch(/in\n$/);
      await eventually("what it uploaded is gone", async () => (await filesOf(host)) === before.get(name));
      await eventually("nothing but the guard is left", () => isAtRest(host) && ours(host).length <= 1);
    });

    test("opens them all again, and keeps only the log", async () => {
      await deployment.destroy();
      for (const name of names) {
        const host = lab.host(name);
        expect((await host.exec(["ls", "-A", STATE])).stdout).toBe("log\n");
        await eventually("what it uploaded is gone", async () => (await filesOf(host)) === before.get(name));
        await eventually("nothing is left", () => ours(host).length === 0);
      }
    }, 300_000);

    test.each(talkers)("to %s fails in Terraform's upload, before the host is changed", async (name) => {
      const host = lab.host(name);
      const terraform = await new Deployment(lab).prepare({ hosts: { [name]: hostEntry(lab, host) } });
      const { code, stderr } = await terraform.apply([], { check: false });
      expect(code).toBe(1);
      // Terraform takes the first letter of the greeting for scp's word that it failed, and the rest for its reason.
      expect(stderr).toContain(`Failed to upload script: elcome to ${name}.`);
      expect((await lockdowns(terraform))[name]).not.toBe("healthy");
      expect(await host.rules()).toBe("");
      // scp on the host may have begun, before Terraform hung up: with a file of no bytes.
      expect(await filesOf(host, "! -empty -o ! -name '.ssh-only-firewall-*.sh'")).toBe(before.get(name));
      expect(await host.exec(["test", "-e", STATE], { check: false })).toMatchObject({ code: 1 });
    });
  },
  { needs: "terraform" },
);

describeLab(
  "a deploy to a user whose home others can enter",
  () => {
    /** Overwrites what a deploy uploads, as soon as it may: once each, for what runs cannot be written to. */
    const attack = `
      my $script = "#!/bin/sh\\nsudo -n /bin/sh -c 'id >/run/owned'\\nexit 0\\n";
      while (1) {
        for my $folder ("/home/ops", "/home/ops/.ssh") {
          opendir(my $listing, $folder) or next;
          for my $name (grep { /^\\.ssh-only-firewall-/ && !$done{$_} } readdir($listing)) {
            open(my $file, "+<", "$folder/$name") or next;
            $done{$name} = 1;
            truncate($file, 0);
            print $file $script;
            close($file);
          }
        }
      }`;
    let lab: Lab;
    let host: Host;

    beforeAll(async () => {
      lab = await Lab.create({ hosts: [{ name: "watched", user: "ops", provision: "chmod 0755 /home/ops" }] });
      [host] = items(lab.hosts, 1);
    }, 60_000);
    afterAll(() => lab?.destroy());

    test("lets no other local user overwrite the script that becomes root", async () => {
      const bait = "/home/ops/.ssh-only-firewall-bait";
      await host.exec(`touch ${bait} && chmod 0777 ${bait}`);
      const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
      const attacker = host.spawn([...nobody, "perl", "-e", attack]);
      await eventually("the attacker is at work", async () => (await host.exec(["cat", bait])).stdout !== "");
      const deployment = new Deployment(lab);
      const { code } = await (await deployment.prepare()).apply([], { check: false });
      const owned = await host.exec("cat /run/owned", { check: false });
      expect({ code, owned: owned.stdout }).toEqual({ code: 0, owned: "" });
      await deployment.destroy();
      expect(await host.exec(["test", "-e", "/run/owned"], { check: false })).toMatchObject({ code: 1 });
      expect([attacker.exitCode, attacker.signalCode]).toEqual([null, null]);
      attacker.kill();
    }, 120_000);
  },
  { needs: "terraform" },
);

function userOf(name: string): string {
  return name.startsWith("sudo-") ? "ops" : "root";
}

/** Everything in homes and in the folders that all may write to, or what of it passes a test of find's. */
async function filesOf(host: Host, which = ""): Promise<string> {
  return (await host.exec(`find /root /home /tmp /var/tmp -xdev ${which} | sort`)).stdout;
}

const ours = (host: Host): string[] => host.processes().filter((line) => line.includes("ssh-only-firewall"));
