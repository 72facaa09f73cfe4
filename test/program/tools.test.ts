/**
 * Firewall tools of other releases, and their upgrade or downgrade between any two steps: each lists the same rules in words of
 * its own. TOOLS=all (`npm run test:tools`) goes from each release to each other, else only what differs most.
 */
import { type HostFirewall, Lab, type Peer } from "../lab/lab";
import { changeableTools, describeWithTools, type Release, releases, useTools } from "../lab/release-tools";
import { defined } from "../support/required";
import {
  firewalls,
  guardLooks,
  HostProgram,
  hostsUnder,
  lockSettings,
  rulesetsFor,
  STATE,
} from "./support/host-program";

jest.setTimeout(120_000);

type Pair = readonly [Release, Release];

const all = process.env.TOOLS === "all";
const allPairs = releases.flatMap((first, index) => releases.slice(index).map((then): Pair => [first, then]));

function pairsOf(firewall: HostFirewall): readonly Pair[] {
  switch (firewall) {
    case "nftables":
      return all ? allPairs : [["bullseye", "sid"]];
    // That of bullseye leaves out, without an error, what newer ones say of ports.
    case "iptables-nft":
      return all ? allPairs.filter(([first, then]) => first !== "bullseye" || then === first) : [["bookworm", "sid"]];
    case "iptables-legacy":
      return all ? allPairs : [];
  }
}

const hosts = hostsUnder({ name: "dash", options: { shell: "dash" }, firewalls }).map((options) => ({
  ...options,
  // After its own tools have made the rules of somebody else.
  provision: `${options.provision ?? ""}\n${changeableTools(options.firewall ?? "nftables")}`,
}));

describeWithTools("a host whose firewall tools change", () => {
  let lab: Lab;
  let peer: Peer;
  beforeAll(async () => {
    lab = await Lab.create({ hosts: hosts });
    peer = await lab.peer();
  });
  afterAll(() => lab?.destroy());

  describe.each(firewalls.filter((firewall) => pairsOf(firewall).length > 0))("with %s", (firewall) => {
    let program: HostProgram;
    beforeAll(async () => {
      program = await HostProgram.on(lab.host(firewall));
    });
    afterEach(async () => {
      await useTools(program.host, "sid");
      await program.reset();
    });

    test.each(pairsOf(firewall))("from %s to %s at any step is locked all the time", async (first, then) => {
      const before = await program.host.rules();
      const steps = new Steps(program, peer, firewall);
      // Between any two steps the tools are others; then the same with every step done by the other ones.
      for (const [one, other] of [
        [first, then],
        [then, first],
      ] as const) {
        await steps.lock(one, {});
        await steps.staysAs("pending", other);
        await steps.confirm(other);
        await steps.isDenied();
        for (const release of [one, other, one]) {
          await steps.staysAs("locked", release);
        }
        await steps.lock(other, rulesetsFor(22, { deniedInbound: "reject" }));
        await steps.staysAs("pending", one);
        await steps.confirm(one);
        await steps.staysAs("locked", other);
        await steps.boot(one);
        await steps.isDenied();
        await steps.staysAs("locked", other);
        await steps.unlock(other);
        expect(await program.host.rules()).toBe(before);
      }
    });
  });
});

/** Steps of a host's life, each with the tools of a release. */
class Steps {
  private settings: Record<string, string> = {};

  public constructor(
    private readonly program: HostProgram,
    private readonly peer: Peer,
    private readonly firewall: HostFirewall,
  ) {}

  public async lock(release: Release, own: Record<string, string>): Promise<void> {
    await useTools(this.program.host, release);
    this.settings = lockSettings(own);
    expect(await this.program.lock(this.settings)).toMatchObject({ code: 0, stderr: "" });
  }

  public async confirm(release: Release): Promise<void> {
    await useTools(this.program.host, release);
    expect(await this.program.confirm(this.settings)).toMatchObject({ code: 0, stderr: "" });
  }

  /** Status, three looks of the guard, and status once more: nothing is loaded, and there is no gap. */
  public async staysAs(state: "pending" | "locked", release: Release): Promise<void> {
    await useTools(this.program.host, release);
    const loaded = await this.loaded();
    const good = { code: 0, state, rules: "matches", problem: "" };
    expect(await this.program.status()).toMatchObject(good);
    await guardLooks(this.program);
    expect(await this.program.status()).toMatchObject(good);
    expect(await this.loaded()).toBe(loaded);
    expect(await this.program.stateFile("baseline/gaps")).toBeUndefined();
    expect(await this.program.stateFile("log")).not.toMatch(/in force again|OPEN/);
  }

  /** As after a restart: the kernel has no rules. */
  public async boot(release: Release): Promise<void> {
    await useTools(this.program.host, release);
    await this.flush();
    // As long as there is no network, nobody can have come.
    await this.program.host.exec("mkdir -p /run/empty; mount --bind /run/empty /proc/net 2>/dev/null || :");
    expect(await this.program.run("boot")).toMatchObject({ code: 0, stderr: "" });
    await this.program.host.exec(`umount /proc/net 2>/dev/null; rm -f ${STATE}/baseline/gaps`);
  }

  public async unlock(release: Release): Promise<void> {
    await useTools(this.program.host, release);
    expect(await this.program.run("unlock", "owner-1")).toMatchObject({ code: 0, stderr: "" });
  }

  /** So that the sets of nftables have members. */
  public async isDenied(): Promise<void> {
    const { ipv4, ipv6 } = this.program.host;
    await this.peer.exec(`bash -c 'echo >/dev/udp/${ipv4}/3306; echo >/dev/udp/${ipv6}/3306'`);
  }

  private async flush(): Promise<void> {
    if (this.firewall === "nftables") {
      await this.program.host.exec("nft delete table inet ssh_only_firewall");
    } else {
      await this.program.host.exec(`for f in iptables ip6tables; do
        for chain in IN OUT FWD; do $f -w -F SSH_ONLY_$chain; done
        $f -w -D INPUT -j SSH_ONLY_IN; $f -w -D OUTPUT -j SSH_ONLY_OUT; $f -w -D FORWARD -j SSH_ONLY_FWD
        for chain in IN OUT FWD; do $f -w -X SSH_ONLY_$chain; done
      done`);
    }
  }

  /** What changes when rules are loaded again: the number of the table, or nothing that can be seen. */
  private async loaded(): Promise<string> {
    if (this.firewall !== "nftables") {
      return "";
    }
    const { stdout } = await this.program.host.exec("nft -a -t list table inet ssh_only_firewall");
    return defined(/# handle (\d+)/.exec(stdout)?.[0]);
  }
}
