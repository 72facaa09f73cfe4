/**
 * After an unlock the host is open, and a fresh login works, or it is locked again and reachable, whatever other rules there are.
 * CI takes some of them; FOREIGN_RULES=all takes all, on each firewall, for IPv4 and IPv6.
 */
import { eventually } from "../support/eventually";
import { describeLab } from "../lab/describe-lab";
import { type Host, Lab } from "../lab/lab";
import { commandsOf, FOREIGN_RULES, type IpFamily } from "./support/foreign-rules";
import { HostProgram, lockSettings } from "./support/host-program";

const isWhole = process.env.FOREIGN_RULES === "all";
const FIREWALLS = ["nftables", "iptables-nft", "iptables-legacy"] as const;

const CASES = FIREWALLS.flatMap((firewall) =>
  FOREIGN_RULES.flatMap((rules, index) =>
    ([4, 6] as const).flatMap((family) => {
      const commands = commandsOf(rules, family, firewall);
      const isTaken = isWhole || (index + family / 2) % 11 === FIREWALLS.indexOf(firewall);
      return commands === undefined || !isTaken ? [] : [[firewall, family, rules.what, commands] as const];
    }),
  ),
);

describeLab("a host beside rules of others", () => {
  let lab: Lab;
  const programs = new Map<string, HostProgram>();
  beforeAll(async () => {
    lab = await Lab.create({ hosts: FIREWALLS.map((firewall) => ({ name: firewall, firewall })) });
    for (const host of lab.hosts) {
      programs.set(host.name, await HostProgram.on(host));
    }
  });
  afterAll(() => lab?.destroy());

  const isIn = async (host: Host, family: IpFamily): Promise<boolean> =>
    (await host.ssh("echo in", { family, check: false, options: ["ConnectTimeout=1"] })).stdout === "in\n";

  test.each(CASES)(
    "with %s over IPv%d that %s is open or locked after an unlock, and lets its operator in",
    async (firewall, family, _what, { load, remove }) => {
      const program = programs.get(firewall) as HostProgram;
      const { host } = program;
      await host.exec(load);
      try {
        const lets = await isIn(host, family);
        const settings = lockSettings({ SKIP_PREFLIGHT: "true" });
        expect(await program.lock(settings)).toMatchObject({ code: 0 });
        if (!(await isIn(host, family))) {
          // Other tables of nftables drop whatever ours accepts, so that nobody can confirm.
          expect({ firewall, lets }).toEqual({ firewall: "nftables", lets: false });
          return;
        }
        expect((await program.confirm(settings)).code).toBe(0);
        // Longer than a login takes that is dropped.
        expect((await program.run("unlock", "owner-1", lets ? "60" : "4")).code).toBe(0);
        expect(await isIn(host, family)).toBe(lets);
        if (lets) {
          expect((await program.run("confirm-unlock", "owner-1")).code).toBe(0);
        } else {
          await eventually("it is locked", async () => (await program.status()).state === "locked");
        }
        expect(await program.status()).toMatchObject({ state: lets ? "open" : "locked" });
        expect(await isIn(host, family)).toBe(true);
      } finally {
        await host.exec(remove);
        await program.reset();
      }
    },
  );
});
