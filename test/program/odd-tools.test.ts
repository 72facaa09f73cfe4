/** Firewall tools that do not work, cannot read what is there, or go by another name than yesterday. */
import { describeLab } from "../lab/describe-lab";
import { type Host, Lab } from "../lab/lab";
import { guardLooks, HostProgram, lockSettings, STATE } from "./support/host-program";

/** As on a kernel without nf_tables (OpenVZ, NAS): nft and the nft variant of iptables are there, and say so. */
const NO_NF_TABLES = `
wrap() {
  rm -f "/usr/local/sbin/$1"
  printf '#!/bin/sh\\ncase $* in -V | --version) echo "%s"; exit ;; esac\\necho "%s" >&2\\nexit 1\\n' "$2" "$3" >"/usr/local/sbin/$1"
  chmod 0755 "/usr/local/sbin/$1"
}
wrap nft 'nftables v1.0.6' 'netlink.c:1: Unable to initialize Netlink socket: Protocol not supported'
for command in iptables ip6tables; do
  for end in '' -save -restore; do
    for variant in '' -nft; do
      wrap "$command$variant$end" "$command v1.8.9 (nf_tables)" "$command: Failed to initialize nft: Protocol not supported"
    done
  done
done
`;

/** Before 1.8: no variants, and a version that names none. */
const OLD_IPTABLES = `
mkdir /opt/new
for command in iptables ip6tables; do
  for end in '' -save -restore; do
    mv /usr/sbin/$command-legacy$end /usr/sbin/$command-nft$end /opt/new/
  done
  printf '#!/bin/sh\\ncase $* in -V) echo "%s v1.6.1"; exit ;; esac\\nexec /usr/sbin/xtables-legacy-multi %s "$@"\\n' \
    $command $command >/usr/local/sbin/$command
  chmod 0755 /usr/local/sbin/$command
done
`;
const UPGRADE = `rm /usr/local/sbin/iptables /usr/local/sbin/ip6tables; mv /opt/new/* /usr/sbin/`;

/** Puts a rule into a filter table of iptables that it cannot parse. */
const FOREIGN = `
nft add set ip filter foreign '{ type ipv4_addr; flags interval; }'
nft add rule ip filter INPUT 'ip saddr @foreign ct state new limit rate 3/second meta mark set ct mark drop'
`;

/** A set of 60,000 addresses, and an nft that writes down how much it prints. */
const COUNTED_NFT = `
awk 'BEGIN {
  printf "table inet other { set blocked { type ipv4_addr; elements = { "
  for (i = 0; i < 60000; i++) printf "%s198.%d.%d.%d", i ? ", " : "", 18 + i / 65536, i / 256 % 256, i % 256
  print " }; }; chain in { type filter hook input priority 0; ip saddr @blocked drop; }; }"
}' | nft -f -
printf '%s\\n' '#!/bin/sh' 'out=$(/usr/sbin/nft "$@")' 'code=$?' 'echo "\${#out}" >>/opt/printed' \
  '[ -z "$out" ] || printf "%s\\n" "$out"' 'exit $code' >/usr/local/sbin/nft
chmod 0755 /usr/local/sbin/nft
`;

const FAILS_ONCE = `
printf '%s\\n' '#!/bin/sh' 'case $* in "-c -f -") [ -e /opt/failed ] || { touch /opt/failed; exit 1; } ;; esac' \
  'exec /usr/sbin/nft "$@"' >/usr/local/sbin/nft
chmod 0755 /usr/local/sbin/nft
`;

describeLab("a host whose firewall tools are odd", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.create({
      hosts: [
        { name: "no-nf-tables", provision: NO_NF_TABLES },
        { name: "unreadable" },
        { name: "large-sets", provision: COUNTED_NFT },
        { name: "old-iptables", firewall: "iptables-legacy", provision: OLD_IPTABLES },
      ],
    });
  });
  afterAll(() => lab?.destroy());

  async function isClosed(host: Host, closed = true): Promise<void> {
    const scan = await lab.scanTcp(host, { ports: "22,81" });
    expect(scan).toEqual({ open: [22], closed: closed ? [] : [81], filteredCount: closed ? 1 : 0 });
  }

  test("without nf_tables in its kernel it is locked by iptables-legacy, rolled back, updated and unlocked", async () => {
    const host = lab.host("no-nf-tables");
    const program = await HostProgram.on(host);
    expect(await program.lock()).toMatchObject({ code: 0, stderr: "" });
    expect(await program.status()).toMatchObject({ code: 0, state: "pending", backend: "iptables" });
    await isClosed(host);
    expect(await program.run("rollback")).toMatchObject({ code: 0, stderr: "" });
    await isClosed(host, false);

    await program.lockForGood();
    await program.lockForGood();
    await isClosed(host);
    expect(await program.run("unlock", "owner-1")).toMatchObject({ code: 0, stderr: "" });
    await isClosed(host, false);
    expect(await host.rules()).not.toContain("SSH_ONLY");
  });

  test.each([
    ["with nft", ":"],
    ["without nft", "mv /usr/sbin/nft /opt/nft"],
  ])("beside a rule that iptables cannot read it stays locked, rolls back and is unlocked, %s", async (_, hide) => {
    const host = lab.host("unreadable");
    const program = await HostProgram.on(host);
    const settings = { BACKEND: "iptables" };
    await program.lockForGood(settings);
    await host.exec(`${FOREIGN}${hide}`);
    expect(await program.status()).toMatchObject({ code: 0, state: "locked", rules: "matches" });
    const live = await host.rules();
    await guardLooks(program);
    expect(await host.rules()).toBe(live);
    expect(await program.stateFile("log")).not.toContain("another program removed");

    expect(await program.lock(lockSettings(settings))).toMatchObject({ code: 0, stderr: "" });
    expect(await program.run("rollback")).toMatchObject({ code: 0, stderr: "" });
    expect(await program.status()).toMatchObject({ code: 0, state: "locked", rules: "matches" });
    expect(await host.rules()).toBe(live);

    expect(await program.run("unlock", "owner-1")).toMatchObject({ code: 0, stderr: "" });
    const rules = await host.rules();
    expect(rules).not.toContain("SSH_");
    expect(rules).toContain("ip saddr @foreign");
    await host.exec("[ ! -e /opt/nft ] || mv /opt/nft /usr/sbin/nft; nft flush ruleset");
  });

  test("with large sets of somebody else it reads their members in no verb", async () => {
    const host = lab.host("large-sets");
    const program = await HostProgram.on(host);
    await program.lockForGood();
    for (const words of ["status", "report"]) {
      expect(await program.run(words)).toMatchObject({ code: 0, stderr: "" });
    }
    const update = lockSettings();
    expect(await program.check(update)).toMatchObject({ code: 0, stderr: "" });
    expect(await program.lock(update)).toMatchObject({ code: 0, stderr: "" });
    expect(await program.run("rollback")).toMatchObject({ code: 0, stderr: "" });
    await guardLooks(program);
    expect(await program.run("boot")).toMatchObject({ code: 0, stderr: "" });
    expect(await program.run("unlock", "owner-1")).toMatchObject({ code: 0, stderr: "" });
    const { stdout } = await host.exec("sort -n /opt/printed | tail -n 1");
    expect(Number(stdout)).toBeGreaterThan(0);
    expect(Number(stdout)).toBeLessThan(50_000);
  });

  test("whose nft fails once is locked by it all the same, and nothing of iptables is left after its unlock", async () => {
    const host = lab.host("unreadable");
    const program = await HostProgram.on(host);
    const tables = (await host.exec("nft list tables")).stdout;
    await host.exec(FAILS_ONCE);
    await program.lockForGood();
    expect((await host.exec("ls /opt/failed; rm /usr/local/sbin/nft")).stdout).toBe("/opt/failed\n");
    expect(await program.status()).toMatchObject({ code: 0, state: "locked", backend: "nftables" });
    expect(await program.run("unlock", "owner-1")).toMatchObject({ code: 0, stderr: "" });
    expect((await host.exec("nft list tables")).stdout).toBe(tables);
  });

  test("whose iptables is upgraded across 1.8 while it is locked is updated, rolled back and unlocked", async () => {
    const host = lab.host("old-iptables");
    const program = await HostProgram.on(host);
    await program.lockForGood();
    await host.exec(UPGRADE);
    expect(await program.status()).toMatchObject({ code: 0, state: "locked", rules: "matches" });
    expect(await program.lock()).toMatchObject({ code: 0, stderr: "" });
    await isClosed(host);
    expect(await program.run("rollback")).toMatchObject({ code: 0, stderr: "" });
    await isClosed(host);
    await program.lockForGood();
    await isClosed(host);
    expect(await program.run("unlock", "owner-1")).toMatchObject({ code: 0, stderr: "" });
    await isClosed(host, false);
    expect(await host.rules()).not.toContain("SSH_");
    expect((await host.exec(["ls", "-A", STATE])).stdout).toBe("log\n");
  });
});
