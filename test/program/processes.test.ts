/** How many processes the verbs start: each costs a millisecond or two, of which a deploy has two verbs a host. */
import { describeLab } from "../lab/describe-lab";
import { type HostFirewall, Lab } from "../lab/lab";
import { type Started, startedBy } from "../lab/started";
import { shellWord } from "../../lib/output/shell-word";
import { defined } from "../support/required";
import { firewalls, HostProgram, inputOf, lockSettings, STATE } from "./support/host-program";

/** What may be started, as PROCESSES/PROGRAMS. Whoever has a good reason for more writes it here. */
const AT_MOST: Readonly<Record<HostFirewall, Readonly<Record<"lock" | "confirm" | "unlock", Started>>>> = {
  nftables: {
    lock: { processes: 64, programs: 41 },
    confirm: { processes: 18, programs: 14 },
    unlock: { processes: 46, programs: 29 },
  },
  "iptables-nft": {
    lock: { processes: 98, programs: 55 },
    confirm: { processes: 24, programs: 17 },
    unlock: { processes: 67, programs: 40 },
  },
  "iptables-legacy": {
    lock: { processes: 110, programs: 67 },
    confirm: { processes: 24, programs: 17 },
    unlock: { processes: 86, programs: 53 },
  },
};

describeLab("a first lock, its confirm and its unlock", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.create({ hosts: firewalls.map((firewall) => ({ name: firewall, firewall })) });
  });
  afterAll(() => lab?.destroy());

  test.each(firewalls)("start no more processes than they need with %s", async (firewall) => {
    const host = lab.host(firewall);
    await HostProgram.on(host);
    const settings = lockSettings();
    await host.exec("cat >/tmp/lock.sh", { input: inputOf("lock", settings) });
    const words = ["OWNER", "ATTEMPT", "RULESET"].map((name) => shellWord(defined(settings[name]))).join(" ");
    const started = {
      lock: await startedBy(host, "sh /tmp/lock.sh"),
      confirm: await startedBy(host, `sh ${STATE}/host.sh confirm ${words}`),
      unlock: await startedBy(host, `sh ${STATE}/host.sh unlock ${shellWord(defined(settings.OWNER))} 60`),
    };
    const most = AT_MOST[firewall];
    const excess = Object.entries(started).filter(
      ([verb, { processes, programs }]) =>
        processes > most[verb as keyof typeof most].processes || programs > most[verb as keyof typeof most].programs,
    );
    expect(excess).toEqual([]);
    // And they did what they are for.
    expect(Object.values(started).every(({ programs }) => programs > 10)).toBe(true);
  });
});
