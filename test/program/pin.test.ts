/** `pin`, with real sshd on loopback. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { parseFleet } from "../../lib/fleet/fleet-file";
import { type Ended, emptyFolder, program, run } from "../cli/support/run";
import { describeWithRoot } from "../ruleset/support/namespaces";
import { eventually } from "../support/eventually";

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describeWithRoot("pin", ["ssh", "sshd", "ssh-keygen"], () => {
  const folder = emptyFolder();
  const daemons: ChildProcess[] = [];
  let port: number;
  let closed: number;

  function keyOf(name: string): string {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", join(folder, name)]);
    return readFileSync(join(folder, `${name}.pub`), "utf8").trim();
  }

  async function serve(name: string): Promise<void> {
    daemons.forEach((one) => one.kill());
    mkdirSync("/run/sshd", { recursive: true });
    const options = [
      "-o",
      "ListenAddress=127.0.0.1",
      "-o",
      "PidFile=none",
      "-o",
      "UsePAM=no",
      "-o",
      "StrictModes=no",
      "-o",
      `AuthorizedKeysFile=${folder}/login.pub`,
    ];
    daemons.push(
      spawn("/usr/sbin/sshd", ["-D", "-f", "/dev/null", "-p", String(port), "-h", join(folder, name), ...options]),
    );
    await eventually(`sshd has the key ${name}`, () => {
      expect(
        execFileSync("ssh-keyscan", ["-p", String(port), "127.0.0.1"], { encoding: "utf8", stdio: "pipe" }),
      ).toContain(readFileSync(join(folder, `${name}.pub`), "utf8").split(" ")[1] ?? "");
    });
  }

  const pin = (...args: string[]): Ended =>
    run(program("ssh-only-firewall", "pin", ...args, "--timeout", "10"), folder);
  const file = join(folder, "fleet.yaml");
  const text = (): string => readFileSync(file, "utf8");

  beforeAll(async () => {
    [port, closed] = [await freePort(), await freePort()];
  });
  afterAll(() => daemons.forEach((one) => one.kill()));

  test("writes the keys of those that answer, once, and takes another key only with --update", async () => {
    const [first, second] = [keyOf("first"), keyOf("second")];
    keyOf("login");
    await serve("first");
    const before = `# ours\nhosts:\n  a: { address: 127.0.0.1, sshPort: ${port} } # the one\n  b: { address: 127.0.0.2, sshPort: ${closed} }
  c:
    address: 127.0.0.1 # behind a bastion, which has to have the key that stands here
    sshPort: ${port}
    connection: { privateKeyPath: login, bastion: { host: localhost, port: ${port}, user: root, hostKey: ${first} } }
`;
    writeFileSync(file, before);
    const ended = pin();
    expect(ended.stdout).toMatch(
      /^a {2}pinned +SHA256:\S{43} ssh-ed25519\nb {2}not reached {2,}\S.*\nc {2}pinned +SHA256/,
    );
    expect(ended.stdout).toContain(
      "1 host is behind a bastion. There, Terraform before 1.15 and OpenTofu fail with a hostKey",
    );
    expect(ended.code).toBe(2);
    const pinned = before.replace(`sshPort: ${port} }`, `sshPort: ${port}, connection: { hostKey: ${first} } }`);
    expect(text()).toBe(pinned.replace(`${first} } }\n`, (end) => end.replace(" }\n", `, hostKey: ${first} }\n`)));
    const { mtimeMs } = statSync(file);
    expect(pin().stdout).toMatch(/^a {2}as in the file/);
    expect(statSync(file).mtimeMs).toBe(mtimeMs);

    await serve("second");
    const changed = pin();
    expect(changed.stdout).toMatch(/^a {2}CHANGED/);
    expect(changed.stdout).toContain("run: ssh-only-firewall pin fleet.yaml --update a");
    expect(text()).toContain(first);
    expect(changed.stdout).toMatch(/^c {2}not reached +.*verification failed/im);
    pin("--update", "a");
    expect(text().split("\n")[2]).toContain(`connection: { hostKey: ${second} } } # the one`);
    expect(text().split(second)).toHaveLength(2);
    expect(pin("--update", "z")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('"z" is not a host') as string,
    });
  }, 60_000);

  test("is done by init at once, for the hosts that it is given", async () => {
    const key = keyOf("third");
    await serve("third");
    const hosts = ["--host", `a=ops@127.0.0.1:${port}`, "--host", `b=127.0.0.2:${closed}`];
    const ended = run(program("ssh-only-firewall", "init", "new", ...hosts, "--pin"), folder);
    expect(ended.stdout).toMatch(
      /^Wrote new\/cdktf\.json, [^]*\na {2}pinned +SHA256:\S{43} ssh-ed25519\nb {2}not reached /,
    );
    expect(ended.code).toBe(2);
    const { fleet } = parseFleet(readFileSync(join(folder, "new/fleet.yaml"), "utf8"));
    expect(fleet?.firewall.host("a")).toMatchObject({
      policy: { sshPort: port },
      connection: { user: "ops", hostKey: key },
    });
    expect(fleet?.firewall.host("b")?.connection.hostKey).toBeUndefined();
  }, 60_000);
});
