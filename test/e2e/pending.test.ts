/** A host between lock and confirm: late confirms, second deploys, and a watchdog that never stops trying. */
import { setTimeout as sleep } from "node:timers/promises";
import { defined, items } from "../support/required";
import { type HostProps, PolicyException } from "../../lib/index";
import { describeLab } from "../lab/describe-lab";
import { type Host, type HostFirewall, Lab, type RunResult } from "../lab/lab";
import { HostProgram, lockSettings, rulesetsFor } from "../program/support/host-program";
import {
  Apply,
  firewalls,
  foreignRules,
  holdLogins,
  isAtRest,
  isLoaded,
  lockdowns,
  saidBy,
  stateFile,
  STATE,
  statusOf,
  watchdogs,
  withoutEmptyTables,
} from "./support/drill";
import { Deployment, type DeploymentProps, hostEntry } from "./support/deployment";
import { words } from "./support/tracked-deployment";
import { eventually } from "../support/eventually";

const entries = (lab: Lab, hosts: readonly Host[], own: Partial<HostProps> = {}): Record<string, HostProps> =>
  Object.fromEntries(hosts.map((host) => [host.name, hostEntry(lab, host, own)]));

const updated: DeploymentProps = { exceptions: [PolicyException.ping()] };

/** Files that would load rules after a restart. */
async function bootFiles(host: Host): Promise<string> {
  const { stdout } = await host.exec("find /etc/init.d /etc/rc*.d -name '*ssh-only*'", { check: false });
  return stdout;
}

describeLab(
  "a confirm that comes too late",
  () => {
    const hosts = firewalls.flatMap((firewall) =>
      (["open", "locked"] as const).map((before) => ({ name: `${before}-${firewall}`, firewall, before })),
    );
    const rulesBefore = new Map<string, string>();
    const bootBefore = new Map<string, string>();
    let lab: Lab;
    let apply: RunResult;
    let inState: Record<string, string>;

    beforeAll(async () => {
      lab = await Lab.create({
        hosts: hosts.map(({ name, firewall }) => ({
          name,
          firewall,
          provision: `${foreignRules[firewall]}\n${holdLogins}`,
        })),
      });
      const deployment = new Deployment(lab);
      const locked = lab.hosts.filter(({ name }) => name.startsWith("locked-"));
      await Promise.all(locked.map((host) => host.exec("rm /run/hold-logins")));
      await deployment.apply({ hosts: entries(lab, locked) });
      await Promise.all(locked.map((host) => host.exec(": >/run/hold-logins")));
      for (const host of lab.hosts) {
        rulesBefore.set(host.name, await host.rules());
        bootBefore.set(host.name, await bootFiles(host));
      }
      const terraform = await deployment.prepare({
        ...updated,
        confirmWithinSeconds: 10,
        hosts: entries(lab, lab.hosts),
      });
      apply = await terraform.apply([`-parallelism=${hosts.length}`], { check: false });
      inState = await lockdowns(terraform);
    }, 300_000);
    afterAll(() => lab?.destroy());

    test.each(hosts)(
      "fails the deploy of $name, keeps nothing, and reports that the host was restored",
      async ({ name, before }) => {
        const host = lab.host(name);
        const said = saidBy(name, apply.stdout);
        expect(said).toContain("loaded, and the live rules match the ruleset. The host is pending.");
        expect(said).toMatch(
          /Too late: this lock is no longer pending \(nobody confirmed it in time: .*\)\. Nothing of this lock was kept\.$/,
        );
        expect(said).toContain(
          before === "open"
            ? "(nobody confirmed it in time: the host is open)"
            : "(nobody confirmed it in time: the ruleset confirmed before is in force again)",
        );
        expect(inState[name]).not.toBe("healthy");
        expect(await host.rules()).toBe(rulesBefore.get(name));
        expect(await bootFiles(host)).toBe(bootBefore.get(name));
        expect(await statusOf(host)).toMatchObject({
          state: before,
          rules: before === "open" ? "none" : "matches",
        });
        await eventually("no watchdog is left", () => isAtRest(host));
      },
    );

    test("fails for each host on its own", () => {
      expect(apply.code).toBe(1);
      expect(words(apply).match(/exited with (non-zero exit status: |status )9\b/g)).toHaveLength(hosts.length);
    });
  },
  { needs: "terraform" },
);

describeLab(
  "a deploy to a host that is pending",
  () => {
    let lab: Lab;
    beforeAll(async () => {
      lab = await Lab.create({
        hosts: firewalls.flatMap((firewall) => [
          { name: `killed-${firewall}`, firewall, provision: holdLogins },
          { name: `raced-${firewall}`, firewall },
          { name: `again-${firewall}`, firewall },
          // Two ways in, of which one waits while a lock is pending.
          { name: `overtaken-${firewall}`, firewall, user: "ops", provision: holdLogins },
        ]),
      });
    });
    afterAll(() => lab?.destroy());

    test("because the first one's Terraform was killed, ends locked, with one record pending at any time and no watchdog left", async () => {
      const hosts = lab.hosts.filter(({ name }) => name.startsWith("killed-"));
      const deployment = new Deployment(lab);
      const terraform = await deployment.prepare({ hosts: entries(lab, hosts) });
      const first = Apply.start(lab, terraform);
      await eventually("all hosts are pending", () => hosts.every(isLoaded));
      await first.kill();
      const attempts = hosts.map((host) => stateFile(host, "pending"));

      // It outlives its session, and what a terminal that goes away sends.
      await Promise.all(
        hosts.map((host) => host.exec(`pkill -KILL -P "$(cat /run/sshd.pid)"; pkill -HUP -f '${dog}'`)),
      );
      await eventually("the sessions are gone", () => hosts.every((host) => !host.processes().some(isSession)));
      await sleep(1500);
      for (const host of hosts) {
        expect(watchdogs(host)).toHaveLength(1);
        expect(await openFiles(host)).toEqual(["/dev/null", "/dev/null", "/dev/null"]);
        expect(await statusOf(host)).toMatchObject({ state: "pending", rules: "matches" });
        await host.exec(["rm", "/run/hold-logins"]);
      }

      const seen = new Set<string | undefined>();
      const watch = setInterval(() => hosts.forEach((host) => seen.add(stateFile(host, "pending"))), 5);
      try {
        await deployment.apply({ hosts: entries(lab, hosts) });
      } finally {
        clearInterval(watch);
      }
      // Each time one attempt, or none: the first, the second, and nothing once it is confirmed.
      for (const pending of [...seen].filter((one) => one !== undefined)) {
        expect(pending).toMatch(/^\S+ \S+ \d+ \S+$/);
      }
      expect(seen.size).toBeGreaterThan(hosts.length);
      for (const [index, host] of hosts.entries()) {
        expect(await statusOf(host)).toMatchObject({ state: "locked", rules: "matches" });
        expect(stateFile(host, "confirmed")).not.toBe(attempts[index]);
        expect((await host.exec(`ls ${STATE}/records`)).stdout.trim().split("\n")).toHaveLength(1);
        await eventually("no watchdog is left", () => watchdogs(host).length === 0);
      }
    });

    test("from another state at the same time ends with one lock, and the other deploy reports why it failed", async () => {
      const hosts = lab.hosts.filter(({ name }) => /^(raced|again)-/.test(name));
      const deployments = [new Deployment(lab), new Deployment(lab)];
      const terraforms = await Promise.all(
        deployments.map((deployment, index) =>
          deployment.prepare({ hosts: entries(lab, hosts), ...(index === 1 ? updated : {}) }),
        ),
      );
      const results = await Promise.all(terraforms.map((terraform) => terraform.apply([], { check: false })));
      const states = await Promise.all(terraforms.map(lockdowns));
      for (const host of hosts) {
        const winners = states.map((state) => state[host.name]);
        expect([...winners].sort()).toEqual(["healthy", "tainted"]);
        expect(saidBy(host.name, defined(results[winners.indexOf("tainted")]).stdout)).toMatch(
          /(An earlier run of this stack has locked this host .*The host was not changed\.|Another deploy has locked this host since .*)$/,
        );
        expect(await statusOf(host)).toMatchObject({ state: "locked", rules: "matches" });
        await eventually("no watchdog is left", () => isAtRest(host));
      }
      // The winners' destroy opens their hosts, the losers' leaves them locked.
      const [, second] = items(deployments, 2);
      await second.destroy();
      for (const host of hosts) {
        const state = defined(states[1])[host.name] === "healthy" ? "open" : "locked";
        expect(await statusOf(host)).toMatchObject({ state });
      }
    });

    test("from another state replaces the first lock, and the first confirm reports that", async () => {
      const hosts = lab.hosts.filter(({ name }) => name.startsWith("overtaken-"));
      const first = await new Deployment(lab).prepare({ hosts: entries(lab, hosts, { connection: { user: "root" } }) });
      const overtaken = first.apply([], { check: false });
      await eventually("all hosts are pending", () => hosts.every(isLoaded));
      const second = await new Deployment(lab).prepare({ ...updated, hosts: entries(lab, hosts) });
      // The last word on a host is that of the second; then the first may confirm.
      expect(await second.apply()).toMatchObject({ code: 0 });
      const { code, stdout } = await overtaken;
      expect(code).toBe(1);
      for (const host of hosts) {
        const said = saidBy(host.name, stdout).split("\n").at(-1) ?? "";
        expect(said).toMatch(/Another deploy has locked this host since/);
        expect(said).not.toContain("as it was before");
        expect(await statusOf(host)).toMatchObject({ state: "locked", rules: "matches" });
      }
    });
  },
  { needs: "terraform" },
);

/** While the file is there, the tools of the firewall fail, or refuse rulesets, and leave a mark. */
const brokenTools = `
for tool in nft iptables-nft-restore ip6tables-nft-restore iptables-legacy-restore ip6tables-legacy-restore; do
  [ -e /usr/sbin/$tool ] || continue
  cat >/usr/local/sbin/$tool <<'END'
#!/bin/sh
me=/usr/sbin/\${0##*/}
if [ -e /run/tools-fail ]; then echo failed >>/run/failures; exit 1; fi
if [ -e /run/rulesets-fail ]; then
  case "$*" in
    *-f\\ /*) text=$(cat "\${2}") ;;
    *list*) exec "$me" "$@" ;;
    *) text=$(cat; echo x); text=\${text%x} ;;
  esac
  case $text in
    *'chain input'* | *-A\\ SSH_ONLY_IN*) echo failed >>/run/failures; exit 1 ;;
  esac
  case "$*" in *-f\\ /*) exec "$me" "$@" ;; esac
  printf '%s' "$text" | exec "$me" "$@"
  exit
fi
exec "$me" "$@"
END
  chmod 0755 /usr/local/sbin/$tool
done
`;

describeLab("the watchdog of a pending host", () => {
  let lab: Lab;
  const programs = new Map<HostFirewall, HostProgram>();

  beforeAll(async () => {
    lab = await Lab.create({
      hosts: firewalls.map((firewall) => ({
        name: firewall,
        firewall,
        provision: `${foreignRules[firewall]}\n${brokenTools}`,
      })),
    });
    for (const host of lab.hosts) {
      programs.set(host.name as HostFirewall, await HostProgram.on(host));
    }
  });
  afterAll(() => lab?.destroy());
  beforeEach(() => onEach((program) => program.reset()));

  /** On the hosts of all firewalls at once; an error says on which it was. */
  async function onEach(check: (program: HostProgram, firewall: HostFirewall) => Promise<void>): Promise<void> {
    await Promise.all(
      [...programs].map(async ([firewall, program]) => {
        try {
          await check(program, firewall);
        } catch (error) {
          (error as Error).message = `with ${firewall}: ${(error as Error).message}`;
          throw error;
        }
      }),
    );
  }

  const failures = async (program: HostProgram): Promise<number> =>
    Number((await program.host.exec("cat /run/failures 2>/dev/null | wc -l")).stdout);

  test("retries while the tools fail, and opens the host once they work", () =>
    onEach(async (program) => {
      const before = await program.host.rules();
      await program.lock(lockSettings({ CONFIRM_WITHIN: "3" }));
      const locked = await program.host.rules();
      await program.host.exec("rm -f /run/failures; : >/run/tools-fail");
      await eventually("it has failed several times", async () => (await failures(program)) >= 4);
      expect(await program.host.rules()).toBe(locked);
      expect(program.watchdogs().length).toBeGreaterThan(0);
      expect(stateFile(program.host, "pending")).toBeDefined();
      await program.host.exec("rm /run/tools-fail");
      await eventually("the host is open", () => isAtRest(program.host));
      expect(await program.host.rules()).toBe(before);
      expect(await program.status()).toMatchObject({ state: "open", rules: "none" });
    }));

  test("restores the confirmed ruleset if the tools work again in time", () =>
    onEach(async (program) => {
      await program.lockForGood();
      const confirmed = await program.host.rules();
      await program.lock(lockSettings({ ...rulesetsFor(2222), SKIP_PREFLIGHT: "true", CONFIRM_WITHIN: "3" }));
      await program.host.exec("rm -f /run/failures; : >/run/rulesets-fail");
      await eventually("it has failed", async () => (await failures(program)) >= 1);
      await program.host.exec("rm /run/rulesets-fail");
      await eventually("it has come to rest", () => isAtRest(program.host));
      expect(await program.host.rules()).toBe(confirmed);
      expect(await program.status()).toMatchObject({ state: "locked", rules: "matches" });
    }));

  test("opens the host if the confirmed ruleset fails to load three times, because reachable comes first", () =>
    onEach(async (program) => {
      const before = await program.host.rules();
      await program.lockForGood();
      await program.lock(lockSettings({ ...rulesetsFor(2222), SKIP_PREFLIGHT: "true", CONFIRM_WITHIN: "3" }));
      await program.host.exec("rm -f /run/failures; : >/run/rulesets-fail");
      try {
        await eventually("it has come to rest", () => isAtRest(program.host));
      } finally {
        await program.host.exec("rm /run/rulesets-fail");
      }
      expect(await failures(program)).toBe(3);
      expect(await program.host.rules()).toBe(before);
      expect(await program.status()).toMatchObject({ state: "open", rules: "none" });
      expect(stateFile(program.host, "log")).toMatch(/the ruleset confirmed before did not load: the host is OPEN$/);
    }));

  test("waits for missing tools instead of taking the host for open", () =>
    onEach(async (program) => {
      const before = await program.host.rules();
      await program.lock(lockSettings({ CONFIRM_WITHIN: "3" }));
      const locked = await program.host.rules();
      await program.host.exec(`for folder in /usr/sbin /usr/local/sbin; do mkdir $folder/away
        for t in $folder/*tables* $folder/nft; do [ ! -e $t ] || mv $t $folder/away; done; done`);
      await sleep(5000);
      expect(stateFile(program.host, "pending")).toBeDefined();
      expect(await program.host.rules()).toBe(locked);
      await program.host.exec(
        "for folder in /usr/sbin /usr/local/sbin; do mv $folder/away/* $folder; rmdir $folder/away; done",
      );
      await eventually("the host is open", () => isAtRest(program.host));
      expect(await program.host.rules()).toBe(before);
    }));

  test("ends if somebody rolls back or unlocks manually, or another lock replaces its own", () =>
    onEach(async (program) => {
      const before = await program.host.rules();
      for (const verb of ["rollback", "unlock"]) {
        await program.lock();
        expect(await program.run(verb)).toMatchObject({ code: 0, stderr: "" });
        expect(await program.host.rules()).toBe(before);
        await eventually("no watchdog is left", () => isAtRest(program.host));
      }
      await program.lock();
      await program.lock();
      await eventually("one watchdog is left", () => program.watchdogs().length === 1);
    }));

  test("ignores another owner's unlock", () =>
    onEach(async (program) => {
      await program.lock();
      const locked = await program.host.rules();
      const { code, stdout } = await program.run("unlock", "somebody-else");
      expect(code).toBe(0);
      expect(stdout).toMatch(/This host is locked by another owner \(hold owner-1, .*The host was not changed\.\n$/);
      expect(await program.host.rules()).toBe(locked);
      expect(await program.status()).toMatchObject({ state: "pending", rules: "matches" });
      await eventually("one watchdog is left", () => program.watchdogs().length === 1);
    }));

  test("is not needed after a restart: the lock counts as rolled back", () =>
    onEach(async (program, firewall) => {
      const before = withoutEmptyTables(await program.host.rules());
      const settings = lockSettings();
      await program.lock(settings);
      // The kernel, and so the name of its boot, is the machine's here; what a restart would change is changed by hand.
      await program.host.exec(`sed -i 's/ .*/ another-boot/' ${STATE}/pending`);
      await program.host.reboot();
      await program.host.exec(foreignRules[firewall]);
      expect(await program.status()).toMatchObject({ state: "open", rules: "none" });
      const { code, stderr } = await program.confirm(settings);
      expect(code).toBe(9);
      expect(stderr).toContain(
        "Too late: this lock is no longer pending (the host was restarted: the rules were not kept)",
      );
      expect(withoutEmptyTables(await program.host.rules())).toBe(before);
    }));
});

const dog = "[h]ost.sh watchdog";
const isSession = (line: string): boolean => /^sshd: (?!.*\[listener\])/.test(line);

/** What the watchdog holds open. */
async function openFiles(host: Host): Promise<string[]> {
  const { stdout } = await host.exec(`ls -l /proc/$(pgrep -f '${dog}')/fd | sed -n 's/.* -> //p'`);
  return stdout
    .trim()
    .split("\n")
    .filter((file) => !file.includes("host.sh"));
}
