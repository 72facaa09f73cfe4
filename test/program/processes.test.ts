/** How many processes the verbs start: each costs a millisecond or two, of which a deploy has two verbs a host. */
import { describeLab } from "../lab/describe-lab";
import { type HostFirewall, Lab } from "../lab/lab";
import { type Started, startedBy } from "../lab/started";
import { shellWord } from "../../lib/output/shell-word";
import { defined } from "../support/required";
import { firewalls, HostProgram, inputOf, lockSettings, STATE } from "./support/host-program";

/** What may be started; some start once more on a busy machine, such as date. Whoever has a good reason for more writes it here. */
const AT_MOST: Readonly<Record<HostFirewall, Readonly<Record<"lock" | "confirm" | "unlock", Started>>>> = {
  nftables: {
    lock: { processes: 70, programs: 45 },
    confirm: { processes: 20, programs: 16 },
    unlock: { processes: 50, programs: 32 },
  },
  "iptables-nft": {
    lock: { processes: 106, programs: 60 },
    confirm: { processes: 27, programs: 20 },
    unlock: { processes: 72, programs: 44 },
  },
  "iptables-legacy": {
    lock: { processes: 118, programs: 72 },
    confirm: { processes: 27, programs: 20 },
    unlock: { processes: 92, programs: 58 },
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
