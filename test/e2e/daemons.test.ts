/**
 * Hosts with real daemons that need the network: each is refused before any change, and locked, restarted and reached when the remedy
 * that the refusal names is followed; and the daemon still works. DAEMONS=all (`npm run test:daemons`) has all of them.
 */
import type { CheckReport, HostCheck } from "../../lib/check/check-report";
import type { HostProps } from "../../lib/index";
import { program } from "../cli/support/run";
import { nsenter } from "../lab/host";
import { type Host, Lab, machine, type RunResult } from "../lab/lab";
import { describeBooted } from "../lab/systemd-root";
import { terraformEnvironment } from "../lab/terraform";
import { eventually } from "../support/eventually";
import { serveMetadata, serveNames } from "./support/controller-servers";
import { type Daemon, daemons, hostsIn, PARTNER, system } from "./support/daemons";
import { Deployment, type EntryOverrides, hostEntry } from "./support/deployment";
import { saidBy, STATE, statusOf } from "./support/drill";

jest.setTimeout(600_000);
/** cloud-init takes its time, and several boot at once. */
const patience = { seconds: 180 };

/** Every file of ours that could be there, but for the lock that each run takes, and all rules. */
const traces = async (host: Host): Promise<string> =>
  (
    await host.exec(
      `ls -A ${STATE} 2>/dev/null; find /etc /run -name '*ssh-only-firewall*' ! -name ssh-only-firewall.lock; :`,
    )
  ).stdout + (await host.rules());

describeBooted(
  "a host with a daemon that needs the network",
  [system],
  () => {
    let lab: Lab;
    let deployment: Deployment;
    let checked: Readonly<Record<string, HostCheck>>;
    let refused: RunResult;
    const tracesBefore = new Map<string, string>();
    const tracesAfter = new Map<string, string>();
    const bootIds = new Map<string, string>();

    const host = (daemon: Daemon): Host => lab.host(daemon.name);
    const entries = (overrides: (daemon: Daemon) => EntryOverrides): Record<string, HostProps> =>
      Object.fromEntries(
        daemons.map((one) => {
          const { name, address, port } = one;
          return [name, hostEntry(lab, host(one), { address, connection: { port }, ...overrides(one) })];
        }),
      );

    async function works(daemon: Daemon): Promise<void> {
      const where = daemon.seenBy === "partner" ? lab.host("partner") : host(daemon);
      await eventually(`${daemon.name} works`, async () => {
        const { code, stdout, stderr } = await where.exec(daemon.works, { check: false });
        expect({ code, said: code === 0 ? "" : stdout + stderr }).toEqual({ code: 0, said: "" });
      });
    }

    const reached = (daemon: Daemon): Promise<void> =>
      eventually(`${daemon.name} is reached over SSH`, async () => {
        const options = [`HostName=${daemon.address ?? host(daemon).ipv4}`, `HostKeyAlias=${daemon.name}`];
        expect((await host(daemon).ssh("echo reached", { options, port: daemon.port })).stdout).toBe("reached\n");
      });

    const bootId = async (one: Daemon): Promise<string> =>
      (await host(one).exec(["stat", "-c", "%Y", "/proc/1"])).stdout;

    /** The first boots are over, and each daemon has found its peers. */
    async function boot(): Promise<void> {
      const [partner, ...others] = hostsIn(lab);
      await lab.addHosts(partner === undefined ? [] : [partner]);
      expect(lab.host("partner").ipv4).toBe(PARTNER);
      await machine.exec([
        ...nsenter(lab.host("partner").initPid),
        "--net",
        "sh",
        "-c",
        "echo 1 >/proc/sys/net/ipv4/ip_forward",
      ]);
      await lab.controller.exec(`ip route add 10.99.0.0/24 via ${PARTNER}`);
      await lab.addHosts(others);
      await Promise.all(
        daemons.map(async (daemon) => {
          await host(daemon).untilBooted(patience);
          await host(daemon).exec(daemon.afterFirstBoot ?? ":");
          await works(daemon);
        }),
      );
    }

    async function check(): Promise<Readonly<Record<string, HostCheck>>> {
      const argv = program("ssh-only-firewall", "check", "--json", "--stack", deployment.stack.folder);
      const { stdout } = await lab.controller.exec(argv, { check: false, env: terraformEnvironment(lab) });
      const { hosts } = JSON.parse(stdout) as CheckReport;
      return Object.fromEntries(hosts.map((one) => [one.host, one]));
    }

    beforeAll(async () => {
      lab = await Lab.create();
      await serveNames(lab, 600);
      await serveMetadata(lab);
      await boot();
      deployment = new Deployment(lab);
      const parallel = [`-parallelism=${daemons.length}`];
      for (const one of daemons) {
        tracesBefore.set(one.name, await traces(host(one)));
      }
      const without = await deployment.prepare({ hosts: entries(() => ({})) });
      checked = await check();
      refused = await without.apply(parallel, { check: false });
      for (const one of daemons) {
        tracesAfter.set(one.name, await traces(host(one)));
        await host(one).exec(one.change ?? ":");
      }
      const followed = entries(({ exceptions }) => ({ exceptions }));
      await (await deployment.prepare({ hosts: followed })).apply(parallel);
      await Promise.all(daemons.map((one) => host(one).reboot()));
      for (const one of daemons) {
        await host(one).untilBooted(patience);
        bootIds.set(one.name, await bootId(one));
      }
    }, 600_000);
    afterAll(() => lab?.destroy());

    test.each(daemons)("($name) is refused with its word and its remedy, and nothing is changed", (daemon) => {
      expect(checked[daemon.name]).toMatchObject({
        is: "refused",
        reasons: [{ word: daemon.word, text: expect.stringMatching(daemon.says) }],
      });
      const said = saidBy(daemon.name, refused.stdout);
      expect(said).toMatch(daemon.says);
      expect(said).toMatch(/The host was not changed\.$/);
      expect(tracesAfter.get(daemon.name)).toBe(tracesBefore.get(daemon.name));
    });

    test.each(daemons)("($name) is locked after a restart, reached, and works, with that remedy", async (daemon) => {
      await works(daemon);
      await reached(daemon);
      expect(await statusOf(host(daemon))).toMatchObject({ code: 0, state: "locked", rules: "matches" });
      expect(await bootId(daemon)).toBe(bootIds.get(daemon.name));
    });
  },
  ["dnsmasq"],
);
