/** `check` of a fleet with a host of each kind: it says what the deploy then says, and changes nothing. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CheckReport, HostCheck } from "../../lib/check/check-report";
import { emptyFolder, program } from "../cli/support/run";
import { describeLab } from "../lab/describe-lab";
import { type Host, Lab, type RunResult } from "../lab/lab";
import { terraformEnvironment } from "../lab/terraform";
import { controllerOnly, Deployment, type EntryOverrides, hostEntry } from "./support/deployment";
import { lockScript } from "./support/lock-script";

jest.setTimeout(300_000);

const LAB_HOSTS = [
  { name: "plain" },
  { name: "old", firewall: "iptables-legacy" as const },
  { name: "ops", user: "ops", shell: "busybox" as const },
  { name: "leased" },
  { name: "taken" },
  { name: "rootless", user: "ops", sudo: false },
  {
    name: "shless",
    user: "ops",
    provision: "echo 'ops ALL=(ALL) NOPASSWD: ALL, !/bin/sh, !/usr/bin/sh' >>/etc/sudoers",
  },
  { name: "ttys", user: "ops", provision: "echo 'Defaults requiretty' >>/etc/sudoers" },
  { name: "jump", user: "hop" },
  { name: "behind" },
  { name: "noexec", boot: "mount --bind /root /root && mount -o remount,bind,noexec /root" },
];

describeLab("check", () => {
  let lab: Lab;
  let fleetFile: string;
  let deployment: Deployment;

  const check = (...args: readonly string[]): Promise<RunResult> =>
    lab.controller.exec(program("ssh-only-firewall", "check", ...args), {
      check: false,
      env: terraformEnvironment(lab),
    });
  const checked = async (...args: readonly string[]): Promise<Record<string, HostCheck>> => {
    const { stdout, stderr, code } = await check("--json", ...args);
    expect(stderr).toBe("");
    const report = JSON.parse(stdout) as CheckReport;
    expect(code).toBe(report.ready ? 0 : 2);
    return Object.fromEntries(report.hosts.map((host) => [host.host, host]));
  };
  /** Every file where programs write, but for what any login and sudo write; and all rules. */
  const everything = async (host: Host): Promise<string> => {
    const { stdout } = await host.exec(
      `find /etc /var/lib /root /home /run/* /usr/local/sbin /tmp -xdev ! -path '/run/sudo*' ! -name ssh-only-firewall.lock ! -name 'utmp*' -printf '%p %y %m %U:%G %s %T@ %l\\n' | sort; cat /proc/net/ip_tables_names /proc/net/ip6_tables_names 2>/dev/null`,
    );
    return stdout + (await host.rules());
  };
  const props = (): Record<string, ReturnType<typeof hostEntry>> => ({
    plain: hostEntry(lab, lab.host("plain")),
    old: hostEntry(lab, lab.host("old")),
    ops: hostEntry(lab, lab.host("ops")),
    leased: hostEntry(lab, lab.host("leased")),
    taken: hostEntry(lab, lab.host("taken")),
    rootless: hostEntry(lab, lab.host("rootless")),
    shless: hostEntry(lab, lab.host("shless")),
    ttys: hostEntry(lab, lab.host("ttys")),
    noexec: hostEntry(lab, lab.host("noexec")),
    behind: hostEntry(lab, lab.host("behind"), behind()),
    far: hostEntry(lab, lab.host("behind"), { address: "10.77.0.251", ...behind() }),
    shut: hostEntry(lab, lab.host("behind"), { sshPort: 23, ...behind() }),
    lost: hostEntry(lab, lab.host("behind"), { sshPort: 24, ...behind({ port: 2299 }) }),
    stranger: hostEntry(lab, lab.host("behind"), { sshPort: 25, ...behind({ user: "nobody" }) }),
    gone: hostEntry(lab, lab.host("plain"), { address: "10.77.0.250", connection: { timeoutSeconds: 10 } }),
    keyless: hostEntry(lab, lab.host("plain"), {
      sshPort: 22,
      connection: { port: 2222, privateKeyPath: `${lab.privateKeyPath}.pub` },
    }),
  });

  /** Terraform before 1.15 compares the bastion's key with that of the host. */
  const behind = (bastion: object = {}): EntryOverrides => ({
    allowFrom: [lab.host("jump").ipv4],
    connection: {
      hostKey: undefined,
      bastion: { host: lab.host("jump").ipv4, user: "hop", privateKeyPath: lab.privateKeyPath, ...bastion },
    },
  });

  beforeAll(async () => {
    lab = await Lab.create({ hosts: LAB_HOSTS });
    const taken = lockScript(lab.host("taken"), undefined, { STACK: "other", CONSTRUCT: "x", WORKSPACE: "default" });
    await lab.host("taken").exec(["/bin/sh"], { input: taken.script });
    await lab.host("taken").exec(`sh /var/lib/ssh-only-firewall/host.sh ${taken.confirm}`);
    await lab
      .host("leased")
      .exec(`/usr/sbin/ip addr change ${lab.host("leased").ipv4}/24 dev eth0 valid_lft 3600 preferred_lft 3600`);
    const hosts = props();
    fleetFile = join(emptyFolder(), "fleet.yaml");
    writeFileSync(
      fleetFile,
      JSON.stringify({ name: "stack", tracker: "terraform_data", allowFrom: controllerOnly, hosts }),
    );
    deployment = new Deployment(lab);
    await deployment.prepare({ hosts });
  });
  afterAll(() => lab?.destroy());

  test("names every host rightly, from a fleet file and from a synthesized stack, and changes not one byte", async () => {
    const before = await Promise.all(lab.hosts.map(everything));
    const found = await checked(fleetFile);
    const words = Object.fromEntries(
      Object.entries(found).map(([key, { is, reasons }]) => [key, [is, ...reasons.map(({ word }) => word)].join(" ")]),
    );
    expect(words).toEqual({
      plain: "ready",
      old: "ready",
      ops: "ready",
      leased: "refused lease",
      taken: "locked locked",
      rootless: "refused no-root",
      shless: "refused no-root",
      ttys: "refused no-root",
      noexec: "refused noexec",
      behind: "ready",
      far: "unreachable unreachable",
      shut: "unreachable unreachable",
      lost: "unreachable bastion",
      stranger: "unreachable bastion",
      gone: "unreachable unreachable",
      keyless: "unreachable public-key unreachable",
    });
    expect(found.leased?.reasons[0]?.text).toMatch(/is leased, .* add the exception dhcp-client/);
    expect(found.shless?.reasons[0]?.text).toMatch(/sudo does not run \/bin\/sh there/);
    expect(found.ttys?.reasons[0]?.text).toMatch(/\(requiretty\).* add "Defaults:USER !requiretty"/);
    expect(found.taken?.reasons[0]?.text).toMatch(/already locked by another owner \(hold owner-1, .*stack other/);
    const bastion = `hop@${lab.host("jump").ipv4}`;
    expect(found.behind?.notes[0]).toBe(`reached through the bastion ${bastion}, which answers`);
    expect(found.shut?.reasons[0]?.text).toMatch(
      new RegExp(
        `the bastion ${bastion} answers, and does not reach the host: open failed: .*refused: check the host's address`,
      ),
    );
    expect(found.lost?.reasons[0]?.text).toMatch(
      new RegExp(`the bastion ${bastion}:2299 lets nobody through: ssh: connect to host .* refused: log in there`),
    );
    expect(found.stranger?.reasons[0]?.text).toMatch(/ lets nobody through: .*Permission denied/);
    expect(await Promise.all(lab.hosts.map(everything))).toEqual(before);
    const ofStack = await checked("--stack", deployment.stack.folder);
    for (const [key, { is, reasons }] of Object.entries(found)) {
      expect([key, ofStack[key]?.is, ofStack[key]?.reasons]).toEqual([key, is, reasons]);
    }
    expect(await Promise.all(lab.hosts.map(everything))).toEqual(before);
  });

  test("agrees with the deploy, which locks what is ready and refuses the rest for the same reason", async () => {
    const found = await checked(fleetFile);
    // Terraform has a terminal.
    const without = ["gone", "keyless", "ttys", "far", "shut", "lost", "stranger"];
    const others = Object.fromEntries(Object.entries(props()).filter(([key]) => !without.includes(key)));
    const terraform = await deployment.prepare({ hosts: others });
    const { stdout, stderr } = await terraform.run(["apply", "-auto-approve"], { check: false });
    const printed = `${stdout}${stderr}`.replace(/\s*[│\n]\s*(?:\S+\[\S+\] \(remote-exec\): )?/g, " ");
    for (const key of ["leased", "taken"]) {
      expect(printed).toContain((found[key]?.reasons[0]?.text ?? "?").slice(0, 60));
    }
    expect(printed).toMatch(
      /sudo lets the user ops run commands without a password, but not \/bin\/sh: .* The host was not changed/,
    );
    const after = await checked("--stack", deployment.stack.folder);
    for (const [key, { ready }] of Object.entries(found).filter(([key]) => key in others)) {
      expect([key, after[key]?.is === "locked" && after[key]?.reasons.length === 0]).toEqual([key, ready]);
    }
    await lab.host("shless").exec("echo 'ops ALL=(ALL) NOPASSWD: /bin/sh' >>/etc/sudoers");
    await lab.host("ttys").exec("echo 'Defaults:ops !requiretty' >>/etc/sudoers");
    expect(await checked(fleetFile)).toMatchObject({ shless: { is: "ready" }, ttys: { is: "ready" } });
    expect(after.plain).toMatchObject({ is: "locked", ready: true, notes: [expect.stringMatching(/by this stack/)] });
  });
});
