import { PolicyException } from "../../lib/index";
import { describeLab } from "../lab/describe-lab";
import { Lab, type HostFirewall } from "../lab/lab";
import { noAnswers, openedAgain, Prober, type Knocks } from "./support/round-prober";
import { CountingSession, ListeningSession } from "./support/ssh-sessions";
import { controllerOnly, Deployment, hostEntries, type DeploymentProps } from "./support/deployment";
import { eventually } from "../support/eventually";
import { networkOf } from "./support/attempts";
import { Watch, type Seen } from "./support/frame-counter";

const firewalls: readonly HostFirewall[] = ["nftables", "iptables-nft", "iptables-legacy"];

/** What a host is told to let pass, one after the other. */
const changes: readonly DeploymentProps[] = [
  { allowFrom: [...controllerOnly, "192.0.2.7", "2001:db8::7"] },
  { allowFrom: [...controllerOnly, "192.0.2.0/24"] },
  { exceptions: [PolicyException.ntp(["192.0.2.123", "2001:db8::123"])], deniedOutbound: "drop" },
  {},
];

/** What was seen on one host that was locked, changed and unlocked. */
interface Observations {
  readonly rulesBefore: string;
  /** Connections that the kernel tracked while the sessions were open, before the lock. */
  readonly trackedBefore: string;
  readonly duringLock: Knocks;
  readonly duringUpdates: Knocks;
  /** What the host sent during the updates. */
  readonly sentDuringUpdates: Seen;
  /** The rules after the lock, and after each change. */
  readonly rules: readonly string[];
  readonly duringUnlock: Knocks;
  readonly counted: Awaited<ReturnType<CountingSession["finish"]>>;
  readonly heardAfterLock: number;
  readonly heard: readonly string[];
  readonly listening: Awaited<ReturnType<ListeningSession["finish"]>>;
}

let lab: Lab;
/** They go on at the same time; one that fails does not hide the others. */
const stories = new Map<HostFirewall, Promise<Observations>>();

describeLab(
  "while rules change",
  () => {
    jest.setTimeout(180_000);

    beforeAll(async () => {
      lab = await Lab.create({
        hosts: firewalls.map((firewall) => ({ name: firewall, firewall, listeners: true })),
      });
      for (const firewall of firewalls) {
        const story = lockChangeUnlock(firewall);
        story.catch(() => undefined);
        stories.set(firewall, story);
      }
    });

    afterAll(async () => {
      await Promise.allSettled(stories.values());
      await lab?.destroy();
    });

    describe.each(firewalls)("a host with %s", (firewall) => {
      let seen: Observations;

      beforeAll(async () => {
        seen = await (stories.get(firewall) as Promise<Observations>);
      });

      test("never answers at a closed port while its ruleset is changed", () => {
        expect(new Set(seen.rules).size).toBe(changes.length);
        expect(seen.duringUpdates.rounds).toBeGreaterThan(50);
        expect(seen.duringUpdates.answered).toEqual(noAnswers);
        expect(seen.sentDuringUpdates).toMatchObject({ others: [] });
      });

      test("is closed by the lock, and does not open again before it is unlocked", () => {
        const { answered, rounds } = seen.duringLock;
        for (const rounded of Object.values(answered)) {
          expect(rounded.length).toBeGreaterThan(0);
          expect(rounded.length).toBeLessThan(rounds);
        }
        expect(openedAgain(seen.duringLock)).toEqual(noAnswers);
        // The same prober hears the answers when there are some.
        for (const rounded of Object.values(seen.duringUnlock.answered)) {
          expect(rounded.length).toBeGreaterThan(0);
        }
      });

      test("loses nothing of a session that streams both ways through lock, changes and unlock", () => {
        expect(seen.counted).toEqual({ code: 0, said: "", lost: 0, wrong: undefined });
      });

      test("keeps sending in a session older than its firewall, to a silent client", () => {
        // Nothing tracked the session before, so that the firewall met it half-way.
        expect(seen.rulesBefore).toBe("");
        expect(seen.trackedBefore).toBe("0\n");
        expect(seen.heardAfterLock).toBeGreaterThan(5);
        const numbered = seen.heard.slice(0, -1);
        expect(numbered).toEqual(numbered.map((_, index) => `line ${index + 1}`));
        expect(seen.heard.at(-1)).toBe("enough");
        expect(seen.listening).toEqual({ code: 0, said: "" });
      });
    });
  },
  { needs: "terraform" },
);

async function lockChangeUnlock(firewall: HostFirewall): Promise<Observations> {
  const host = lab.host(firewall);
  const deployment = new Deployment(lab);
  const deploy = async (props: DeploymentProps): Promise<string> => {
    await deployment.apply({ hosts: hostEntries(lab, [host]), ...props });
    return host.rules();
  };
  const rulesBefore = await host.rules();
  const counting = CountingSession.open(host);
  const listening = ListeningSession.open(host);
  await eventually("both sessions are under way", () => counting.progress > 0 && listening.lines.length > 1);
  const tracked = "cat /proc/sys/net/netfilter/nf_conntrack_count 2>/dev/null || echo 0";
  const trackedBefore = (await networkOf(host).exec(tracked)).stdout;

  const atLock = await Prober.start(lab.controller, host);
  const rules = [await deploy({})];
  const duringLock = await atLock.stop();

  const heardByLock = listening.lines.length;
  await listening.hear(6).catch(() => undefined);
  const heardAfterLock = listening.lines.length - heardByLock;

  const watch = await Watch.ofHost(lab.controller, host, { ipv4: ["10.77.0.1"], ipv6: ["fd77::1"] });
  const atUpdates = await Prober.start(lab.controller, host);
  for (const change of changes) {
    rules.push(await deploy(change));
  }
  const duringUpdates = await atUpdates.stop();
  const sentDuringUpdates = await watch.read();

  const atUnlock = await Prober.start(lab.controller, host);
  await deployment.destroy();
  const duringUnlock = await atUnlock.stop();
  return {
    rulesBefore,
    trackedBefore,
    duringLock,
    duringUpdates,
    sentDuringUpdates,
    rules,
    duringUnlock,
    counted: await counting.finish(),
    heardAfterLock,
    listening: await listening.finish(),
    heard: listening.lines,
  };
}
