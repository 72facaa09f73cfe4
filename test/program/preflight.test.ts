/** What lock refuses before it changes anything, each with the remedy, and what it lets pass. */
import { hostProgram } from "../../lib/host/program";
import { describeLab } from "../lab/describe-lab";
import { Lab } from "../lab/lab";
import { eventually } from "../support/eventually";
import { HostProgram, lockSettings, rulesetsFor, type Settings, shells, STATE } from "./support/host-program";

describe.each(shells)("under $name", ({ options }) => {
  describeLab("lock", () => {
    let lab: Lab;
    let program: HostProgram;
    let untouched: string;
    beforeAll(async () => {
      lab = await Lab.create({ hosts: [{ name: "web-1", ...options }] });
      program = await HostProgram.on(lab.host("web-1"));
      untouched = await program.traces();
    });
    afterAll(() => lab?.destroy());
    afterEach(() => program.reset());

    async function expectRefused(settings: Settings, code: number, message: string | RegExp): Promise<void> {
      await expectChecked(settings, code, message);
      const { stderr, ...result } = await program.lock(lockSettings(settings));
      expect({ ...result, stderr }).toEqual({
        code,
        stdout: "",
        stderr: expect.stringMatching(/^ssh-only-firewall: .* The host was not changed\.\n$/s),
      });
      expect(stderr).toMatch(message);
      expect(await program.traces()).toBe(untouched);
      // Only the checks of the way in can be skipped; what they refuse is then taken.
      if (code === 5 || code === 6) {
        expect(await program.lock(lockSettings({ ...settings, SKIP_PREFLIGHT: "true" }))).toMatchObject({ code: 0 });
      }
    }

    /** Check says what lock is about to say, and changes nothing. */
    async function expectChecked(settings: Settings, code: number, message: string | RegExp = ""): Promise<void> {
      const before = await program.traces();
      const checked = await program.check(lockSettings(settings));
      expect(checked).toMatchObject({ code, stderr: "" });
      expect(checked.stdout).toMatch(code === 0 ? /^$/ : /^(refused \d+ [a-z-]+ .*\n)+$/);
      expect(checked.stdout).toMatch(message);
      expect(await program.traces()).toBe(before);
    }

    async function expectTaken(settings: Settings): Promise<void> {
      await expectChecked(settings, 0);
      expect(await program.lock(lockSettings(settings))).toMatchObject({ code: 0, stderr: "" });
    }

    const from = (client: string, port = "22", own = "10.77.0.10"): Settings => ({
      FROM: `${client} 40000 ${own} ${port}`,
    });

    test("refuses a port other than the one you came through, and names that one", () =>
      expectRefused(
        from("10.77.0.1", "2222"),
        5,
        "You came in through port 2222, and only port 22 would stay open: set sshPort to 2222",
      ));

    test.each(["10.78.0.1", "fd78::1", "::ffff:10.78.0.1"])("refuses who came from %s, and names it", (client) =>
      expectRefused(
        from(client),
        5,
        `You came from ${client}, which allowFrom does not cover (10.77.0.0/24 fd77::/64): add it`,
      ),
    );

    test.each(["10.77.0.200", "fd77::1", "::ffff:10.77.0.1", "fd77::1%eth0"])("takes who came from %s", (client) =>
      expectTaken(from(client)),
    );

    test("asks nobody for a source who did not come over SSH", () => expectTaken({ FROM: "" }));

    /** As from a token, in the place of the one source. */
    const rulesetFrom = (value: string): Settings => {
      const own = rulesetsFor(22, { allowFrom: ["192.0.2.99"] });
      const texts = Object.entries(own).map(([name, text]) => [name, text.replaceAll("192.0.2.99", () => value)]);
      return { ...(Object.fromEntries(texts) as Settings), ALLOW_FROM: value, FROM: "", SKIP_PREFLIGHT: "true" };
    };

    test.each([
      ["more of a rule", "0.0.0.0/0 accept; #", "0.0.0.0/0 accept; #"],
      ["a name", "bastion.example", "bastion.example"],
      ["nothing", "", "ip saddr  tcp dport 22 accept"],
      ["rules of its own", "10.77.0.0/24 tcp dport 22 accept\n\t\taccept #", "?"],
    ])("refuses a source that turned out to be %s, also where the pre-flight is skipped", (_, value, shown) =>
      expectRefused(rulesetFrom(value), 2, shown),
    );

    test("takes a source that turned out to be a range", () => expectTaken(rulesetFrom("10.77.0.0/24")));

    const port2222: Settings = { ...rulesetsFor(2222), PORT: "2222" };
    test("refuses a port on which nothing listens, also to who did not come over SSH", () =>
      expectRefused(
        { ...port2222, FROM: "" },
        5,
        "No sshd listens on port 2222 here, the only port that would stay open: set sshPort",
      ));

    test.each([
      ["127.0.0.1", "refuses", 5],
      ["::1", "refuses", 5],
      ["0.0.0.0", "takes", 0],
      ["10.77.0.10", "takes", 0],
      ["::", "takes", 0],
      ["fd77::10", "takes", 0],
    ] as const)("with a listener on %s alone, it %s that port", async (address, _, code) => {
      const options = ["-o", "PidFile=none", "-o", `ListenAddress=[${address}]:2222`];
      const listener = program.host.spawn(["/usr/sbin/sshd", "-D", "-f", "/etc/ssh/lab_sshd_config", ...options]);
      try {
        await eventually("it listens", async () => {
          const { stdout } = await program.host.exec("cat /proc/net/tcp /proc/net/tcp6");
          return /:08AE \S+ 0A /.test(stdout);
        });
        const settings = { ...port2222, FROM: "10.77.0.1 40000 10.77.0.10 2222" };
        const expectAnswer = async (): Promise<void> => {
          expect(await program.lock(lockSettings(settings))).toMatchObject({ code });
          expect(sorted((await program.status()).listened)).toBe(code === 0 ? "22 2222" : "");
        };
        await expectAnswer();
        // Without ss, what the kernel lists.
        await program.host.exec("printf '#!/bin/sh\nexit 1\n' >/usr/local/sbin/ss; chmod 0755 /usr/local/sbin/ss");
        await expectAnswer();
        await program.host.exec("rm /usr/local/sbin/ss");
      } finally {
        listener.kill("SIGKILL");
      }
    });

    describe("of a host whose address is leased", () => {
      afterEach(async () => {
        await program.host.exec(
          `PATH=/usr/sbin:/usr/bin
           ip addr change 10.77.0.10/24 dev eth0 valid_lft forever preferred_lft forever
           ip addr del fd77::10/128 dev eth0 2>/dev/null
           ip addr change fd77::10/64 dev eth0 nodad valid_lft forever preferred_lft forever`,
        );
      });
      const lease = (address: string): Promise<unknown> =>
        program.host.exec(`/usr/sbin/ip addr change ${address} dev eth0 valid_lft 3600 preferred_lft 3600`);

      test("refuses without the exception for DHCP, and takes it with the exception", async () => {
        await lease("10.77.0.10/24");
        await expectRefused(
          {},
          6,
          "The address of this host, 10.77.0.10, is leased, and would be lost when the lease cannot be renewed: add the exception dhcp-client",
        );
        await program.reset();
        await expectTaken({ EXCEPTIONS: "ping dhcp-client ntp" });
      });

      test("names the exception for DHCPv6 where the address is one of DHCPv6", async () => {
        await program.host.exec("ip addr del fd77::10/64 dev eth0");
        await lease("fd77::10/128");
        await expectRefused(from("fd77::1", "22", "fd77::10"), 6, "add the exception dhcpv6-client");
        await program.reset();
        await expectTaken({ ...from("fd77::1", "22", "fd77::10"), EXCEPTIONS: "dhcpv6-client" });
      });

      test("needs no exception where a router announces the network", async () => {
        await lease("fd77::10/64");
        await expectTaken(from("fd77::1", "22", "fd77::10"));
      });

      // Copies of a shell under their names: what they ask is nothing, but they run.
      const clients: ReadonlyArray<readonly [string, string, string | undefined, string | undefined]> = [
        ["udhcpc", "-i eth0", "dhcp-client", undefined],
        ["dhclient", "eth0", "dhcp-client", undefined],
        ["dhcpcd", "", "dhcp-client", undefined],
        ["dhclient", "-6 eth0", undefined, "dhcpv6-client"],
        ["dhclient", "-6 -S eth0", undefined, undefined],
        ["odhcp6c", "eth0", undefined, "dhcpv6-client"],
        ["dhclientele", "eth0", undefined, undefined],
      ];
      test("refuses where its routes may be announced from here, and takes it with exceptions for the neighbours", async () => {
        await program.host.exec("cp /usr/bin/dash /usr/local/sbin/bgpd");
        const daemon = program.host.spawn(["bgpd", "-c", "sleep 600; :"], { stdio: "ignore" });
        try {
          await eventually("it runs", () => program.host.processes().some((line) => line.startsWith("bgpd ")));
          await expectRefused({}, 6, "bgpd runs here. If it announces the address of this host,");
          await expectTaken({ EXCEPTIONS: "ingress egress" });
        } finally {
          daemon.kill("SIGKILL");
          await program.host.exec("rm /usr/local/sbin/bgpd");
        }
      });

      test.each(clients)(
        "where the kernel does not know how long: with %s %s, IPv4 needs %s, and IPv6 %s",
        async (name, words, exception4, exception6) => {
          await program.host.exec(`cp /usr/bin/dash /usr/local/sbin/${name}`);
          const argv = [name, "-c", "sleep 600; :", name, ...words.split(" ")];
          const client = program.host.spawn(argv, { stdio: "ignore" });
          await lease("fd77::10/64");
          try {
            await eventually("it runs", () => program.host.processes().some((line) => line.startsWith(`${name} `)));
            for (const [exception, own] of [
              [exception4, from("10.77.0.1")],
              [exception6, from("fd77::1", "22", "fd77::10")],
            ] as const) {
              if (exception === undefined) {
                await expectTaken(own);
              } else {
                await expectRefused(
                  own,
                  6,
                  `may be leased, for ${name} runs here, and would be lost when the lease cannot be renewed: add the exception ${exception}, which is harmless if it is not, or stop ${name}.`,
                );
                await program.reset();
                await expectTaken({ ...own, EXCEPTIONS: exception });
              }
              await program.reset();
            }
          } finally {
            client.kill("SIGKILL");
            await eventually(
              "it has ended",
              () => !program.host.processes().some((line) => line.startsWith(`${name} `)),
            );
            await program.host.exec(`rm /usr/local/sbin/${name}`);
          }
        },
      );

      test("does not mind the lease of an address that nobody came to", async () => {
        await lease("10.77.0.10/24");
        await expectTaken(from("fd77::1", "22", "fd77::10"));
      });
    });

    test.each(["somebody", "roo", "root.", "r..t", "oot"])(
      "refuses the login %s, which is not in /etc/passwd, unless there is a way out to look it up",
      async (LOGIN) => {
        await expectRefused({ LOGIN }, 6, `The user ${LOGIN} is not in /etc/passwd, so its login asks another server`);
        await program.reset();
        await expectTaken({ LOGIN, EXCEPTIONS: "egress" });
      },
    );

    test("knows users by their whole name, and asks nothing of who did not log in", async () => {
      await expectTaken({ LOGIN: "root" });
      await program.reset();
      await expectTaken({ LOGIN: "" });
    });

    describe("with a state folder that cannot be written", () => {
      afterEach(async () => {
        await program.host.exec(`umount ${STATE} 2>/dev/null; umount /var/lib 2>/dev/null; rm -rf ${STATE}`, {
          check: false,
        });
      });

      test("refuses where /var/lib is read-only", async () => {
        await program.host.exec("mount --bind /var/lib /var/lib && mount -o remount,bind,ro /var/lib");
        await expectRefused({}, 1, "/var/lib cannot be written: is it read-only?");
      });

      test("refuses where the folder is there and read-only", async () => {
        await program.host.exec(`mkdir ${STATE} && mount -t tmpfs -o ro,mode=0700 tmpfs ${STATE}`);
        await expectRefused({}, 1, `${STATE} cannot be written: is the disk full, or read-only?`);
      });

      test("refuses where its disk is full", async () => {
        await program.host.exec(
          `mkdir ${STATE} && mount -t tmpfs -o size=16k,mode=0700 tmpfs ${STATE} && ! cat /dev/zero 2>/dev/null >${STATE}/log`,
        );
        await expectRefused({}, 1, `${STATE} cannot be written: is the disk full, or read-only?`);
      });

      const own = Math.ceil(hostProgram().length / 4096) * 4;
      test.each([8, own, own + 4, own + 8, own + 12, own + 16, own + 20, own + 24])(
        "locks, or leaves the host as it is, where its disk has room for %d KiB",
        async (size) => {
          const before = await program.host.rules();
          await program.host.exec(`mkdir ${STATE} && mount -t tmpfs -o size=${size}k,mode=0700 tmpfs ${STATE}`);
          const settings = lockSettings();
          const { code, stderr } = await program.lock(settings);
          if (code === 0) {
            expect(await program.status()).toMatchObject({ state: "pending", rules: "matches" });
          } else {
            expect(stderr).toMatch(/The host (was not changed|is as it was before)\.\n$/);
            expect(await program.host.rules()).toBe(before);
            expect(await program.status()).toMatchObject({ state: "open", rules: "none" });
            expect(await program.temporaryFiles()).toEqual([]);
          }
          await program.run("unlock");
          expect(await program.host.rules()).toBe(before);
          await eventually("no watchdog is left", () => program.watchdogs().length === 0);
        },
      );
    });

    describe("with a place that a restart needs", () => {
      afterEach(async () => {
        await program.run("unlock");
        await program.host.exec(`umount -l ${STATE} 2>/dev/null || umount -l /etc/init.d 2>/dev/null || :`);
      });

      test("refuses to lock for good where the state folder is in memory, and locks until the restart", async () => {
        await program.host.exec(`mkdir ${STATE} && mount -t tmpfs -o mode=0700 tmpfs ${STATE}`);
        await expectRefused({ PERSIST: "true" }, 4, `${STATE} is in memory here (${STATE}, tmpfs)`);
        await expectTaken({ PERSIST: "false" });
      });

      test("refuses to lock for good where confirm could not write for the boot", async () => {
        await program.host.exec("mount --bind /etc/init.d /etc/init.d && mount -o remount,bind,ro /etc/init.d");
        await expectRefused({ PERSIST: "true" }, 4, "/etc/init.d of this host is read-only");
        await expectTaken({ PERSIST: "false" });
        await program.run("unlock");
        await program.host.exec("mount -o remount,bind,rw /etc/init.d");
        await expectTaken({ PERSIST: "true" });
      });
    });

    test("refuses to lock for good where no init system would load the rules after a restart", async () => {
      await program.host.exec("mv /etc/init.d /etc/init.d.away");
      try {
        const { code, stderr } = await program.lock(lockSettings({ PERSIST: "true" }));
        expect(code).toBe(4);
        expect(stderr).toMatch(/no known init system .*: set persist: false.* The host was not changed\.\n$/);
        await expectTaken({ PERSIST: "false" });
      } finally {
        await program.host.exec("mv /etc/init.d.away /etc/init.d");
      }
    });
  });
});

const sorted = (ports: string): string => ports.split(" ").sort().join(" ");
