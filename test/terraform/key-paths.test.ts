/** A relative path of a key, with the real Terraform: the same file from every checkout. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App, TerraformStack } from "cdktf";
import { type HostProps, SshOnlyFirewall } from "../../lib/index";
import { describeWith, terraformIn } from "./support/real-tools";

/** Nothing listens there, so that whatever connects says so at once. */
const host = (privateKeyPath: string): HostProps => ({
  address: "127.0.0.1",
  connection: { port: 1, timeoutSeconds: 1, privateKeyPath },
});

/** Synthesizes as the app of a project does, and returns the folder in which Terraform runs. */
function synthIn(project: string, hosts: Record<string, HostProps>): string {
  const before = process.cwd();
  process.chdir(project);
  try {
    const app = new App({ outdir: "cdktf.out" });
    new SshOnlyFirewall(new TerraformStack(app, "fleet"), "firewall", {
      tracker: "terraform_data",
      allowFrom: ["192.0.2.0/24"],
      hosts,
    });
    app.synth();
    return join(project, "cdktf.out/stacks/fleet");
  } finally {
    process.chdir(before);
  }
}

const ended = (run: Promise<Buffer>): Promise<string> =>
  run.then(String, (error: Error & { stdout: Buffer }) => `${error.stdout.toString()}${error.message}`);

describeWith("a key by a relative path", ["terraform", "ssh-keygen"], () => {
  const folder = mkdtempSync(join(tmpdir(), "key-paths-"));
  const [first, second] = [join(folder, "first"), join(folder, "second, elsewhere")];
  const HOLD = "-target=terraform_data.firewall_hold";
  afterAll(() => rmSync(folder, { recursive: true }));

  test("is the same from another checkout: nothing changes there, and a host can be taken out", async () => {
    mkdirSync(join(first, "keys"), { recursive: true });
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(first, "keys/a")]);
    const a = host("keys/a");
    const b = { ...host("~/keys/b"), address: "127.0.0.2" };
    const stack = synthIn(first, { a, b });
    await terraformIn(stack, "init", "-no-color");
    await terraformIn(stack, "apply", "-auto-approve", "-no-color", HOLD);

    // Another place on the disk, or another machine: only what is in the project, and the state.
    cpSync(first, second, { recursive: true });
    renameSync(first, join(folder, "gone"));
    const other = synthIn(second, { a, b });
    await terraformIn(other, "init", "-no-color", "-reconfigure");
    expect(await ended(terraformIn(other, "plan", "-no-color", HOLD))).toContain("No changes.");
    synthIn(second, { b: { ...b, connection: host("keys/b").connection ?? {} } });
    expect(readFileSync(join(other, "cdk.tf.json"), "utf8")).toContain(
      '"private_key": "${file(each.key == \\"\\" ? \\"\\" : \\"${path.root}/../../../keys/b\\")}"',
    );
    const taken = await ended(terraformIn(other, "apply", "-auto-approve", "-no-color", HOLD));
    // The key was read, and Terraform went on to connect.
    expect(taken).toMatch(/127\.0\.0\.1:1: connect: connection refused/);
    expect(taken).not.toMatch(/no file exists/);
  }, 60_000);
});
