/** The words for ssh, read back by the real ssh where it says what it makes of them (-G connects to nobody). */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { answerOf } from "../../lib/ssh/answer";
import { connectedTo, destinationOf } from "../../lib/ssh/log";
import { parseDestination, pinnedKeys, routeTo, type SshSettings, unusable } from "../../lib/ssh/route";
import type { AskedConnection } from "../../lib/contract/connection";
import type { Host } from "../../lib/state/hosts";
import { emptyFolder } from "../cli/support/run";

const folder = emptyFolder();
const config = join(folder, "config");
writeFileSync(
  config,
  "Host web\n  HostName 192.0.2.77\n  User fromconfig\n  Port 2022\n  ProxyJump hop\nHost *\n  ControlPath /nowhere\n",
);

const host = (connection: AskedConnection, address = "web"): Host =>
  ({ key: "web", claim: "locked", address, connection, texts: [] }) as unknown as Host;
const settings: SshSettings = { config, options: [], connectSeconds: 7 };

/** What ssh would do, by option. */
function effective(connection: AskedConnection, more: Partial<SshSettings> = {}): Record<string, string> {
  const { args } = routeTo(host(connection), { ...settings, ...more }, "/p%/pi nned", "alias-0");
  const said = execFileSync("ssh", ["-G", ...args], { encoding: "utf8" });
  return Object.fromEntries(said.split("\n").map((line) => [line.split(" ")[0], line.split(" ").slice(1).join(" ")]));
}

test("what the state does not say, the user's own configuration does", () => {
  expect(effective({})).toMatchObject({
    hostname: "192.0.2.77",
    user: "fromconfig",
    port: "2022",
    proxyjump: "hop",
    connecttimeout: "7",
    batchmode: "yes",
    controlpath: "/nowhere",
    forwardagent: "no",
  });
});

test("the state goes over the configuration, and the operator over the state", () => {
  const connection = { user: "ops", port: "2222" };
  expect(effective(connection)).toMatchObject({ user: "ops", port: "2222" });
  const operator = { user: "me", options: ["Port=2200", "ConnectTimeout=3", "BatchMode=no"] };
  expect(effective(connection, operator)).toMatchObject({
    user: "me",
    port: "2200",
    connecttimeout: "3",
    batchmode: "yes",
  });
});

test("a pinned key is the only one, whatever the operator's options say", () => {
  const key = "ssh-ed25519 AAAAC3Nza comment";
  const lax = { options: ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "HostKeyAlias=x"] };
  expect(effective({ hostKey: key }, lax)).toMatchObject({
    stricthostkeychecking: "true",
    hostkeyalias: "alias-0",
    userknownhostsfile: "/p%/pi nned",
    globalknownhostsfile: "/dev/null",
    verifyhostkeydns: "false",
    nohostauthenticationforlocalhost: "no",
  });
  const { pins } = routeTo(host({ hostKey: key }), settings, "/pinned", "alias-0");
  expect(pinnedKeys(pins)).toBe("alias-0 ssh-ed25519 AAAAC3Nza\n@cert-authority alias-0 ssh-ed25519 AAAAC3Nza\n");
});

test("a bastion of the state has its own user, port and pinned key", () => {
  const withoutUser = {
    user: "ops",
    bastionHost: "192.0.2.9",
    bastionPort: "2200",
    bastionHostKey: "ssh-ed25519 AAAA",
  };
  const connection = { ...withoutUser, bastionUser: "hop" };
  const { pins } = routeTo(host(connection), settings, "/pinned", "alias-0");
  expect(pins).toEqual([{ name: "alias-0-bastion", key: "ssh-ed25519 AAAA" }]);
  const { proxycommand, proxyjump } = effective(connection);
  expect(proxyjump).toBeUndefined();
  for (const words of [
    "'HostKeyAlias=alias-0-bastion'",
    "'-l' 'hop'",
    "'-p' '2200'",
    "'--' '192.0.2.9'",
    "'[%h]:%p'",
  ]) {
    expect(proxycommand).toContain(words);
  }
  expect(effective(withoutUser).proxycommand).toContain("'-l' 'ops'");
});

test("nothing of a state reaches a shell or an option of ssh", () => {
  const hostile = fc.oneof(
    fc.string({ minLength: 1 }),
    fc.constantFrom("-oProxyCommand=id", "$(id)", "`id`", "a b", "a;id", "a\nb", "'", '"', "a'b", "%h|id"),
  );
  fc.assert(
    fc.property(hostile, fc.constantFrom("address", "user", "bastionHost", "bastionUser", "port"), (text, name) => {
      const one = name === "address" ? host({}, text) : host({ [name]: text });
      if (unusable(one) === undefined) {
        expect(text).toMatch(/^[A-Za-z0-9_:][A-Za-z0-9_.:%@+\\$-]*$/);
      }
    }),
  );
  expect(unusable(host({ hostKey: "ssh-rsa AAAA\n* ssh-rsa BBBB" }))).toMatch(
    /^its host key ".*" is not valid; it was not asked$/,
  );
  expect(unusable(host({}, ""))).toBe("the state does not have its address");
});

test.each([
  ["192.0.2.1", { address: "192.0.2.1" }],
  ["ops@web.example:2222", { address: "web.example", user: "ops", port: "2222" }],
  ["2001:db8::1", { address: "2001:db8::1" }],
  ["ops@[2001:db8::1]:22", { address: "2001:db8::1", user: "ops", port: "22" }],
  ["-oProxyCommand=id", undefined],
  ["web:0", undefined],
  ["web:ssh", undefined],
  ["", undefined],
])("%s as a host", (text, expected) => {
  const found = parseDestination(text);
  expect(found === undefined ? found : JSON.parse(JSON.stringify(found))).toEqual(expected);
});

test.each([
  ['Authenticated to web ([192.0.2.1]:2222) using "publickey".', { host: "192.0.2.1", port: 2222, isDirect: true }],
  ["Authenticated to web ([2001:db8::1]:22).", { host: "2001:db8::1", port: 22, isDirect: true }],
  ['Authenticated to web (via proxy) using "publickey".', { host: "", port: undefined, isDirect: false }],
  ["Warning: Authenticated to web ([192.0.2.1]:2222).", undefined],
])("where ssh has come to is in its log: %s", (line, expected) => {
  expect(connectedTo(`Warning: Permanently added 'web'.\r\n${line}\r\nTransferred: sent 1\r\n`)).toEqual(expected);
});

test("where ssh would connect to is what it says itself", () => {
  expect(destinationOf("hostname 192.0.2.1\nport 22\nproxycommand none\n")).toEqual({
    host: "192.0.2.1",
    port: 22,
    isDirect: true,
  });
  expect(destinationOf("hostname a\nport 22\nproxyjump hop\n")?.isDirect).toBe(false);
  expect(destinationOf("")).toBeUndefined();
});

describe("what a host answers", () => {
  const answer = (stdout: string, code = 0, stderr = "", timedOut = false, log = "") =>
    answerOf({ code, stdout, stderr, timedOut, log }, 30);
  const locked =
    '{"state":"locked","rules":"matches","owner":"we","ruleset":"r","port":"22","program":"p","listened":"22 80"}';

  test("reports which deploy locked it, if its host program recorded that", () => {
    const by = (fields: string): unknown => {
      const said = answer(`ssh-only-firewall-status 0 ${locked.replace("{", `{"host":"web-1",${fields}`)}`);
      return said.kind === "answered" ? said.lockedBy : said;
    };
    expect(by("")).toBeUndefined();
    expect(by('"stack":"","construct":"","workspace":"","from":"192.0.2.7",')).toBeUndefined();
    expect(by('"stack":"fl%C3%A9et","construct":"a/b%20%27","workspace":"%zz","from":"192.0.2.7",')).toEqual({
      stack: "fléet",
      construct: "a/b '",
      workspace: "%zz",
      host: "web-1",
      from: "192.0.2.7",
    });
  });

  test("is read among whatever else its login says", () => {
    const said = `Welcome.\r\nssh-only-firewall-status 0 ${locked}\r\nssh-only-firewall-said\r\nBye.\n`;
    expect(answer(said)).toMatchObject({
      kind: "answered",
      state: "locked",
      owner: "we",
      port: 22,
      listened: [22, 80],
    });
  });

  test.each([
    [
      "ssh-only-firewall-status 7 ssh-only-firewall: Another run has been in progress.",
      0,
      "",
      "unclear",
      /Another run/,
    ],
    ['ssh-only-firewall-status 0 {"state":"strange","rules":"none"}', 0, "", "unclear", /strange/],
    ["ssh-only-firewall-status 0 {\u001b[2J", 0, "", "unclear", /^\P{C}*$/u],
    ["", 255, "Warning.\nssh: connect to host: Connection refused\n", "unreachable", /^ssh: connect .* refused$/],
    ["", 1, "sudo: a password is required\n", "unclear", /not as root: sudo: a password is required/],
    ["", 0, "", "unclear", /^logged in, but got no answer$/],
  ] as const)("%j with exit code %d and %j is %s", (stdout, code, stderr, kind, why) => {
    expect(answer(stdout, code, stderr)).toEqual({ kind, why: expect.stringMatching(why) });
  });

  test("is unreachable for the reason that ssh logs last", () => {
    const log = "root@h: Permission denied (publickey).\nTransferred: sent 1\nBytes per second: sent 1\n";
    expect(answer("", 255, "Welcome\n", false, log)).toMatchObject({ why: "root@h: Permission denied (publickey)." });
  });

  test("is unreachable when there is none in time", () => {
    expect(answer("", 137, "", true)).toEqual({ kind: "unreachable", why: "no answer within 30 s" });
  });

  test("is never more than an answer, whatever it sends", () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(256), fc.string(), (stdout, code, stderr) => {
        const { kind } = answer(`ssh-only-firewall-status ${stdout}`, code, stderr);
        expect(["answered", "unreachable", "unclear"]).toContain(kind);
      }),
    );
  });
});
