/** Keys that cannot work, with the real Terraform: found at apply, before there is a lockdown, and not needed for a plan. */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App, TerraformStack, TerraformVariable } from "cdktf";
import { type ConnectionProps, type HostProps, SshOnlyFirewall } from "../../lib/index";
import { describeWith, terraformIn } from "./support/real-tools";

jest.setTimeout(120_000);

type Connections = (stack: TerraformStack) => Readonly<Record<string, ConnectionProps>>;

describeWith("a key that cannot work", ["terraform", "ssh-keygen"], () => {
  const folder = mkdtempSync(join(tmpdir(), "keys-"));
  const file = (name: string): string => join(folder, name);
  const keygen = (...args: string[]): Buffer => execFileSync("ssh-keygen", ["-q", ...args]);
  afterAll(() => rmSync(folder, { recursive: true }));

  beforeAll(() => {
    for (const [name, type, passphrase, ...more] of [
      ["good", "ed25519", ""],
      ["secret", "ed25519", "secret"],
      ["pem", "rsa", "", "-m", "PEM"],
      ["secret-pem", "rsa", "secret", "-m", "PEM"],
      ["pkcs8", "rsa", "", "-m", "PKCS8"],
      ["secret-pkcs8", "rsa", "secret", "-m", "PKCS8"],
    ] as const) {
      keygen("-t", type, "-N", passphrase, ...more, "-f", file(name));
    }
    keygen("-s", file("good"), "-I", "test", "-n", "root", file("good.pub"));
    writeFileSync(file("other"), "not a key\n");
  });

  function synth(connections: Connections, shards = 1): string {
    const before = process.cwd();
    process.chdir(folder);
    try {
      const app = new App({ outdir: "cdktf.out" });
      const stack = new TerraformStack(app, "fleet");
      const hosts = Object.entries(connections(stack)).map(([name, connection], index): [string, HostProps] => [
        name,
        // Nothing listens there, so that whatever connects says so at once.
        { address: `127.0.0.${index + 1}`, connection: { port: 1, timeoutSeconds: 1, ...connection } },
      ]);
      new SshOnlyFirewall(stack, "firewall", {
        tracker: "terraform_data",
        allowFrom: ["192.0.2.0/24"],
        shards,
        hosts: Object.fromEntries(hosts),
      });
      app.synth();
      return file("cdktf.out/stacks/fleet");
    } finally {
      process.chdir(before);
    }
  }

  /** What Terraform printed of the hosts, in one line. */
  async function apply(stack: string): Promise<string> {
    rmSync(file("terraform.fleet.tfstate"), { force: true });
    await terraformIn(stack, "init", "-no-color");
    const failed = await terraformIn(stack, "apply", "-auto-approve", "-no-color").then(
      () => "nothing failed",
      (error: Error & { stdout: Buffer }) => error.message,
    );
    return failed.replace(/\s+/g, " ");
  }
  const lockdowns = async (stack: string): Promise<string[]> => {
    const listed = (await terraformIn(stack, "state", "list")).toString();
    return [...listed.matchAll(/_lockdown\S*\["(.*)"\]/g)].map(([, host = ""]) => host);
  };

  test("is named with the host, the place and the remedy, and leaves no lockdown; one that works is used", async () => {
    const bastion = { host: "127.0.1.1", port: 1 };
    const good = file("good");
    const stack = synth(() => ({
      good: {
        privateKeyPath: good,
        certificatePath: `${good}-cert.pub`,
        bastion: { ...bastion, privateKeyPath: good },
      },
      pem: { privateKeyPath: file("pem") },
      pkcs8: { privateKeyPath: "pkcs8" },
      agent: { agent: true },
      missing: { privateKeyPath: "nothing" },
      public: { privateKeyPath: `${good}.pub` },
      other: { privateKeyPath: file("other") },
      secret: { privateKeyPath: "secret" },
      secretpem: { privateKeyPath: file("secret-pem") },
      secretpkcs8: { privateKeyPath: file("secret-pkcs8") },
      bastion: { privateKeyPath: good, bastion: { ...bastion, privateKeyPath: `${good}.pub` } },
      certificate: { privateKeyPath: good, certificatePath: `${good}.pub` },
    }));
    const text = await apply(stack);
    const says = (host: string, what: string): void => {
      expect(text).toContain(`Host ${host}: the ${what}`);
      expect(text).toMatch(new RegExp(`Host ${host}: [^"]* The host was not changed\\.`));
    };
    const path = "(connection.privateKeyPath).";
    says("missing", `private key nothing cannot be read where Terraform runs: correct the path ${path}`);
    says("public", `private key ${good}.pub is a public key: name the private one, usually the same path without .pub`);
    says("other", `private key ${file("other")} is not a private key that Terraform reads (PEM or OpenSSH)`);
    for (const [host, name] of [
      ["secret", "secret"],
      ["secretpem", file("secret-pem")],
      ["secretpkcs8", file("secret-pkcs8")],
    ] as const) {
      says(
        host,
        `private key ${name} has a passphrase, which Terraform never prompts for: add it to an agent (ssh-add)`,
      );
    }
    says("bastion", `bastion private key ${good}.pub is a public key`);
    expect(text).toContain("(connection.bastion.privateKeyPath).");
    says("certificate", `certificate ${good}.pub is not an SSH certificate: name the file that ends in -cert.pub`);
    // These were tried.
    expect((await lockdowns(stack)).sort()).toEqual(["agent", "good", "pem", "pkcs8"]);
  });

  test("is not needed by a plan, and found behind a token and where all hosts have the same", async () => {
    const stack = synth((scope) => {
      const path = new TerraformVariable(scope, "path", { default: file("nothing") }).stringValue;
      const shared = { privateKeyPath: "nothing-shared" };
      return { a: shared, b: shared, c: { privateKeyPath: path } };
    }, 2);
    await terraformIn(stack, "init", "-no-color");
    expect((await terraformIn(stack, "plan", "-no-color")).toString()).toContain("Plan: ");
    const text = await apply(stack);
    expect(text).toContain("Host a: the private key nothing-shared cannot be read");
    expect(text).toContain("Host b: the private key nothing-shared cannot be read");
    expect(text).toContain(`Host c: the private key ${file("nothing")} cannot be read`);
    expect(await lockdowns(stack)).toEqual([]);
    const same = synth(() => ({ a: { privateKeyPath: "later" }, b: { privateKeyPath: "later" } }));
    expect(await apply(same)).toContain("Host b: the private key later cannot be read");
    expect(await lockdowns(same)).toEqual([]);
    copyFileSync(file("good"), file("later"));
    expect(await apply(same)).toMatch(/127\.0\.0\.1:1: connect: connection refused/);
  });
});
