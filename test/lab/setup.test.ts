import * as fs from "node:fs";
import * as path from "node:path";
import { describeLab } from "./describe-lab";
import { Lab, type Host, type RunResult } from "./lab";

const script = fs.readFileSync(path.join(__dirname, "setup.sh"), "utf8");

/** Stands for apt-get: writes down how it was called, and whether services were kept from starting. */
const aptGet = `#!/bin/sh
printf '%s\\n' "$*" >>/var/log/apt-get
[ ! -e /usr/sbin/policy-rc.d ] || printf 'policy %s\\n' "$(sh /usr/sbin/policy-rc.d; echo $?)" >>/var/log/apt-get
[ ! -e /etc/apt-get-fails ] || { echo "E: no space left"; exit 100; }
case $* in *install*) printf '#!/bin/sh\\n' >/usr/local/bin/nmap; chmod 755 /usr/local/bin/nmap ;; esac
`;

describeLab("setup.sh", () => {
  let lab: Lab;
  beforeAll(async () => {
    const provision = `cat >/usr/local/bin/apt-get <<'END'\n${aptGet}END\nchmod 755 /usr/local/bin/apt-get
      printf '#!/bin/sh\\n' >/usr/local/bin/terraform; chmod 755 /usr/local/bin/terraform
      rm -f /usr/sbin/policy-rc.d`;
    lab = await Lab.create({
      hosts: [
        { name: "ready", provision },
        { name: "bare", without: ["nmap"], provision },
        { name: "failing", without: ["nmap", "sudo"], provision: `${provision}\ntouch /etc/apt-get-fails` },
        { name: "guest", without: ["nmap", "busybox"], user: "guest", provision },
        { name: "alien", without: ["nmap", "terraform", "apt-get"] },
      ],
    });
  });
  afterAll(() => lab?.destroy());

  const setUp = (host: Host, env: Record<string, string> = {}): Promise<RunResult> =>
    host.exec(["sh", "-s"], { input: script, env: { CI: undefined, ...env }, check: false });

  test("does nothing and prints nothing if nothing is missing", async () => {
    const start = Date.now();
    expect(await setUp(lab.host("ready"))).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(Date.now() - start).toBeLessThan(1000);
    expect((await lab.host("ready").exec("cat /var/log/apt-get", { check: false })).code).toBe(1);
  });

  test("installs what is missing once, and starts no service", async () => {
    const host = lab.host("bare");
    const { code, stderr } = await setUp(host);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "Installing for the lab: nmap\n" });
    const called = "-q update\npolicy 101\n-qy --no-install-recommends install nmap\npolicy 101\n";
    expect((await host.exec("cat /var/log/apt-get")).stdout).toBe(called);
    expect((await host.exec("ls /usr/sbin/policy-rc.d /tmp", { check: false })).stdout).toBe("/tmp:\n");
    expect(await setUp(host)).toEqual({ code: 0, stdout: "", stderr: "" });
    expect((await host.exec("cat /var/log/apt-get")).stdout).toBe(called);
  });

  test("keeps a service policy that the machine has", async () => {
    const host = lab.host("bare");
    await host.exec("rm /usr/local/bin/nmap; printf '#!/bin/sh\\nexit 104\\n' >/usr/sbin/policy-rc.d");
    expect((await setUp(host)).code).toBe(0);
    expect((await host.exec("cat /usr/sbin/policy-rc.d")).stdout).toBe("#!/bin/sh\nexit 104\n");
  });

  test("prints the output of apt-get if it fails", async () => {
    const { code, stderr } = await setUp(lab.host("failing"));
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "Installing for the lab: sudo nmap\nE: no space left\nThese packages could not be installed: sudo nmap\n",
    });
    expect((await lab.host("failing").exec("ls /usr/sbin/policy-rc.d", { check: false })).code).toBe(2);
  });

  test("prints for other users what root must do, and fails only with CI=true", async () => {
    const host = lab.host("guest");
    const asGuest = (ci: string): Promise<RunResult> =>
      host.exec(["setpriv", "--reuid", "4077", "--clear-groups", "env", `CI=${ci}`, "sh", "-s"], {
        input: script,
        check: false,
      });
    const { code, stderr } = await asGuest("");
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringContaining("As root: apt-get install nmap busybox\n"),
    });
    expect(stderr).toContain("tests that use real hosts will not be run");
    expect((await asGuest("true")).code).toBe(1);
  });

  test("reports what is missing, and Terraform, if there is no apt-get", async () => {
    const { code, stderr } = await setUp(lab.host("alien"));
    expect(code).toBe(0);
    expect(stderr).toContain("here is no apt-get: nmap\n");
    expect(stderr).toContain("Terraform is not installed");
    expect((await setUp(lab.host("alien"), { CI: "true" })).code).toBe(1);
  });
});
