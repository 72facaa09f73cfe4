/** What the controller answers for hosts whose daemons ask: a name server, and the metadata server of a cloud. */
import type { ChildProcess } from "node:child_process";
import { firstLine, letGo } from "../../lab/host";
import type { Lab } from "../../lab/lab";

/** The names of the lab, each of which may be kept for so many seconds: `controller.lab.example.net`. */
export async function serveNames(lab: Lab, seconds: number): Promise<void> {
  const names = ["--host-record=controller.lab.example.net,10.77.0.1", `--local-ttl=${seconds}`];
  const options = ["--conf-file=/dev/null", "--keep-in-foreground", "--no-resolv", "--no-hosts", "--pid-file="];
  const place = ["--listen-address=10.77.0.1", "--bind-interfaces", "--user=root"];
  keep(lab, lab.controller.spawn(["dnsmasq", ...options, ...place, ...names], { stdio: "ignore" }));
  await lab.controller.exec("until ss -lun | grep -q '10.77.0.1:53 '; do sleep 0.1; done");
}

/** As Ec2 has it, at its address: of a machine that is always the same. */
export async function serveMetadata(lab: Lab): Promise<void> {
  await lab.controller.exec("ip addr add 169.254.169.254/32 dev br0");
  const child = lab.controller.spawn([process.execPath, "-e", METADATA], { stdio: ["ignore", "pipe", "inherit"] });
  await firstLine(child, "ready");
  letGo(child);
  keep(lab, child);
}

const METADATA = `
const values = { "instance-id": "i-lab", "ami-id": "ami-lab" };
require("node:http").createServer((request, response) => {
  const [, name] = /meta-data\\/(.*)$/.exec(request.url) ?? [];
  const answer = name === "" ? Object.keys(values).join("\\n") : values[name];
  response.writeHead(answer === undefined ? 404 : 200).end(answer);
}).listen(80, "169.254.169.254", () => console.log("ready"));
`;

function keep(lab: Lab, child: ChildProcess): void {
  lab.onDestroy(() => child.kill());
}
