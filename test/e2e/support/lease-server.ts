/** What gives addresses in a lab, for a while only: dnsmasq for DHCPv4 and DHCPv6, radvd for router advertisements. */
import * as fs from "node:fs";
import * as path from "node:path";
import type { ChildProcess } from "node:child_process";
import type { Host, Lab } from "../../lab/lab";
import { eventually } from "../../support/eventually";

/** The shortest that dnsmasq gives. */
export const leaseSeconds = 120;
/** How long a router advertisement is good for: prefix and router. */
export const routerSeconds = 60;

/** The numbers of hosts that it knows: each gets the addresses that the lab has given its name to. */
const numbers = Array.from({ length: 40 }, (_, index) => index + 10);

export class LeaseServer {
  /** In the controller, before the hosts boot. */
  public static async start(lab: Lab): Promise<LeaseServer> {
    const folder = lab.makeFolder("leases");
    const server = new LeaseServer(path.join(folder, "dnsmasq.log"));
    const config = path.join(folder, "radvd.conf");
    fs.writeFileSync(config, advertisements);
    fs.writeFileSync(path.join(folder, "dnsmasq.conf"), leases(folder));
    const options = ["--conf-file=" + path.join(folder, "dnsmasq.conf"), "--keep-in-foreground"];
    server.run(lab, ["dnsmasq", ...options, `--log-facility=${server.logPath}`]);
    server.run(lab, ["radvd", "-n", "-m", "stderr", "-C", config, "-p", path.join(folder, "radvd.pid")]);
    lab.onDestroy(() => server.stop());
    await eventually("dnsmasq serves", () => server.log().includes("DHCPv6, static leases only"));
    return server;
  }

  private readonly children: ChildProcess[] = [];

  private constructor(private readonly logPath: string) {}

  /** How often the host got its address for another two minutes. */
  public renewals(host: Host, family: 4 | 6): number {
    const address = family === 4 ? host.ipv4 : host.ipv6;
    const line = family === 4 ? `DHCPACK(br0) ${address} ` : `DHCPREPLY(br0) ${address} `;
    return this.log().split(line).length - 1;
  }

  public log(): string {
    return fs.existsSync(this.logPath) ? fs.readFileSync(this.logPath, "utf8") : "";
  }

  private run(lab: Lab, command: readonly string[]): void {
    this.children.push(lab.controller.spawn(command, { stdio: "ignore" }));
  }

  private stop(): void {
    this.children.splice(0).forEach((child) => child.kill());
  }
}

const advertisements = `interface br0 {
  AdvSendAdvert on;
  AdvManagedFlag on;
  MinRtrAdvInterval 5;
  MaxRtrAdvInterval 15;
  AdvDefaultLifetime ${routerSeconds};
  prefix fd77::/64 {
    AdvValidLifetime ${routerSeconds};
    AdvPreferredLifetime ${routerSeconds};
  };
};
`;

function leases(folder: string): string {
  const hosts = numbers.map((number) => {
    const mac = `02:77:00:00:00:${number.toString(16).padStart(2, "0")}`;
    return `dhcp-host=${mac},10.77.0.${number},[fd77::${number}],${leaseSeconds}`;
  });
  return `port=0
interface=br0
bind-interfaces
user=root
pid-file=
dhcp-leasefile=${folder}/leases
dhcp-authoritative
no-ping
dhcp-option=option:dns-server
dhcp-range=10.77.0.0,static,255.255.255.0,${leaseSeconds}
dhcp-range=fd77::,static,64,${leaseSeconds}
${hosts.join("\n")}
`;
}
