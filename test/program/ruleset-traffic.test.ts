/** What the rulesets do to real packets, in network namespaces of their own. */
import { join } from "node:path";
import { PolicyException } from "../../lib/policy/exception";
import type { PolicyProps } from "../../lib/policy/policy";
import { describeWithRoot } from "../ruleset/support/namespaces";
import { FIREWALLS, Network } from "../ruleset/support/network";

const COMMANDS = [
  "ip",
  "busybox",
  "perl",
  "sysctl",
  "unshare",
  "nsenter",
  "nft",
  "iptables-nft-restore",
  "iptables-legacy-restore",
];

/** What Docker and kube-proxy do, too: local packets to an address of the host go to another machine. */
const DIVERTED = (["ip 10.1.0.2 10.2.0.2", "ip6 fd01::2 fd02::2"] as const)
  .map((words) => words.split(" "))
  .map(
    ([family, from, to]) => `table ${family} diverted {
  chain out {
    type nat hook output priority -100; policy accept;
    ${family} daddr ${from} tcp dport 4480 dnat to ${family === "ip" ? to : `[${to}]`}:80
    ${family} daddr ${from} udp dport 4453 dnat to ${family === "ip" ? to : `[${to}]`}:53
  }
}`,
  )
  .join("\n");

/** At the machine to which they go. */
const COUNTED = `table inet counted
delete table inet counted
table inet counted {
  chain in {
    type filter hook input priority 0; policy accept;
    ip saddr 10.1.0.2 tcp dport 80 counter
    ip saddr 10.1.0.2 udp dport 53 counter
    ip6 saddr fd01::2 tcp dport 80 counter
  }
}`;

/** To groups and to the broadcast address, over loopback. */
const MULTICAST = `
const dgram = require("node:dgram");
const send = (type, own, address) =>
  new Promise((resolve, reject) => {
    const socket = dgram.createSocket(type);
    socket.bind(() => {
      if (own) socket.setMulticastInterface(own);
      socket.setBroadcast(true);
      socket.send("x", 9, address, (error) => (socket.close(), error ? reject(error) : resolve()));
    });
  });
Promise.all([send("udp4", "127.0.0.1", "224.0.0.251"), send("udp4", "", "127.255.255.255")])
  .then(() => console.log("all were sent"));
`;

const RAW = join(__dirname, "../ruleset/support/raw.pl");

/** What has passed the rules of the host, in by source and out by the other end: `protocol end` of all that was counted. */
const PROTOCOLS = [47, 98, 99, 112];
const PASSED = `table inet passed
delete table inet passed
table inet passed {
  set seen { type inet_proto . ipv4_addr; flags dynamic; }
  set seen6 { type inet_proto . ipv6_addr; flags dynamic; }
  chain in {
    type filter hook input priority 10; policy accept;
    meta l4proto { ${PROTOCOLS.join(", ")} } add @seen { meta l4proto . ip saddr }
    meta l4proto { ${PROTOCOLS.join(", ")} } add @seen6 { meta l4proto . ip6 saddr }
  }
}`;

/** The client's networks; the router next to the host is not in them. */
const CLIENT: PolicyProps = { allowFrom: ["10.2.0.0/24", "fd02::/32"] };

describeWithRoot("rulesets in a real kernel", COMMANDS, () => {
  let network: Network;
  beforeAll(async () => {
    network = await Network.open();
    await Promise.all([
      network.host.words("serve 22 80"),
      network.client.words("serve 53 80"),
      network.behind.words("serve 80"),
      network.host.must("ip addr add 224.0.0.18/32 dev eth0 autojoin && ip addr add ff02::12/128 dev eth0 autojoin"),
    ]);
  });
  afterAll(() => network?.close());

  test("without a firewall everything that these tests close is open", async () => {
    const { host, router, client } = network;
    await network.unlock();
    expect(await client.words("tcp 10.1.0.2 22", "tcp fd01::2 80", "udp 10.1.0.2 80", "tcp 10.3.0.2 80")).toEqual([
      "open",
      "open",
      "echo",
      "open",
    ]);
    expect(await client.words("tcp 10.1.0.2 4444", "udp fd01::2 4444")).toEqual(["ECONNREFUSED", "ECONNREFUSED"]);
    expect(await host.words("tcp 10.2.0.2 80", "tcp fd02::2 80", "udp 10.2.0.2 53")).toEqual(["open", "open", "echo"]);
    expect(await router.words("tcp 10.1.0.2 22", "tcp fd01::2 22")).toEqual(["open", "open"]);
    expect(await client.pings("10.1.0.2", "10.2.0.2")).toBe(true);
  });

  describe.each(FIREWALLS)("with %s", (firewall) => {
    test("only SSH answers, only to the allowed sources, and nothing is forwarded", async () => {
      const { router, client } = network;
      await network.lock(firewall, CLIENT);
      const [open, closed, others, pings] = await Promise.all([
        client.words("tcp 10.1.0.2 22", "tcp fd01::2 22"),
        client.words(
          ...["tcp 10.1.0.2 80", "tcp fd01::2 80", "tcp 10.1.0.2 4444", "tcp fd01::2 4444"],
          ...["udp 10.1.0.2 80", "udp fd01::2 80", "udp 10.1.0.2 4444", "udp fd01::2 4444"],
          "tcp 10.3.0.2 80",
        ),
        router.words("tcp 10.1.0.2 22", "tcp fd01::2 22"),
        Promise.all([client.pings("10.1.0.2", "10.2.0.2"), client.pings("fd01::2", "fd02::2")]),
      ]);
      expect(open).toEqual(["open", "open"]);
      expect(closed).toEqual(Array(9).fill("timeout"));
      expect(others).toEqual(["timeout", "timeout"]);
      expect(pings).toEqual([false, false]);
    });

    test("nothing leaves the host, not from the SSH port either, and local programs fail at once", async () => {
      const { host } = network;
      await network.lock(firewall, { ...CLIENT, sshPort: 2222 });
      // A probe gives up after a quarter of a second, so these words say "at once" as well.
      const tcp = await host.words("tcp 10.2.0.2 80", "tcp fd02::2 80", "tcp 10.2.0.2 80 10.1.0.2 2222");
      expect(tcp).toEqual(Array(3).fill("ECONNREFUSED"));
      expect(await host.words("udp 10.2.0.2 53", "udp fd02::2 53")).toEqual(["EPERM", "EPERM"]);
      expect(await host.words("tcp 127.0.0.1 80", "tcp ::1 80")).toEqual(["open", "open"]);
    });

    test("reject inbound answers the sender at once, drop outbound lets local programs wait", async () => {
      const { host, client } = network;
      await network.lock(firewall, { ...CLIENT, deniedInbound: "reject", deniedOutbound: "drop" });
      const refused = await client.words("tcp 10.1.0.2 80", "tcp fd01::2 80", "udp 10.1.0.2 80", "udp fd01::2 80");
      expect(refused).toEqual(["ECONNREFUSED", "ECONNREFUSED", "EHOSTUNREACH", "EACCES"]);
      expect(await host.words("tcp 10.2.0.2 80", "tcp fd02::2 80")).toEqual(["timeout", "timeout"]);
      expect(await client.words("tcp 10.1.0.2 22", "tcp fd01::2 22")).toEqual(["open", "open"]);
    });

    test("a family without sources is closed", async () => {
      await network.lock(firewall, { allowFrom: ["10.2.0.0/24"] });
      expect(await network.client.words("tcp 10.1.0.2 22", "tcp fd01::2 22")).toEqual(["open", "timeout"]);
      await network.lock(firewall, { allowFrom: ["fd02::/32"] });
      expect(await network.client.words("tcp 10.1.0.2 22", "tcp fd01::2 22")).toEqual(["timeout", "open"]);
    });

    test("large packets find their size on a path that takes only smaller ones", async () => {
      await network.lock(firewall, CLIENT);
      await network.host.must("ip route flush cache && ip -6 route flush cache");
      const received = await network.client.words("bulk 10.1.0.2 22 300000", "bulk fd01::2 22 300000");
      expect(received).toEqual(["300000", "300000"]);
    });

    test("IPv6 finds its neighbours again after they were forgotten, whoever asks first", async () => {
      const { host, router } = network;
      await network.lock(firewall, { allowFrom: ["fd01::/64"] });
      await host.must("ip -6 neigh flush dev eth0");
      await router.must("ip -6 neigh flush dev toHost");
      expect(await router.words("tcp fd01::2 22")).toEqual(["open"]);
      await host.must("ip -6 neigh flush dev eth0");
      expect(await router.words("tcp fd01::2 22")).toEqual(["open"]);
    });

    test.each([1, 0])(
      "a session older than the firewall goes on when only the server sends, of an exception too (nf_conntrack_tcp_loose=%i)",
      async (loose) => {
        await network.unlock();
        await network.host.must(`sysctl -qw net.netfilter.nf_conntrack_tcp_loose=${loose}`);
        const services = ["10.1.0.2 22", "fd01::2 22", "10.1.0.2 80", "fd01::2 80"];
        const sessions = network.client.words(...services.map((one) => `listen-only ${one}`));
        await new Promise((resolve) => setTimeout(resolve, 50));
        // One through which SSH may come, as through a forwarder or a tunnel.
        const ingress = PolicyException.ingress({ from: ["10.2.0.0/24", "fd02::/32"], port: 80 });
        await network.lock(firewall, { ...CLIENT, exceptions: [ingress] });
        expect(await sessions).toEqual(["12", "12", "12", "12"]);
      },
    );

    test.each(["enforce", "observe"] as const)(
      "the kernel keeps no list of connections, which a flood could fill (%s)",
      async (mode) => {
        const { host, client } = network;
        const tracked = async (): Promise<number> =>
          Number(await host.must("cat /proc/sys/net/netfilter/nf_conntrack_count 2>/dev/null || echo 0"));
        // To tell answers from the rest, exceptions ask for the state, but for what they only observe.
        const exceptions = [PolicyException.dns("10.2.0.3"), PolicyException.ping()];
        await network.lock(firewall, { ...CLIENT, mode, exceptions: mode === "observe" ? exceptions : [] });
        const before = await tracked();
        expect(await client.words("tcp 10.1.0.2 22", "tcp fd01::2 22")).toEqual(["open", "open"]);
        expect(await client.words("udp 10.1.0.2 80")).toEqual([mode === "observe" ? "echo" : "timeout"]);
        // The list gets shorter by itself: what an earlier test left there may end now.
        expect(await tracked()).toBeLessThanOrEqual(before);
      },
    );

    test("nothing leaves over loopback when a nat rule sends it elsewhere", async () => {
      const { host, client } = network;
      const orders = ["tcp 10.1.0.2 4480", "udp 10.1.0.2 4453", "tcp fd01::2 4480"];
      const leaks = async (): Promise<number[]> => {
        await client.must("nft -f -", COUNTED);
        await host.words(...orders);
        const counted = await client.must("nft list table inet counted");
        return [...counted.matchAll(/packets (\d+)/g)].map((match) => Math.min(Number(match[1]), 1));
      };
      await network.unlock();
      await host.must("nft -f -", DIVERTED);
      expect(await leaks()).toEqual([1, 1, 1]);
      await network.lock(firewall, CLIENT);
      await host.must("nft -f -", DIVERTED);
      expect(await leaks()).toEqual([0, 0, 0]);
      await client.must("nft delete table inet counted");
    });

    test("programs of the host reach each other at all of its addresses", async () => {
      const { host } = network;
      await network.lock(firewall, CLIENT);
      const linkLocal = (await host.must("ip -6 addr show dev eth0 scope link")).match(/fe80[^/]*/)?.[0];
      const addresses = ["127.0.0.1", "127.1.2.3", "::1", "10.1.0.2", "10.3.0.1", "fd01::2", `${linkLocal}%eth0`];
      const words = await host.words(...addresses.map((address) => `tcp ${address} 80`));
      expect(words).toEqual(addresses.map(() => "open"));
      expect(await host.words("udp 127.0.0.1 80", "udp ::1 80", "udp 10.1.0.2 80")).toEqual(["echo", "echo", "echo"]);
      expect(await host.must(`${process.execPath} -e '${MULTICAST}'`)).toBe("all were sent\n");
    });

    test("an exception passes both ways, and nothing beside it", async () => {
      const { host, client } = network;
      await network.lock(firewall, {
        allowFrom: ["10.1.0.1"],
        exceptions: [
          PolicyException.dns("10.2.0.2"),
          PolicyException.ping({ from: "10.2.0.2" }),
          PolicyException.egress({ to: "fd02::2", port: 80 }),
          PolicyException.ingress({ from: "10.2.0.3", port: 80 }),
        ],
      });
      expect(await host.words("udp 10.2.0.2 53", "tcp 10.2.0.2 53", "tcp fd02::2 80")).toEqual([
        "echo",
        "open",
        "open",
      ]);
      const beside = await host.words("tcp 10.2.0.2 80", "tcp 10.2.0.3 53", "tcp fd02::2 53");
      expect(beside).toEqual(Array(3).fill("ECONNREFUSED"));
      expect(await client.words("tcp 10.1.0.2 80 10.2.0.3", "tcp 10.1.0.2 80 10.2.0.2")).toEqual(["open", "timeout"]);
      expect(await Promise.all([client.pings("10.1.0.2", "10.2.0.2"), client.pings("10.1.0.2", "10.2.0.3")])).toEqual([
        true,
        false,
      ]);
    });

    test("protocols without ports pass for their peers and groups, both ways, and no others do", async () => {
      const { host, router, client } = network;
      await network.lock(firewall, {
        allowFrom: ["10.1.0.1"],
        exceptions: [
          PolicyException.protocol({ protocol: "vrrp", group: ["224.0.0.18", "ff02::12"] }),
          PolicyException.protocol({ protocol: 99, peers: ["10.1.0.1", "fd01::1"] }),
          PolicyException.protocol({ protocol: "gre", peers: "10.2.0.2" }),
          PolicyException.wireguard({ peers: "10.2.0.2", port: 80 }),
        ],
      });
      const raw = (machine: typeof host, orders: string): Promise<string> => machine.must(`perl ${RAW} ${orders}`);
      expect(await raw(host, "112 224.0.0.18%eth0 112 ff02::12%eth0 99 10.1.0.1 99 fd01::1 47 10.2.0.2")).toBe(
        "sent sent sent sent sent\n",
      );
      const closed = "112 10.1.0.1 112 224.0.0.5%eth0 98 10.1.0.1 98 fd01::1 99 10.2.0.2 99 fd02::2";
      expect(await raw(host, closed)).toBe(`${Array(6).fill("EPERM").join(" ")}\n`);
      // From here on, because the host hears what it sends to a group.
      await host.must("nft -f -", PASSED);
      await raw(
        router,
        "112 224.0.0.18%toHost 112 ff02::12%toHost 98 10.1.0.2 98 fd01::2 99 10.1.0.2 99 fd01::2 112 10.1.0.2",
      );
      await raw(client, "47 10.1.0.2 99 10.1.0.2 99 fd01::2 112 10.1.0.2");
      expect(await client.words("udp 10.1.0.2 80", "tcp 10.1.0.2 80")).toEqual(["echo", "timeout"]);
      expect(await seen(host)).toEqual(["112 10.1.0.1", "112 fe80", "47 10.2.0.2", "99 10.1.0.1", "99 fd01::1"]);
    });
  });
});

/** Of the set `passed`, sorted; a link-local address by its beginning. */
async function seen(host: { must(command: string): Promise<string> }): Promise<string[]> {
  const listed = await host.must("nft -n list table inet passed");
  const found = [...listed.matchAll(/\b(\d+) \. ([0-9a-f.:]+)/g)].map(
    ([, protocol, end = ""]) => `${protocol} ${end.replace(/^fe80:.*/, "fe80")}`,
  );
  return [...new Set(found)].sort();
}
