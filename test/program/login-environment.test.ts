/** Tools that work only with what a login sets: the watchdog and the boot would not have that, so nothing is loaded. */
import { eventually } from "../support/eventually";
import { describeLab } from "../lab/describe-lab";
import { Lab } from "../lab/lab";
import { firewalls, HostProgram, lockSettings, type Settings, shells } from "./support/host-program";

const TOOLS =
  "nft iptables-restore iptables-nft-restore iptables-legacy-restore ip6tables-restore ip6tables-nft-restore ip6tables-legacy-restore";

describeLab("a login", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.create({
      hosts: [
        ...firewalls.map((firewall) => ({ name: firewall, firewall })),
        { name: "busybox", firewall: "nftables" as const, ...shells[2]?.options },
      ],
    });
  });
  afterAll(() => lab?.destroy());

  async function expectRefused(
    program: HostProgram,
    environment: string,
    says: string,
    own: Settings = {},
  ): Promise<void> {
    const { code, stderr } = await program.lock(lockSettings(own), environment);
    expect({ code, stderr }).toEqual({ code: 4, stderr: expect.stringContaining(says) });
    expect(stderr).toMatch(/The host (was not changed|is as it was before)\.\n$/);
    await eventually("no watchdog is left", () => program.watchdogs().length === 0);
    expect(await program.host.rules()).not.toMatch(/ssh_only/i);
    expect(await program.status()).toMatchObject({ code: 0, state: "open", rules: "none" });
  }

  test.each([...firewalls, "busybox"])(
    "of %s whose tools need a variable of it is refused, and one without is not",
    async (name) => {
      const program = await HostProgram.on(lab.host(name));
      // As nft of a folder of its own does, whose libraries are named by LD_LIBRARY_PATH.
      await program.host.exec(`mkdir /usr/local/real; for tool in ${TOOLS}; do
  path=$(command -v $tool) || continue
  cp -P "$path" /usr/local/real/$tool; ln -sf "$(readlink -f "$path")" /usr/local/real/$tool
  printf '#!/bin/sh\\n[ -n "$TOOLS_OF_LOGIN" ] || { echo cannot open shared object file >&2; exit 127; }\\nexec /usr/local/real/%s "$@"\\n' $tool >/usr/local/sbin/$tool
  chmod 0755 /usr/local/sbin/$tool
done`);
      await expectRefused(program, "export TOOLS_OF_LOGIN=1", "cannot open shared object file");
      await program.host.exec(`for tool in ${TOOLS}; do rm -f /usr/local/sbin/$tool; done`);
      expect(await program.lock(lockSettings(), "export TOOLS_OF_LOGIN=1")).toMatchObject({ code: 0 });
      expect(await program.run("rollback")).toMatchObject({ code: 0 });
    },
  );

  test("that alone has nft in its PATH is refused, with the directories in which the tools have to be", async () => {
    const program = await HostProgram.on(lab.host("nftables"));
    await program.host.exec("mkdir -p /opt/nft/sbin; mv /usr/sbin/nft /opt/nft/sbin/nft");
    try {
      await expectRefused(
        program,
        "export PATH=$PATH:/opt/nft/sbin",
        "in one of these directories, also at boot: /usr/local/sbin:",
        { BACKEND: "nftables" },
      );
    } finally {
      await program.host.exec("mv /opt/nft/sbin/nft /usr/sbin/nft");
    }
  });
});
