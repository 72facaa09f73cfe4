/** `mode: observe`, the rehearsal: nothing is denied and everything is recorded, until the mode is taken away. */
import { defined } from "../support/required";
import type { HostUsage } from "../../lib/report/usage-report";
import { describeLab } from "../lab/describe-lab";
import { type Host, type HostFirewall, Lab, listenerPorts, type Peer, type TcpScan } from "../lab/lab";
import { firewalls, statusOf } from "./support/drill";
import { noAnswers, openedAgain, Prober, type Knocks } from "./support/round-prober";
import { CountingSession, ListeningSession } from "./support/ssh-sessions";
import { named, reported } from "./support/report-command";
import { Deployment, hostEntries } from "./support/deployment";
import { eventually } from "../support/eventually";
import {
  each,
  everythingOf,
  everythingOn,
  networkOf,
  type Outcomes,
  silence,
  startListeners,
  tcp,
  tryAll,
} from "./support/attempts";

/** Nothing listens on it. */
const unused = 9;
/** What the stranger knocks at, besides pinging, when the host is locked; it was silent there before. */
const later = 3389;

/** What was seen of one host that was observed, locked and unlocked. */
interface Observations {
  readonly observed: { readonly state: string; readonly rules: string };
  readonly inbound: Outcomes;
  readonly unused: Outcomes;
  readonly outbound: Outcomes;
  readonly usage: HostUsage;
  /** A connection of the stranger's that goes on, in lines that came back, before and after the change. */
  readonly echoed: { readonly before: number; readonly after: number };
  readonly plan: string;
  readonly duringChange: Knocks;
  readonly locked: { readonly state: string; readonly rules: string };
  readonly inboundAfter: Outcomes;
  readonly outboundAfter: Outcomes;
  readonly scan: TcpScan;
  readonly usageAfter: HostUsage;
  readonly counted: Awaited<ReturnType<CountingSession["finish"]>>;
  readonly heardAfterChange: number;
  readonly heard: readonly string[];
  readonly listening: Awaited<ReturnType<ListeningSession["finish"]>>;
}

let lab: Lab;
let stranger: Peer;
const stories = new Map<HostFirewall, Promise<Observations>>();

describeLab(
  "a fleet that is observed before it is locked",
  () => {
    jest.setTimeout(180_000);

    beforeAll(async () => {
      lab = await Lab.create({
        hosts: firewalls.map((firewall) => ({ name: firewall, firewall, listeners: true })),
      });
      stranger = await lab.peer();
      await startListeners(stranger.place);
      for (const firewall of firewalls) {
        const story = observeThenLock(firewall);
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

      test("denies nothing while it is observed, inbound or outbound", () => {
        expect(seen.observed).toMatchObject({ state: "observed", rules: "matches" });
        expect(seen.inbound).toEqual(each(Object.keys(seen.inbound), "answered"));
        expect(seen.unused).toEqual(each(Object.keys(seen.unused), "ECONNREFUSED"));
        expect(seen.outbound).toEqual(each(Object.keys(seen.outbound), "answered"));
      });

      test("lists all of that traffic in its report", () => {
        const { state, summary, totals, denied } = seen.usage;
        expect(state).toBe("observed");
        if (firewall !== "nftables") {
          expect(summary).toMatch(/^\d+ inbound packets would have been denied/);
          expect(Object.fromEntries(totals.map(({ direction, packets }) => [direction, packets]))).toEqual({
            in: expect.any(Number),
            out: expect.any(Number),
          });
          return;
        }
        expect(summary).toMatch(
          /^\d+ peers? would have been denied.* The host tried to reach .* and would have been denied/,
        );
        expect(denied.map(named)).toEqual(expect.arrayContaining(used()));
        // Answers are nobody's use of the host.
        const ofStranger = denied.filter(({ protocol, peer }) => ["tcp", "udp"].includes(protocol) && isStranger(peer));
        expect(ofStranger.map(named).sort()).toEqual(
          used()
            .filter((name) => !name.endsWith("-"))
            .sort(),
        );
        // What was answered at once was sent once.
        for (const one of denied.filter(({ protocol, peer }) => protocol === "tcp" && isStranger(peer))) {
          expect(`${named(one)}: ${one.packets}`).toBe(`${named(one)}: 1`);
        }
      });

      test("is locked by one changed line of the plan, and never answers again at a closed port", () => {
        expect(seen.plan).toMatch(/^ +~ mode += "observe" -> "enforce"/m);
        const { answered, rounds } = seen.duringChange;
        for (const rounded of Object.values(answered)) {
          expect(rounded.length).toBeGreaterThan(0);
          expect(rounded.length).toBeLessThan(rounds);
        }
        expect(openedAgain(seen.duringChange)).toEqual(noAnswers);
        expect(seen.locked).toMatchObject({ state: "locked", rules: "matches" });
        expect(seen.inboundAfter).toEqual(each(Object.keys(seen.inboundAfter), "no answer"));
        expect(Object.values(seen.outboundAfter)).not.toContain("answered");
        expect(seen.scan).toEqual({ open: [22], closed: [], filteredCount: 1023 });
      });

      test("ends connections other than SSH that were opened while it was observed", () => {
        expect(seen.echoed.before).toBeGreaterThan(0);
        expect(seen.echoed.after).toBe(0);
      });

      test("loses nothing of a session that streams both ways through all of it", () => {
        expect(seen.counted).toEqual({ code: 0, said: "", lost: 0, wrong: undefined });
      });

      test("keeps sending to a silent client", () => {
        expect(seen.heardAfterChange).toBeGreaterThan(5);
        const numbered = seen.heard.slice(0, -1);
        expect(numbered).toEqual(numbered.map((_, index) => `line ${index + 1}`));
        expect(seen.heard.at(-1)).toBe("enough");
        expect(seen.listening).toEqual({ code: 0, said: "" });
      });

      test("keeps what was observed in the report, and adds what is denied from then on", () => {
        expect(seen.usageAfter).toMatchObject({ state: "locked", since: seen.usage.since });
        if (firewall === "nftables") {
          const packets = (usage: HostUsage, name: string): number | undefined =>
            usage.denied.find((one) => named(one) === name)?.packets;
          for (const name of used()) {
            expect(packets(seen.usageAfter, name)).toBeGreaterThanOrEqual(packets(seen.usage, name) as number);
          }
          expect(packets(seen.usage, `in tcp ${stranger.ipv4} ${later}`)).toBeUndefined();
          expect(packets(seen.usageAfter, `in tcp ${stranger.ipv4} ${later}`)).toBeGreaterThan(0);
          return;
        }
        for (const { direction, packets } of seen.usage.totals) {
          const after = seen.usageAfter.totals.find((total) => total.direction === direction);
          expect(after?.packets).toBeGreaterThan(packets);
        }
      });
    });
  },
  { needs: "terraform" },
);

/** Whom the stranger reached on a host, and what the host reached of the stranger, as the report names them. */
function used(): string[] {
  const { tcp: tcpPorts, udp: udpPorts } = listenerPorts;
  return [stranger.ipv4, stranger.ipv6].flatMap((address) => [
    ...[...tcpPorts, unused].map((port) => `in tcp ${address} ${port}`),
    ...udpPorts.map((port) => `in udp ${address} ${port}`),
    ...[53, 8000].map((port) => `out tcp ${address} ${port}`),
    ...[53, 53535].map((port) => `out udp ${address} ${port}`),
    ...["in", "out"].map((direction) => `${direction} ${address.includes(":") ? "icmpv6" : "icmp"} ${address} -`),
  ]);
}

const isStranger = (peer: string): boolean => peer === stranger.ipv4 || peer === stranger.ipv6;

async function observeThenLock(firewall: HostFirewall): Promise<Observations> {
  const host = lab.host(firewall);
  const deployment = new Deployment(lab);
  const prepare = (mode: "observe" | "enforce"): ReturnType<Deployment["prepare"]> =>
    deployment.prepare({ hosts: hostEntries(lab, [host]), mode });
  const usageOf = async (): Promise<HostUsage> => defined((await reported(lab, deployment))[0]);

  const counting = CountingSession.open(host);
  const listening = ListeningSession.open(host);
  await eventually("both sessions are under way", () => counting.progress > 0 && listening.lines.length > 1);
  await (await prepare("observe")).apply();
  const observed = await statusOf(host);
  const inbound = await tryAll(stranger.place, everythingOn(host));
  const atUnused = await tryAll(stranger.place, tcp(host, unused));
  const outbound = await tryAll(networkOf(host), everythingOf(stranger));
  const usage = await usageOf();

  const terraform = await prepare("enforce");
  const plan = (await terraform.run(["plan", "-no-color", "-input=false"])).stdout;
  const talk = await Talk.with(host);
  const atChange = await Prober.start(lab.controller, host);
  await terraform.apply();
  const duringChange = await atChange.stop();
  // What was under way when the rules changed has come by now.
  const before = talk.echoed;
  const heardByChange = listening.lines.length;
  await listening.hear(6).catch(() => undefined);
  const heardAfterChange = listening.lines.length - heardByChange;

  const locked = await statusOf(host);
  const inboundAfter = await tryAll(stranger.place, [...everythingOn(host), ...tcp(host, later)], silence);
  const outboundAfter = await tryAll(networkOf(host), everythingOf(stranger), silence);
  const scan = await lab.scanTcp(host, { ports: "1-1024" });
  const usageAfter = await usageOf();
  const after = talk.end() - before;
  const counted = await counting.finish();
  const ended = await listening.finish();
  await deployment.destroy();
  return {
    observed,
    inbound,
    unused: atUnused,
    outbound,
    usage,
    echoed: { before, after },
    plan,
    duringChange,
    locked,
    inboundAfter,
    outboundAfter,
    scan,
    usageAfter,
    counted,
    heardAfterChange,
    heard: listening.lines,
    listening: ended,
  };
}

/** A connection of the stranger's to a port that is not SSH's: it says a word again and again, and counts the echoes. */
class Talk {
  public static async with(host: Host): Promise<Talk> {
    const child = stranger.place.spawn([process.execPath, "-e", TALK, host.ipv4, String(listenerPorts.tcp[0])], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const talk = new Talk(() => child.kill("SIGKILL"));
    child.stdout?.on("data", (chunk: Buffer) => (talk.echoed += chunk.length));
    await eventually("the stranger is answered", () => talk.echoed > 0, { seconds: 10 }).catch(() => undefined);
    return talk;
  }

  public echoed = 0;

  private constructor(private readonly kill: () => void) {}

  public end(): number {
    this.kill();
    return this.echoed;
  }
}

const TALK = `
const [address, port] = process.argv.slice(1);
const socket = require("node:net").connect({ host: address, port: Number(port) });
socket.on("error", () => undefined);
socket.pipe(process.stdout);
setInterval(() => socket.write("."), 50);
`;
