/** Rules that cut Terraform off, and whatever else ends a lock half-way: the host comes back by itself. */
import { basename } from "node:path";
import pLimit from "p-limit";
import { defined } from "../support/required";
import { type HostProps, PolicyException } from "../../lib/index";
import { describeLab } from "../lab/describe-lab";
import { type Host, Lab, type RunResult } from "../lab/lab";
import { terraformProgram } from "../lab/terraform";
import {
  Apply,
  firewalls,
  foreignRules,
  holdLogins,
  isAtRest,
  isLoaded,
  isPending,
  Knocker,
  lockdowns,
  saidBy,
  STATE,
  stateFile,
  statusOf,
  withoutEmptyTables,
} from "./support/drill";
import { Deployment, type DeploymentProps, hostEntry } from "./support/deployment";
import { eventually } from "../support/eventually";

/** Each would leave Terraform outside; only the watchdog stands against them, for the pre-flight would refuse them. */
const mistakes = {
  port: { sshPort: 2222 },
  source: { allowFrom: ["192.0.2.0/24", "2001:db8::/32"] },
} as const satisfies Record<string, Partial<HostProps>>;

const scenarios = [
  { mistake: "port", before: "no rules at all" },
  { mistake: "source", before: "rules of somebody else" },
  { mistake: "port", before: "a confirmed ruleset" },
  { mistake: "source", before: "a confirmed ruleset" },
] as const;

const drill = { confirmWithinSeconds: 10 } satisfies DeploymentProps;

/** A host before and after. */
interface Outcome {
  readonly rulesBefore: string;
  readonly rules: string;
  readonly state: string;
  readonly liveRules: string;
  readonly login: string;
}

/** Looked at once the host has come to rest. */
async function outcomeOf(host: Host, rulesBefore: string): Promise<Outcome> {
  await eventually(`${host.name} has come to rest`, () => isAtRest(host), { seconds: 100 });
  const { state, rules: liveRules } = await statusOf(host);
  const { stdout } = await host.ssh("echo in", { check: false });
  return { rulesBefore, rules: await host.rules(), state, liveRules, login: stdout };
}

function expectAsBefore({ rulesBefore, rules, state, liveRules, login }: Outcome, locked: boolean): void {
  expect({ state, liveRules, login }).toEqual({
    state: locked ? "locked" : "open",
    liveRules: locked ? "matches" : "none",
    login: "in\n",
  });
  // Byte for byte, but for the empty tables that iptables makes where there are none.
  expect(rulesBefore === "" ? withoutEmptyTables(rules) : rules).toBe(rulesBefore);
}

/** The hosts as the configuration has them, all with the same mistake or none. */
const entries = (lab: Lab, hosts: readonly Host[], own: Partial<HostProps> = {}): Record<string, HostProps> =>
  Object.fromEntries(hosts.map((host) => [host.name, hostEntry(lab, host, own)]));

describeLab(
  "a ruleset that would cut Terraform off",
  () => {
    const drills = firewalls.flatMap((firewall) =>
      scenarios.map((scenario, index) => ({ ...scenario, firewall, name: `${firewall}-${index}` })),
    );
    const isLocked = (before: string): boolean => before === "a confirmed ruleset";
    const outcomes = new Map<string, Outcome>();
    let lab: Lab;
    let apply: RunResult;
    let inState: Record<string, string>;
    let answered: string[];

    // All at once: each takes as long as the host waits for its confirm.
    beforeAll(async () => {
      lab = await Lab.create({
        hosts: drills.map(({ name, firewall, before }) => ({
          name,
          firewall,
          provision: before === "rules of somebody else" ? foreignRules[firewall] : undefined,
        })),
      });
      const deployment = new Deployment(lab);
      const locked = drills.filter(({ before }) => isLocked(before)).map(({ name }) => lab.host(name));
      await deployment.apply({ hosts: entries(lab, locked) });
      const rulesBefore = await Promise.all(lab.hosts.map((host) => host.rules()));

      const stranger = await lab.peer();
      const knocker = await Knocker.start(stranger.place, locked, 80);
      const hosts = drills.map(({ name, mistake }) =>
        // Terraform dials the port that sshd has, whatever the policy says.
        entries(lab, [lab.host(name)], { ...mistakes[mistake], connection: { port: 22 } }),
      );
      const terraform = await deployment.prepare({ ...drill, skipPreflight: true, hosts: Object.assign({}, ...hosts) });
      apply = await terraform.apply([`-parallelism=${drills.length}`], { check: false });
      const found = await Promise.all(lab.hosts.map((host, index) => outcomeOf(host, defined(rulesBefore[index]))));
      found.forEach((outcome, index) => outcomes.set(defined(lab.hosts[index]).name, outcome));
      answered = await knocker.stop();
      inState = await lockdowns(terraform);
    }, 300_000);
    afterAll(() => lab?.destroy());

    test("fails the deploy, and no host is locked in the state", () => {
      expect(apply.code).toBe(1);
      expect(Object.values(inState)).not.toContain("healthy");
    });

    describe.each(firewalls)("with %s", (firewall) => {
      test.each(drills.filter((one) => one.firewall === firewall))(
        "with the wrong $mistake, over $before, is rolled back automatically, and the host is restored",
        async ({ name, before }) => {
          const host = lab.host(name);
          expectAsBefore(outcomes.get(name) as Outcome, isLocked(before));
          expect(await lab.scanTcp(host, { ports: "22,80" })).toMatchObject(
            isLocked(before) ? { open: [22], filteredCount: 1 } : { open: [22], closed: [80] },
          );
          // Said before the connection could be cut.
          expect(saidBy(name, apply.stdout)).toContain(
            "Unless this lock is confirmed within 10 s, the host rolls back automatically",
          );
          expect(stateFile(host, "log")).toMatch(/ rolled back lock \S+: .*$/);
        },
      );
    });

    test("never opens what a confirmed ruleset has closed", () => {
      expect(answered).toEqual([]);
    });
  },
  { needs: "terraform" },
);

describeLab(
  "a lock that is cut off half-way",
  () => {
    const ways = [
      { way: "its SSH session is killed right after arming", before: "open" },
      { way: "its SSH session is killed right after arming", before: "locked" },
      { way: "Terraform is killed right after arming", before: "open" },
      { way: "Terraform is killed right after arming", before: "locked" },
      { way: "Terraform is killed before it can confirm", before: "open" },
      { way: "Terraform is killed before it can confirm", before: "locked" },
    ] as const;
    const cuts = firewalls.flatMap((firewall) =>
      ways.map((way, index) => ({ ...way, firewall, name: `${firewall}-${index}` })),
    );
    const outcomes = new Map<string, Outcome & { readonly inState: string | undefined }>();
    const deployments = new Map<string, Deployment>();
    let lab: Lab;

    const changed: DeploymentProps = { ...drill, exceptions: [PolicyException.ping()] };

    /** Ends the deploy of that host in that way, and waits for what becomes of the host. */
    async function cut({ way, before, name }: (typeof cuts)[number]): Promise<void> {
      const host = lab.host(name);
      const deployment = new Deployment(lab);
      deployments.set(name, deployment);
      const hosts = entries(lab, [host]);
      if (before === "locked") {
        await host.exec(["rm", "/run/hold-logins"], { check: false });
        await deployment.apply({ hosts });
      }
      await host.exec(": >/run/hold-logins");
      const rulesBefore = await host.rules();
      const terraform = await deployment.prepare({ ...changed, hosts });
      const killer = way.startsWith("its SSH session") ? host.exec(killSessions) : undefined;
      const apply = Apply.start(lab, terraform);
      if (killer !== undefined) {
        await killer;
        await apply.ended;
      } else {
        const moment = way.endsWith("right after arming") ? isPending : isLoaded;
        await eventually(`${name} is ${moment.name}`, () => moment(host), { seconds: 180 });
        await apply.kill();
      }
      const outcome = await outcomeOf(host, rulesBefore);
      outcomes.set(name, { ...outcome, inState: (await lockdowns(terraform))[name] });
    }

    beforeAll(async () => {
      lab = await Lab.create({
        hosts: cuts.map(({ name, firewall }) => ({ name, firewall, provision: holdLogins })),
      });
      // More Terraforms at a time would keep each other from getting to their hosts.
      const limit = pLimit(6);
      await Promise.all(cuts.map((one) => limit(() => cut(one))));
    }, 600_000);
    afterAll(() => lab?.destroy());

    describe.each(firewalls)("with %s", (firewall) => {
      test.each(cuts.filter((one) => one.firewall === firewall))(
        "because $way, restores a host that was $before",
        ({ name, way, before }) => {
          const { inState, ...outcome } = outcomes.get(name) as Outcome & { inState: string | undefined };
          expectAsBefore(outcome, before === "locked");
          if (writesAtTheEnd && way.startsWith("Terraform is killed")) {
            // The state is the earlier one, and so is the host.
            expect(inState).toBe(before === "locked" ? "healthy" : undefined);
          } else {
            expect(inState).not.toBe("healthy");
          }
        },
      );
    });

    test("does not keep the next deploy from locking the host", async () => {
      await Promise.all(
        cuts.map(async ({ name }) => {
          const host = lab.host(name);
          await host.exec(["rm", "-f", "/run/hold-logins"]);
          await (deployments.get(name) as Deployment).apply({ ...changed, hosts: entries(lab, [host]) });
          expect(await statusOf(host)).toMatchObject({ state: "locked", rules: "matches" });
          await eventually("no watchdog is left", () => isAtRest(host));
        }),
      );
    }, 300_000);
  },
  { needs: "terraform" },
);

/** A state in a file, which Terraform writes as often as something has changed. */
const writesAtTheEnd = basename(terraformProgram()) === "tofu";

/** Of sshd all but the listener. */
const killSessions = `while [ ! -s ${STATE}/pending ]; do sleep 0.01; done; pkill -KILL -P "$(cat /run/sshd.pid)"`;
