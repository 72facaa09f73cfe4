/** The end of every uploaded script: becomes root, hands over, and tidies up after Terraform. */
import { hostProgram, launcher } from "../../lib/host/program";
import { shellWord } from "../../lib/output/shell-word";
import { eventually } from "../support/eventually";
import { describeLab } from "../lab/describe-lab";
import { type Host, Lab, type RunResult } from "../lab/lab";
import { lockSettings, shells, STATE } from "./support/host-program";

/** A program that only says what it was given. */
const WITNESS = `printf '%s\\n' "as $(id -un)" "words $*" "from $SSH_ONLY_FROM" "login $SSH_ONLY_LOGIN" "input $(cat)"`;

/** As one that is whole ends. */
const installable = (program: string): string => `main() {\n${program}\n}\nmain "$@"\nexit\n`;

const users = ["root", "ops", "guest"] as const;
type User = (typeof users)[number];

describe.each(shells)("under $name", ({ options }) => {
  describeLab("an uploaded script", () => {
    let lab: Lab;
    beforeAll(async () => {
      lab = await Lab.create({
        hosts: users.map((user) => ({ name: user, user, sudo: user !== "guest", ...options })),
      });
    });
    afterAll(() => lab?.destroy());
    afterEach(() => Promise.all(lab.hosts.map((host) => host.exec(["rm", "-rf", STATE]))));

    const home = (user: User): string => (user === "root" ? "/root" : `/home/${user}`);
    let uploads = 0;
    const file = (user: User): string => `${home(user)}/.upload-${uploads}.sh`;

    /** Lays the script down as Terraform does, and runs it. */
    async function run(user: User, settings: Record<string, string>, PATH?: string): Promise<RunResult> {
      const host = lab.host(user);
      uploads++;
      const constants = Object.entries(settings).map(([name, value]) => `SSH_ONLY_${name}=${shellWord(value)}`);
      const input = ["#!/bin/sh", ...constants, "", launcher()].join("\n");
      await host.exec(`cat >${file(user)} && chown ${user} ${file(user)} && chmod 0777 ${file(user)}`, { input });
      const login = user === "root" ? [] : ["runuser", "-u", user, "--"];
      const env = { SSH_CONNECTION: "192.0.2.1 40000 192.0.2.2 22", ...(PATH === undefined ? {} : { PATH }) };
      return host.exec([...login, file(user)], { cwd: home(user), env, check: false, input: "not for the program" });
    }

    const installed = (host: Host): Promise<unknown> =>
      host.exec(`mkdir ${STATE} && cat >${STATE}/host.sh`, { input: installable(WITNESS) });

    test.each(["root", "ops"] as const)("of %s runs lock as root, and says who came from where", async (user) => {
      expect(await run(user, { VERB: "lock", PROGRAM: WITNESS })).toEqual({
        code: 0,
        stdout: `as root\nwords lock\nfrom 192.0.2.1 40000 192.0.2.2 22\nlogin ${user}\ninput \n`,
        stderr: "",
      });
    });

    test("looks for its tools in the folders of the system before those of the login", async () => {
      const host = lab.host("root");
      await host.exec(
        `printf '#!/bin/sh\\ntouch was-run\\n' >${home("root")}/chmod && chmod 0755 ${home("root")}/chmod`,
      );
      expect(await run("root", { VERB: "lock", PROGRAM: "exit" }, ":/usr/bin:/bin")).toMatchObject({ code: 0 });
      expect(await host.exec(["test", "-e", `${home("root")}/was-run`], { check: false })).toMatchObject({ code: 1 });
    });

    test("runs no program that others than root could have put there", async () => {
      const host = lab.host("root");
      await installed(host);
      await host.exec(["chmod", "0777", STATE]);
      expect(await run("root", { VERB: "unlock owner-1" })).toEqual({
        code: 1,
        stdout: "",
        stderr: `ssh-only-firewall: others than root may write to ${STATE}, and could replace what root runs from ${STATE}: chmod go-w ${STATE}, after a look at what is in ${STATE}. The host was not changed.\n`,
      });
    });

    test.each(["root", "ops"] as const)(
      "of %s hands every other verb to the program that is installed",
      async (user) => {
        await installed(lab.host(user));
        const { code, stdout } = await run(user, { VERB: "confirm owner-1 attempt-1 0123abc" });
        expect({ code, stdout }).toEqual({
          code: 0,
          stdout: expect.stringContaining("as root\nwords confirm owner-1 attempt-1 0123abc\n"),
        });
      },
    );

    test.each(["root", "ops"] as const)("of %s ends with the exit code of the program", async (user) => {
      expect(await run(user, { VERB: "lock", PROGRAM: "exit 6" })).toMatchObject({ code: 6 });
      await lab.host(user).exec(`mkdir ${STATE} && cat >${STATE}/host.sh`, { input: installable("exit 9") });
      expect(await run(user, { VERB: "unlock owner-1" })).toMatchObject({ code: 9 });
    });

    test.each(["root", "ops"] as const)("of %s keeps quotes, dollars and line breaks of its settings", async (user) => {
      const awkward = `it's "$HOME" \\n \`id\` $(id)\n%s  two\ttabs`;
      const program = `printf '%s' "$SSH_ONLY_NFTABLES"`;
      expect(await run(user, { VERB: "lock", NFTABLES: awkward, PROGRAM: program })).toMatchObject({
        code: 0,
        stdout: awkward,
      });
    });

    test.each(["root", "ops"] as const)("of %s finds an open host where nothing is installed", async (user) => {
      const nothing = await run(user, { VERB: "unlock owner-1" });
      expect(nothing).toEqual({
        code: 0,
        stdout: "ssh-only-firewall: This host is open: there is nothing to unlock. The host was not changed.\n",
        stderr: "",
      });
      const { code, stderr } = await run(user, { VERB: "confirm a b c" });
      expect(code).toBe(9);
      expect(stderr).toMatch(/program is not installed: .* The host was not changed\.\n$/);
    });

    test("of who may not become root is refused, with the two remedies", async () => {
      expect(await run("guest", { VERB: "lock", PROGRAM: WITNESS })).toEqual({
        code: 3,
        stdout: "",
        stderr:
          "ssh-only-firewall: The user guest is not root and has no password-less sudo: log in as root, or add 'guest ALL=(ALL) NOPASSWD: ALL' to sudoers. The host was not changed.\n",
      });
      await lab.host("guest").exec("mv /usr/bin/sudo /usr/bin/sudo.away");
      expect(await run("guest", { VERB: "lock", PROGRAM: WITNESS })).toMatchObject({ code: 3 });
    });

    test.each(users)("of %s is no longer writable for others, and goes once Terraform has emptied it", async (user) => {
      const host = lab.host(user);
      await run(user, { VERB: "lock", PROGRAM: "exit" });
      expect((await host.exec(["stat", "-c", "%a", file(user)])).stdout).toBe("700\n");
      await host.exec(`: >${file(user)}`);
      await eventually("nothing runs any more", () => !host.processes().some((line) => line.includes(file(user))));
      expect(await host.exec(["test", "-e", file(user)], { check: false })).toMatchObject({ code: 1 });
    });

    test("takes those along that were uploaded a day ago and never started", async () => {
      const host = lab.host("ops");
      const [left, young] = [`${home("ops")}/.ssh-only-firewall-1.sh`, `${home("ops")}/.ssh-only-firewall-2.sh`];
      await host.exec(`touch ${young} && touch -d '2 days ago' ${left} && chown ops ${left} ${young}`);
      await run("ops", { VERB: "lock", PROGRAM: "exit" });
      await host.exec(`: >${file("ops")}`);
      await eventually("it is gone", async () => (await host.exec(["test", "-e", left], { check: false })).code === 1);
      await host.exec(["rm", young]);
    });

    test("stays as long as Terraform may still empty it", async () => {
      await run("root", { VERB: "lock", PROGRAM: "exit" });
      const host = lab.host("root");
      expect(host.processes().filter((line) => line.includes(file("root")))).not.toEqual([]);
      expect(await host.exec(["test", "-s", file("root")])).toMatchObject({ code: 0 });
      await host.exec(`: >${file("root")}`);
    });
  });
});

describeLab("an uploaded script under another shell", () => {
  const others = ["mksh", "ksh93"];
  let lab: Lab;
  beforeAll(async () => {
    const hosts = others.map((name) => ({ name, provision: `ln -sfn "$(command -v ${name})" /usr/bin/sh` }));
    lab = await Lab.create({ hosts });
  });
  afterAll(() => lab?.destroy());

  test.each(others)("is refused by the name of %s, before anything is changed", async (name) => {
    const host = lab.host(name);
    const before = await host.rules();
    const settings = Object.entries({ ...lockSettings(), PROGRAM: hostProgram(), VERB: "lock" });
    const constants = settings.map(([key, value]) => `SSH_ONLY_${key}=${shellWord(value)}`);
    const input = ["#!/bin/sh", ...constants, "", launcher()].join("\n");
    await host.exec("cat >/opt/upload.sh && chmod 0777 /opt/upload.sh", { input });
    const { code, stderr } = await host.exec(["/opt/upload.sh"], { check: false });
    expect({ code, stderr }).toEqual({
      code: 4,
      stderr: expect.stringMatching(
        /^ssh-only-firewall: \/bin\/sh is .*(KSH|93).*: make it dash, bash or busybox\. The host was not changed\.$/m,
      ),
    });
    expect(await host.rules()).toBe(before);
    expect(await host.exec(["test", "-e", STATE], { check: false })).toMatchObject({ code: 1 });
  });
});
