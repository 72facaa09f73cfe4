/** A locked host whose sshd goes to another port, as docs/guides/another-ssh-port.md says. */
import { items } from "../support/required";
import { type HostProps, PolicyException } from "../../lib/index";
import { describeLab } from "../lab/describe-lab";
import { Lab } from "../lab/lab";
import { controllerOnly, Deployment, hostEntry } from "./support/deployment";
import { lockedHosts } from "./support/tracked-deployment";

describeLab(
  "the SSH port of a locked host",
  () => {
    let lab: Lab;
    beforeAll(async () => {
      lab = await Lab.create({ hosts: [{ name: "web-1", user: "ops", sshPort: [22, 2222] }] });
    }, 60_000);
    afterAll(() => lab?.destroy());

    test("changes in two deploys", async () => {
      const [host] = items(lab.hosts, 1);
      const deployment = new Deployment(lab);
      const deploy = async (own: Partial<HostProps>, ...open: number[]): Promise<void> => {
        await deployment.apply({ hosts: { [host.name]: hostEntry(lab, host, own) } });
        expect(await lockedHosts(lab.hosts)).toEqual(["web-1"]);
        expect((await lab.scanTcp(host, { ports: "22,2222" })).open).toEqual(open);
      };
      await deploy({}, 22);
      await deploy({ exceptions: [PolicyException.ingress({ from: controllerOnly, port: 2222 })] }, 22, 2222);
      await deploy({ sshPort: 2222 }, 2222);
      expect((await host.ssh("echo in", { port: 2222 })).stdout).toBe("in\n");
    }, 120_000);
  },
  { needs: "terraform" },
);
