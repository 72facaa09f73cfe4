/** A client behind a router, on a way that takes packets of 1300 bytes at most. Only the router knows, and says so. */
import * as path from "node:path";
import { items } from "../../support/required";
import { firstLine, letGo, nsenter } from "../../lab/host";
import { Peer, Place, type Host, type Lab } from "../../lab/lab";

export const narrowMtu = 1300;

/** Makes the router and the client, and tells the hosts the way. */
export async function narrowPath(lab: Lab, hosts: readonly Host[]): Promise<Peer> {
  const router = await lab.peer();
  const sayPids = `read -r pid _ <"${lab.folder}/outer-proc/self/stat"; echo "pids $pid $$"; exec sleep infinity`;
  const child = router.place.spawn(["unshare", "--net", "/bin/sh", "-c", sayPids], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [outerPid, pid] = items((await firstLine(child, "pids ")).split(" ").map(Number), 2);
  letGo(child);
  const client = new Peer(
    "10.79.0.2",
    "fd79::2",
    new Place(
      "client behind a narrow hop",
      () => [...nsenter(outerPid), "--mount", "--net", "--pid"],
      () => ({ PATH: `${process.env.PATH}:/usr/sbin:/sbin`, HOME: path.join(lab.folder, "home") }),
    ),
  );
  // Both ends of the cable take 1500 bytes, so that the client asks for segments as long as the host would send.
  await router.exec(
    `echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
     ip link add far0 type veth peer name eth0 netns ${pid}
     ip addr add 10.79.0.1/24 dev far0; ip addr add fd79::1/64 dev far0 nodad; ip link set far0 up
     ip route add ${client.ipv4}/32 dev far0 mtu ${narrowMtu}; ip route add ${client.ipv6}/128 dev far0 mtu ${narrowMtu}`,
  );
  await client.exec(
    `ip link set lo up; ip addr add ${client.ipv4}/24 dev eth0; ip addr add ${client.ipv6}/64 dev eth0 nodad
     ip link set eth0 up; ip route add default via 10.79.0.1; ip route add default via fd79::1`,
  );
  for (const host of hosts) {
    await host.exec(`ip route add 10.79.0.0/24 via ${router.ipv4}; ip route add fd79::/64 via ${router.ipv6}`);
  }
  return client;
}
