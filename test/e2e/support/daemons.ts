/**
 * Real daemons that lose a host later, as their packages of Debian have them: how they are set up, the remedy that the refusal names,
 * and what shows that they still work. Each has a host of its own; some talk to the host `partner`, which is not locked.
 */
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { PolicyException } from "../../../lib/index";
import type { HostOptions, Lab } from "../../lab/lab";
import type { SystemOptions } from "../../lab/systemd-root";
import { defined } from "../../support/required";

export interface Daemon {
  /** Of its host. */
  readonly name: string;
  readonly packages: readonly string[];
  /** The word of the refusal, and the words of its remedy. */
  readonly word: string;
  readonly says: RegExp;
  /** Shell text for the root of its host, before the first boot, and of the partner. */
  readonly provision: Provision;
  readonly partner?: Provision;
  /** What somebody did there since: shell text. */
  readonly afterFirstBoot?: string;
  /** Where Terraform finds it, where that is not its own address and the port of sshd. */
  readonly address?: string;
  readonly port?: number;
  readonly user?: string;
  /** The remedy: exceptions, or shell text on the host. */
  readonly exceptions?: readonly PolicyException[];
  readonly change?: string;
  /** Shell text that succeeds where the daemon works; on its host, or at the partner. */
  readonly works: string;
  readonly seenBy?: "partner";
}

type Provision = (own: Own) => string;

interface Own {
  /** The address of the host of the daemon. */
  readonly address: string;
  /** The file with the private key of the lab. */
  readonly keyPath: string;
}

/** The first host of the lab; those of the daemons follow, in their order. */
export const PARTNER = "10.77.0.10";
const addressOf = (index: number): string => `10.77.0.${11 + index}`;

/** What each root has is switched off, until a case switches it on. */
const UNITS = ["keepalived", "watchdog", "wd_keepalive", "corosync", "unbound", "sslh"];
const allOff = [
  ...UNITS.map((unit) => `ln -sf /dev/null /etc/systemd/system/${unit}.service`),
  "mkdir -p /etc/cloud",
  "touch /etc/cloud/cloud-init.disabled",
].join("\n");
const on = (unit: string): string => `rm -f /etc/systemd/system/${unit}.service`;

const keepalived = (state: "MASTER" | "BACKUP", priority: number) => (): string => `${on("keepalived")}
cat >/etc/keepalived/keepalived.conf <<'END'
vrrp_instance lab {
  state ${state}
  interface eth0
  virtual_router_id 51
  priority ${priority}
  advert_int 1
  virtual_ipaddress {
    10.77.0.200/24
  }
}
END
`;

/** It would restart the host five seconds after the last answer. */
const watchdog: Daemon = {
  name: "watchdog",
  packages: ["watchdog"],
  word: "fencing",
  says: /watchdog runs here and restarts this host when 10\.77\.0\.1 does not answer a ping .*remove its ping lines and restart watchdog/,
  provision: () => `${on("watchdog")}
printf '%s\\n' run_watchdog=1 run_wd_keepalive=0 watchdog_module=none watchdog_options= >/etc/default/watchdog
printf '%s\\n' 'ping = 10.77.0.1' 'interval = 1' 'retry-timeout = 5' 'realtime = no' 'log-dir = /var/log' >/etc/watchdog.conf
`,
  change: "sed -i '/^ping/d' /etc/watchdog.conf && systemctl restart watchdog",
  works: 'systemctl -q is-active watchdog && [ "$(cut -d. -f1 /proc/uptime)" -gt 0 ]',
};

const vrrp: Daemon = {
  name: "vrrp",
  packages: ["keepalived"],
  word: "announced-address",
  says: /keepalived runs here\. .*add a protocol exception vrrp for them/,
  provision: keepalived("MASTER", 150),
  partner: keepalived("BACKUP", 100),
  exceptions: [PolicyException.protocol({ protocol: "vrrp", group: "224.0.0.18" })],
  // It takes the address when it hears no other.
  works: "systemctl -q is-active keepalived && ! ip -o addr show dev eth0 | grep -q ' 10.77.0.200/'",
  seenBy: "partner",
};

/** Those that `npm test` has; they need few packages. */
const few: readonly Daemon[] = [watchdog, vrrp];

const corosync = ({ address }: Own): string => `${on("corosync")}
cat >/etc/corosync/corosync.conf <<'END'
totem {
  version: 2
  cluster_name: lab
  transport: knet
  crypto_cipher: none
  crypto_hash: none
}
nodelist {
  node {
    ring0_addr: ${PARTNER}
    nodeid: 1
    name: partner
  }
  node {
    ring0_addr: ${address}
    nodeid: 2
    name: cluster
  }
}
quorum {
  provider: corosync_votequorum
  two_node: 1
}
logging {
  to_syslog: yes
}
system {
  sched_rr: no
  move_to_root_cgroup: no
}
END
`;
const toMembers = { port: 5405, protocol: "udp" } as const;
const cluster: Daemon = {
  name: "cluster",
  packages: ["corosync"],
  word: "fencing",
  says: /corosync runs here.*stop and disable corosync, or add ingress and egress exceptions for the peers/,
  provision: corosync,
  partner: corosync,
  exceptions: [
    PolicyException.ingress({ from: PARTNER, ...toMembers }),
    PolicyException.egress({ to: PARTNER, ...toMembers }),
  ],
  works: "corosync-quorumtool -s | grep -Eq '^Nodes: +2$'",
  seenBy: "partner",
};

/** SSH arrives through WireGuard, in user space where the kernel has none: the partner forwards into the tunnel. */
function tunnel(): Daemon {
  const [own, partner] = [wireguardKeys(), wireguardKeys()];
  const config = (lines: readonly string[]) => (): string => `
printf '%s\\n' ${lines.map((line) => `'${line}'`).join(" ")} >/etc/wireguard/wg0.conf
ln -s /lib/systemd/system/wg-quick@.service /etc/systemd/system/multi-user.target.wants/wg-quick@wg0.service
`;
  const address = "10.99.0.2";
  return {
    name: "tunnel",
    packages: ["wireguard-tools", "wireguard-go"],
    word: "tunnel",
    says: /You came through the tunnel wg0, whose carrier would end: add an exception for it \(wireguard,/,
    address,
    provision: config([
      "[Interface]",
      `Address = ${address}/24`,
      `PrivateKey = ${own.privateKey}`,
      "ListenPort = 51820",
      "[Peer]",
      `PublicKey = ${partner.publicKey}`,
      "AllowedIPs = 10.99.0.1/32, 10.77.0.1/32",
      `Endpoint = ${PARTNER}:51820`,
      "PersistentKeepalive = 2",
    ]),
    partner: config([
      "[Interface]",
      "Address = 10.99.0.1/24",
      `PrivateKey = ${partner.privateKey}`,
      "ListenPort = 51820",
      "[Peer]",
      `PublicKey = ${own.publicKey}`,
      `AllowedIPs = ${address}/32`,
    ]),
    exceptions: [PolicyException.wireguard({ peers: PARTNER })],
    works: '[ "$(wg show wg0 latest-handshakes | cut -f 2)" -gt 0 ]',
  };
}

/** SSH and HTTPS share a port, so that sshd sees only connections of the host itself. */
const forwarder: Daemon = {
  name: "forwarder",
  packages: ["sslh"],
  word: "tunnel",
  says: /You came from 127\.0\.0\.1, through a forwarder on this host .*add an ingress or egress exception/,
  port: 8443,
  provision: () => `${on("sslh")}
echo 'DAEMON_OPTS="--user sslh --listen 0.0.0.0:8443 --ssh 127.0.0.1:22"' >/etc/default/sslh
ln -sf /lib/systemd/system/sslh.service /etc/systemd/system/multi-user.target.wants/sslh.service
`,
  exceptions: [PolicyException.ingress({ from: "10.77.0.1", port: 8443 })],
  works: "systemctl -q is-active sslh",
};

function wireguardKeys(): { readonly privateKey: string; readonly publicKey: string } {
  const { privateKey } = generateKeyPairSync("x25519");
  const { d, x } = privateKey.export({ format: "jwk" });
  const base64 = (part: string | undefined): string => Buffer.from(defined(part), "base64url").toString("base64");
  return { privateKey: base64(d), publicKey: base64(x) };
}

/** The home of the login user, with the keys that let in, is on a disk of the partner. */
const mountOptions =
  "_netdev,allow_other,uid=4077,gid=4077,umask=077,reconnect,ServerAliveInterval=5," +
  "IdentityFile=/etc/ssh/id_of_the_disk,StrictHostKeyChecking=no,UserKnownHostsFile=/dev/null";
const disk: Daemon = {
  name: "disk",
  packages: ["sshfs"],
  word: "network-disk",
  says: /\/home\/ops of this host is a disk on the network .*add an egress exception for its server/,
  user: "ops",
  provision: ({ keyPath }) => `
printf '%s' '${readFileSync(keyPath, "utf8")}' >/etc/ssh/id_of_the_disk
chmod 0600 /etc/ssh/id_of_the_disk
printf '%s\\n' '[Unit]' DefaultDependencies=no 'Before=remote-fs-pre.target home-ops.mount' '[Service]' Type=oneshot 'ExecStart=-/bin/mknod -m 0666 /dev/fuse c 10 229' '[Install]' WantedBy=remote-fs.target >/etc/systemd/system/fuse-device.service
systemctl enable fuse-device
echo 'root@${PARTNER}:/srv/ops /home/ops fuse.sshfs ${mountOptions} 0 0' >/etc/fstab
rm -rf /home/ops/.ssh
`,
  partner: () => "mkdir -p /srv/ops && cp -a ~root/.ssh /srv/ops/",
  exceptions: [PolicyException.egress({ to: PARTNER, port: 22 })],
  works: "grep -q ' /home/ops fuse.sshfs ' /proc/mounts && touch /home/ops/written",
};

/** sshd lets in who comes from a name, which a cache on the host knows for some seconds. */
const names: Daemon = {
  name: "names",
  packages: ["unbound"],
  word: "login-name",
  says: /sshd looks up names at each login \(UseDNS\), and lets in who comes from controller\.lab\.example\.net: .*or add a dns exception/,
  provision: () => `${on("unbound")}
rm -f /etc/unbound/unbound.conf.d/*
echo ROOT_TRUST_ANCHOR_UPDATE=false >/etc/default/unbound
printf '%s\\n' server: '  module-config: "iterator"' '  do-ip6: no' '  local-zone: "10.in-addr.arpa." nodefault' forward-zone: '  name: "."' '  forward-addr: 10.77.0.1' >/etc/unbound/unbound.conf.d/lab.conf
echo 'nameserver 127.0.0.1' >/etc/resolv.conf
sed -i 's/^UseDNS no/UseDNS yes/' /etc/ssh/sshd_config
echo 'AllowUsers root@controller.lab.example.net' >>/etc/ssh/sshd_config
`,
  exceptions: [PolicyException.dns("10.77.0.1")],
  works: "systemctl -q is-active unbound && getent ahosts controller.lab.example.net",
};

/** After a restart without its server it takes the host for a new one, with other keys and its own user. The keys of the first boot are those that the lab made. */
function cloud(name: string, remedy: Pick<Daemon, "exceptions" | "change">): Daemon {
  return {
    name,
    packages: ["cloud-init"],
    word: "cloud-init",
    says: /datasource on the network \(DataSourceEc2\)\. .*add an egress exception .*or write manual_cache_clean: true to \/etc\/cloud\/cloud\.cfg\.d\/99-keep\.cfg/,
    provision: () => `rm -f /etc/cloud/cloud-init.disabled
cat >/etc/cloud/cloud.cfg.d/90-lab.cfg <<'END'
datasource_list: [Ec2]
datasource: {Ec2: {strict_id: false, metadata_urls: ["http://169.254.169.254"], timeout: 2, max_wait: 4}}
network: {config: disabled}
cloud_init_modules: [users-groups, ssh]
cloud_config_modules: []
cloud_final_modules: []
END
echo 'ssh_deletekeys: false' >/etc/cloud/cloud.cfg.d/95-first-boot.cfg
rm -f /etc/ssh/ssh_host_*
cp -p /etc/ssh/lab_host_key /etc/ssh/ssh_host_ed25519_key
ssh-keygen -y -f /etc/ssh/lab_host_key >/etc/ssh/ssh_host_ed25519_key.pub
sed -i 's/lab_host_key/ssh_host_ed25519_key/' /etc/ssh/sshd_config
`,
    ...remedy,
    afterFirstBoot: "userdel -r debian; rm /etc/cloud/cloud.cfg.d/95-first-boot.cfg",
    works: '[ "$(cat /var/lib/cloud/data/instance-id)" = i-lab ] && ! getent passwd debian',
  };
}

const clouds: readonly Daemon[] = [
  cloud("cloud-asks", { exceptions: [PolicyException.egress({ to: "169.254.169.254", port: 80 })] }),
  cloud("cloud-keeps", { change: "echo 'manual_cache_clean: true' >/etc/cloud/cloud.cfg.d/99-keep.cfg" }),
  cloud("cloud-off", { change: "touch /etc/cloud/cloud-init.disabled" }),
];

const others: readonly Daemon[] = [cluster, tunnel(), disk, names, ...clouds, forwarder];

/** `npm test` has those that need few packages, DAEMONS=all (`npm run test:daemons`) all. */
export const daemons: readonly Daemon[] = process.env.DAEMONS === "all" ? [...few, ...others] : few;

/** The root of all. */
export const system: SystemOptions = { packages: [...new Set(daemons.flatMap((daemon) => daemon.packages))] };

/** The hosts, the partner first. */
export function hostsIn(lab: Lab): readonly HostOptions[] {
  const ownOf = (index: number): Own => ({ address: addressOf(index), keyPath: lab.privateKeyPath });
  const partner = daemons.map((daemon, index) => daemon.partner?.(ownOf(index)) ?? "").join("\n");
  return [
    { name: "partner", system, provision: `${allOff}\n${partner}` },
    ...daemons.map(({ name, user = "root", provision }, index) => ({
      name,
      user,
      system,
      provision: `${allOff}\n${provision(ownOf(index))}`,
    })),
  ];
}
