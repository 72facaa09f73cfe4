/** Evidence on a disk that is full or read-only: what is seen is reported all the same, and what is lost is called lost. */
import { eventually } from "../support/eventually";
import { describeLab } from "../lab/describe-lab";
import { type Host, Lab, type Peer } from "../lab/lab";
import { HostProgram, SMALL_DISK, STATE } from "./support/host-program";

const PORTS = [25, 80, 443, 3306, 8080, 8081, 8082, 8083, 8084];
const flushes = {
  nftables: "nft flush ruleset",
  "iptables-legacy": "for tool in iptables-legacy ip6tables-legacy; do $tool -F; done",
};
const faults = {
  full: [`cat /dev/zero >${STATE}/filling 2>/dev/null || :`, `rm ${STATE}/filling`],
  "read-only": [`until mount -o remount,ro ${STATE}; do sleep 0.1; done`, `mount -o remount,rw ${STATE}`],
} as const;

describeLab("on a disk that is full or read-only", () => {
  let lab: Lab;
  let peer: Peer;
  beforeAll(async () => {
    lab = await Lab.create({
      hosts: (["nftables", "iptables-legacy"] as const).map((firewall) => ({
        name: firewall,
        firewall,
        boot: SMALL_DISK,
      })),
    });
    peer = await lab.peer();
  });
  afterAll(() => lab?.destroy());

  async function locked(name: string): Promise<{ host: Host; program: HostProgram }> {
    const host = lab.host(name);
    const program = await HostProgram.on(host);
    await host.exec(`sh ${STATE}/host.sh unlock; rm -rf ${STATE}/*`, { check: false });
    await program.lockForGood({ PERSIST: "true" });
    return { host, program };
  }
  const tryPorts = (host: Host): Promise<unknown> =>
    lab.scanTcp(host, { ports: PORTS.join(","), from: peer }).then(() => undefined);
  const report = async (program: HostProgram): Promise<string> => (await program.run("report")).stdout;
  const problem = (host: Host): Promise<string> =>
    host.exec(`sh ${STATE}/host.sh status`, { check: false }).then(({ stdout }) => stdout);

  test.each([
    ["full", "nftables"],
    ["read-only", "nftables"],
    ["read-only", "iptables-legacy"],
  ] as const)("%s, who was denied is reported, and what a reload forgets is lost (%s)", async (fault, firewall) => {
    const { host, program } = await locked(firewall);
    const [begin, end] = faults[fault];
    await host.exec(begin);
    try {
      await tryPorts(host);
      expect(await report(program)).toMatch(
        firewall === "nftables" ? /^in 6 10\.\S+ 8084 [1-9]/m : /^in all - - [1-9]/m,
      );
      expect(await problem(host)).toContain("problem: denied peers cannot be recorded");

      await host.exec(flushes[firewall]);
      expect(await program.run("boot")).toMatchObject({ code: 0 });
      expect((await report(program)).match(/^gap=\d+ \d+ \d+$/gm)).toHaveLength(1);
      expect(await problem(host)).toContain("problem:");
    } finally {
      await host.exec(end);
    }
    await report(program);
    expect(await program.stateFile("baseline/gaps")).toMatch(/^\d+ \d+ \d+$/m);
    expect(await program.status()).toMatchObject({ code: 0, state: "locked" });
  });

  test("full until the host goes down, what came is called lost by the next boot", async () => {
    const { host, program } = await locked("nftables");
    // A guard that ends while the disk fills up leaves a page free.
    await host.exec(`sh ${STATE}/host.sh stop-guard`);
    await eventually("its guard has ended", () => !host.processes().some((line) => line.includes("host.sh guard")));
    await host.exec(faults.full[0]);
    await tryPorts(host);
    await report(program);
    // What a restart takes.
    await host.exec("nft flush ruleset; rm -f /run/ssh-only-firewall.*");
    await program.run("boot");
    expect(await report(program)).toMatch(/^gap=\d+ \d+ \d+$/m);
    await host.exec(faults.full[1]);
    await report(program);
    expect(await program.stateFile("baseline/gaps")).toMatch(/^\d+ \d+ \d+$/m);
  });

  test("a tool that fails to list once makes no gap", async () => {
    const { host, program } = await locked("nftables");
    await host.exec(`cat >/usr/local/sbin/nft <<'END'
#!/bin/sh
case " $* " in *' list table inet '*) read -r left </run/failing && [ "$left" -gt 0 ] && echo $((left - 1)) >/run/failing && exit 1 ;; esac
exec /usr/sbin/nft "$@"
END
chmod 0755 /usr/local/sbin/nft; echo 2 >/run/failing`);
    expect(await program.run("boot")).toMatchObject({ code: 0 });
    await host.exec("rm /usr/local/sbin/nft");
    expect(await report(program)).not.toContain("gap=");
  });
});
