/** Guests on a bridge of the host, which its rules do not see unless the kernel hands over what a bridge carries. */
import { describeLab } from "../lab/describe-lab";
import { Lab } from "../lab/lab";
import { HostProgram, lockSettings } from "./support/host-program";

const GUEST = "10.77.0.200";
/** As on a machine with virtual ones: the address is that of the bridge. */
const BRIDGE = `set -e
address=$(ip -4 -o addr show dev eth0 | awk '{ print $4; exit }')
ip link add br0 type bridge
ip link set eth0 master br0; ip addr flush dev eth0; ip addr add "$address" dev br0; ip link set br0 up
ip route replace default via 10.77.0.1
unshare -n sleep 600 </dev/null >/dev/null 2>&1 & guest=$!
sleep 0.5
ip link add g0 type veth peer name g1 netns $guest
ip link set g0 master br0; ip link set g0 up
nsenter -n -t $guest sh -c 'ip link set lo up; ip addr add ${GUEST}/24 dev g1; ip link set g1 up'`;

const handOver = (value: 0 | 1): string =>
  `for tool in iptables ip6tables; do echo ${value} >/proc/sys/net/bridge/bridge-nf-call-$tool; done`;

describeLab("a host with guests on a bridge", () => {
  let lab: Lab;
  let program: HostProgram;
  beforeAll(async () => {
    lab = await Lab.create({ hosts: [{ name: "web-1" }] });
    program = await HostProgram.on(lab.host("web-1"));
  });
  afterAll(() => lab?.destroy());

  /** Nothing listens there: a guest that is reached refuses. */
  const isReached = async (): Promise<boolean> => {
    const tried = await lab.controller.exec(["timeout", "2", "bash", "-c", `</dev/tcp/${GUEST}/9`], { check: false });
    return /refused/.test(tried.stderr);
  };
  const bridged = async (): Promise<string> => {
    const { stdout } = await program.run("status", "--json");
    return (JSON.parse(stdout) as { bridged: string }).bridged;
  };

  test("is said to have guests that are reached past the rules, exactly where they are", async () => {
    expect(await bridged()).toBe("");
    await program.host.exec(`${BRIDGE}\n${handOver(0)}`);
    const sentence = /guests on the bridge br0 are reached past the rules of this program.*bridge-nf-call-iptables=1/;
    const settings = lockSettings();
    const checked = await program.check(settings);
    expect(checked).toMatchObject({ code: 0, stdout: expect.stringMatching(/^bridge guests on the bridge br0 /m) });
    const locked = await program.lock(settings);
    expect(locked).toMatchObject({ code: 0, stdout: expect.stringMatching(sentence) });
    await program.confirm(settings);
    expect([await isReached(), await bridged()]).toEqual([true, "br0"]);
    expect((await program.run("status")).stdout).toMatch(sentence);
    // The remedy.
    await program.host.exec(handOver(1));
    expect([await isReached(), await bridged()]).toEqual([false, ""]);
    expect((await program.run("status")).stdout).not.toMatch(sentence);
    expect(await program.run("unlock")).toMatchObject({ code: 0 });
    expect(await isReached()).toBe(true);
  });
});
