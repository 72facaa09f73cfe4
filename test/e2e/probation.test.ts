/** A host that is lost some seconds after its first confirm, by a fence, its address, a cache or a tunnel, is as it was before. */
import { toMarkdown } from "../../lib/review/markdown";
import { readPlan } from "../../lib/review/plan";
import { reviewPlan } from "../../lib/review/review";
import { type HostProps, PolicyException } from "../../lib/index";
import { describeLab } from "../lab/describe-lab";
import { type Host, Lab } from "../lab/lab";
import { eventually } from "../support/eventually";
import { items } from "../support/required";
import { serveNames } from "./support/controller-servers";
import { Apply, isAtRest, isPending, lockdowns, saidBy, stateFile, statusOf, STATE } from "./support/drill";
import { Deployment, type DeploymentProps, hostEntries, hostEntry } from "./support/deployment";
import { words } from "./support/tracked-deployment";

/** On probation, and while a server is silent that the lock shuts out, it does what loses the host; and takes it back. */
const keeper = (lose: string, restore: string): string => `
cat >/usr/local/bin/keeper <<'END'
#!/bin/sh
own=$(ip -o -4 addr show dev eth0 | awk '{ print $4 }')
while :; do
  if busybox ping6 -c 1 -W 1 -I eth0 fe80::77:ff:fe00:1 >/dev/null 2>&1; then
    ${restore}
  elif grep -q 'on probation' ${STATE}/log; then
    ${lose}
  fi
  sleep 1
done
END
chmod 0755 /usr/local/bin/keeper
`;

/** As a cluster does. */
const fence = keeper("pkill -STOP -o -x sshd", "pkill -CONT -o -x sshd");

/** As a DHCP client does: its lease has two seconds to go. */
const lease = keeper(
  `[ -e /run/ends ] || ip addr change "$own" dev eth0 valid_lft 2 preferred_lft 2; : >/run/ends`,
  `rm -f /run/ends; ip addr replace "$own" dev eth0 valid_lft forever; ip route replace default via 10.77.0.1`,
);

/** sshd lets in who comes from a name, which a cache on the host knows: dnsmasq forgets all at a SIGHUP. */
const names = `${keeper("kill -HUP $(cat /run/cache.pid)", ":")}
sed -i 's/^UseDNS no/UseDNS yes/' /etc/ssh/lab_sshd_config
echo 'AllowUsers root@controller.lab.example.net' >>/etc/ssh/lab_sshd_config
echo 'nameserver 127.0.0.1' >/etc/resolv.conf
`;
const cache =
  "dnsmasq --conf-file=/dev/null --no-hosts --no-resolv --server=10.77.0.1 --listen-address=127.0.0.1 --bind-interfaces --user=root --pid-file=/run/cache.pid";

/** What sets up the keys of a tunnel asks the other end again and again, beside it. */
const tunnel = keeper("ip link set vx7 down", "ip link set vx7 up");
const tunnelTo = (remote: string, address: string): string =>
  `ip link add vx7 type vxlan id 7 remote ${remote} dstport 4789 && ip addr add ${address}/24 dev vx7 && ip link set vx7 up`;
const carrier = { port: 4789, protocol: "udp" } as const;

describeLab("a lock with a probation", () => {
  let lab: Lab;
  let steady: Host;
  let lost: readonly Host[];
  const probation = (seconds: number): DeploymentProps => ({
    confirmWithinSeconds: 12,
    probationSeconds: seconds,
    hosts: hostEntries(lab),
  });
  beforeAll(async () => {
    lab = await Lab.create();
    await serveNames(lab, 600);
    const boot = `[ ! -e ${STATE}/host.sh ] || sh ${STATE}/host.sh boot`;
    [steady, ...lost] = items(
      await lab.addHosts([
        { name: "steady", boot },
        { name: "fenced", provision: fence },
        { name: "leased", provision: lease },
        { name: "named", provision: names, boot: cache },
        { name: "carried", provision: tunnel },
      ]),
      5,
    );
    await lab.host("carried").exec(tunnelTo("10.77.0.1", "10.79.0.2"));
    await lab.controller.exec(tunnelTo(lab.host("carried").ipv4, "10.79.0.1"));
    await Promise.all(lost.map((host) => host.exec("setsid /usr/local/bin/keeper </dev/null >/dev/null 2>&1 &")));
  });
  afterAll(() => lab?.destroy());

  /** The remedies are followed as far as they let the first confirm through. */
  const allHosts = (): Record<string, HostProps> => ({
    ...hostEntries(lab),
    named: hostEntry(lab, lab.host("named"), { skipPreflight: true }),
    carried: hostEntry(lab, lab.host("carried"), {
      address: "10.79.0.2",
      allowFrom: ["10.79.0.1"],
      exceptions: [
        PolicyException.ingress({ from: "10.77.0.1", ...carrier }),
        PolicyException.egress({ to: "10.77.0.1", ...carrier }),
      ],
    }),
  });

  const answers = async (host: Host): Promise<string> => {
    const options = host.name === "carried" ? ["HostName=10.79.0.2", "HostKeyAlias=carried"] : [];
    return (await host.ssh("hostname", { options })).stdout.trim();
  };

  test("locks the host that stays reachable, and reports why each of the others is open, and reachable", async () => {
    const rules = await Promise.all(lost.map((host) => host.rules()));
    const deployment = new Deployment(lab);
    const props = { ...probation(8), hosts: allHosts() };
    const result = await (await deployment.prepare(props)).apply(["-parallelism=5"], { check: false });
    expect(result.code).toBe(1);
    expect(words(result)).toMatch(/steady: confirmed over a new connection\. The host is locked/);
    for (const { name } of lab.hosts) {
      expect(saidBy(name, result.stdout)).toContain(`${name}: reached over a new connection, and on probation for 8 s`);
    }
    for (const { name } of lost) {
      expect(saidBy(name, result.stdout)).toMatch(
        /it was reached once, and not confirmed after its probation: the host is open/,
      );
    }
    const found = await lockdowns(deployment.terraform);
    expect(found).toEqual({ steady: "healthy", ...Object.fromEntries(lost.map(({ name }) => [name, "tainted"])) });
    expect(await statusOf(steady)).toMatchObject({ state: "locked" });
    for (const [index, host] of lost.entries()) {
      expect(await statusOf(host)).toMatchObject({ state: "open" });
      expect(await host.rules()).toBe(rules[index]);
      expect(await answers(host)).toBe(host.name);
    }
  });

  test("that Terraform does not live to see the end of rolls back", async () => {
    await steady.exec(`[ ! -e ${STATE}/host.sh ] || sh ${STATE}/host.sh unlock`);
    const rules = await steady.rules();
    const deployment = new Deployment(lab);
    const terraform = await deployment.prepare({ ...probation(5), hosts: hostEntries(lab, [steady]) });
    const { file } = await terraform.plan();
    const review = reviewPlan(readPlan(Buffer.from(JSON.stringify(await terraform.showJson(file)))));
    expect(review.dangers).toEqual([]);
    expect(toMarkdown(review)).toContain("- `probation`, over a new connection, on 1 host: pending for");
    const apply = Apply.start(lab, terraform);
    await eventually("it is on probation", () => stateFile(steady, "log")?.includes("on probation for 5 s") === true);
    await apply.kill();
    expect(isPending(steady)).toBe(true);
    await eventually("it is at rest", () => isAtRest(steady), { seconds: 60 });
    expect(await statusOf(steady)).toMatchObject({ state: "open" });
    expect(await steady.rules()).toBe(rules);
    await deployment.apply({ ...probation(2), hosts: hostEntries(lab, [steady]) });
    expect(await statusOf(steady)).toMatchObject({ state: "locked" });
  });

  test("that a restart interrupts is rolled back", async () => {
    await steady.exec(`[ ! -e ${STATE}/host.sh ] || sh ${STATE}/host.sh unlock`);
    await steady.exec(`: >${STATE}/log`);
    const rules = await steady.rules();
    const deployment = new Deployment(lab);
    const terraform = await deployment.prepare({ ...probation(600), hosts: hostEntries(lab, [steady]) });
    const apply = Apply.start(lab, terraform);
    await eventually("it is on probation", () => stateFile(steady, "log")?.includes("on probation for 600 s") === true);
    await steady.reboot();
    await apply.ended;
    expect(await lockdowns(terraform)).toEqual({ steady: "tainted" });
    expect(await statusOf(steady)).toMatchObject({ state: "open" });
    expect(await steady.rules()).toBe(rules);
    expect(await answers(steady)).toBe("steady");
  });
});
