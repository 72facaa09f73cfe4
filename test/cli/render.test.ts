import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { policies } from "../ruleset/support/policies";
import { renderNftables } from "../../lib/ruleset/backends/nftables";
import { type Ended, emptyFolder, program, ROOT, run } from "./support/run";

const folder = emptyFolder();
const render = (...args: string[]): Ended => run(program("ssh-only-firewall", "render", ...args), folder);
const golden = (name: string): string => readFileSync(join(ROOT, "test/golden/ruleset", name), "utf8");

const SOURCES = ["192.0.2.0/24", "198.51.100.7", "2001:db8:1::/48"].flatMap((source) => ["--allow-from", source]);

const EXCEPTIONS = [
  "dhcp-client",
  "dhcpv6-client",
  "ping",
  "dns,resolvers=192.0.2.53,resolvers=2001:db8::53",
  "ntp,servers=192.0.2.123",
  "syslog,to=192.0.2.14,port=6514,protocol=tcp",
  "egress,to=192.0.2.80,to=198.51.100.0/24,port=443",
  "ingress,from=0.0.0.0/0,port=9100",
  "protocol,protocol=vrrp,group=224.0.0.18,group=ff02::12",
  "protocol,protocol=89,peers=192.0.2.0/24,group=224.0.0.5,group=224.0.0.6",
  "protocol,protocol=47,peers=192.0.2.47,peers=198.51.100.47,peers=2001:db8::47",
  "protocol,protocol=esp,peers=0.0.0.0/0",
  "wireguard,peers=192.0.2.51,peers=2001:db8::51",
].flatMap((exception) => ["--exception", exception]);

writeFileSync(
  join(folder, "fleet.yaml"),
  `allowFrom: [192.0.2.0/24, 198.51.100.7, "2001:db8:1::/48"]
hosts:
  web-1: 192.0.2.10
  web-2: { address: 192.0.2.11, backend: iptables, sshPort: 2222, allowFrom: [192.0.2.0/24] }
`,
);
writeFileSync(join(folder, "one.yaml"), "hosts: { only: 192.0.2.10 }\n");
writeFileSync(join(folder, "bad.yaml"), "hosts: { only: 10.1 }\nsshPrt: 1\n");

describe("render prints", () => {
  test.each([
    ["nftables", [], "typical.nft"],
    ["iptables", ["--format", "iptables"], "typical.v4"],
    ["ip6tables", ["--format", "ip6tables"], "typical.v6"],
    [
      "every exception, as the whole file for IPv4",
      ["--format", "iptables-file", ...EXCEPTIONS],
      "whole-file/every-exception.v4",
    ],
    [
      "every exception, as the whole file for IPv6",
      ["--format", "ip6tables-file", ...EXCEPTIONS],
      "whole-file/every-exception.v6",
    ],
    ["a log", ["--log-denied-per-minute", "10"], "log.nft"],
    ["other denials", ["--denied-inbound", "reject", "--denied-outbound", "drop"], "denials-swapped.nft"],
  ])("what the options say, and nothing else: %s", (_what, args, file) => {
    expect(render(...SOURCES, ...args)).toEqual({ code: 0, stdout: golden(file), stderr: "" });
  });

  test("the default ruleset without any option, and a warning beside it", () => {
    const warning = "Warning: SSH is open to every address; name the sources by --allow-from.\n";
    expect(render()).toEqual({ code: 0, stdout: golden("default.nft"), stderr: warning });
  });

  test("the ruleset of a host, for its backend", () => {
    expect(render("web-1")).toEqual({ code: 0, stdout: golden("typical.nft"), stderr: "" });
    expect(render("web-2").stdout).toBe(golden("ipv4-only.v4"));
    expect(render("web-2", "--format", "nftables").stdout).toBe(golden("ipv4-only.nft"));
  });

  test("the only host of another fleet file, without its name", () => {
    expect(render("--fleet", "one.yaml")).toEqual({
      code: 0,
      stdout: renderNftables(policies.default),
      stderr: "Warning: SSH is open to every address; name the sources in allowFrom.\n",
    });
  });
});

describe("render refuses", () => {
  test.each([
    [
      "what is wrong with options, all at once and each at its option",
      2,
      ["--ssh-port", "ssh", "--allow-from", "10.0.0.5/24", "--exception", "pong", "--exception", "egress,to=x,foo"],
      [
        /^--ssh-port: must be a whole number from 1 to 65535, not "ssh"$/,
        /^--allow-from: "10.0.0.5\/24" .* did you mean 10.0.0.0\/24, or 10.0.0.5\?$/,
        /^--exception pong: kind: "pong" is not a kind of exception; did you mean ping\?$/,
        /^--exception egress,to=x,foo: foo: unknown; known here: to, port, protocol$/,
        /^--exception egress,to=x,foo: to: "x" is a name, but /,
        /^--exception egress,to=x,foo: port: is missing$/,
      ],
    ],
    [
      "a host that is not in the file",
      1,
      ["web-11"],
      [/^fleet.yaml: hosts: there is no "web-11"; did you mean web-1\?$/],
    ],
    ["an unlike name", 1, ["x"], [/^fleet.yaml: hosts: there is no "x"; its hosts are web-1, web-2$/]],
    [
      "a fleet without a host's name",
      2,
      ["--fleet", "fleet.yaml"],
      [/^fleet.yaml has several hosts; name one of them: web-1, web-2$/],
    ],
    [
      "options beside a host",
      2,
      ["web-1", "--ssh-port", "1"],
      [/^--ssh-port: has no effect together with a fleet file; change the policy in that file/],
    ],
    [
      "a fleet file that is not there",
      1,
      ["a", "--fleet", "x/fleet.yaml"],
      [/^x\/fleet.yaml: is not there; write one .* init x$/],
    ],
    [
      "a bad fleet file",
      1,
      ["only", "--fleet", "bad.yaml"],
      [/^bad.yaml:1:10: hosts.only: /, /^bad.yaml:2:1: sshPrt: unknown; did you mean sshPort\?$/],
    ],
  ])("%s", (_what, code, args, lines) => {
    const ended = render(...args);
    expect(ended).toMatchObject({ code, stdout: "" });
    expect(ended.stderr.trimEnd().split("\n")).toEqual(lines.map((line) => expect.stringMatching(line)));
  });
});
