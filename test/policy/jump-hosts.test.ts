import { Lazy, Token } from "cdktf";
import { parseFirewall } from "../../lib/policy/firewall";

/** What is wrong with a fleet of a jump host with these exceptions, and hosts behind it. */
function problems(exceptions: readonly object[], others: Record<string, object | string>, jump: object = {}): string[] {
  const allowFrom = ["192.0.2.0/24", "10.0.0.0/8"];
  const hosts = { jump: { address: "192.0.2.9", exceptions, ...jump }, ...others };
  return parseFirewall({ allowFrom, hosts }).found.list.map(({ path, message }) => `${path}: ${message}`);
}

const behind = (address: string, more: object = {}): object => ({
  address,
  connection: { bastion: { host: "::ffff:192.0.2.9" } },
  ...more,
});
const egress = (to: string, port = 22, protocol = "tcp"): object => ({ kind: "egress", to, port, protocol });

test("a host that is the bastion of others, and may not connect to them, is rejected with the exception that helps", () => {
  const others = { a: behind("10.0.0.5"), b: behind("10.0.0.6"), c: behind("10.0.0.7", { sshPort: 2222 }) };
  const [first, second, ...rest] = problems([], others);
  expect(first).toMatch(
    /^hosts\.jump\.exceptions: .* bastion of a, b: .*; add \{ kind: egress, to: \[10\.0\.0\.5, 10\.0\.0\.6\], port: 22 \}$/,
  );
  expect(second).toMatch(/bastion of c: .*; add \{ kind: egress, to: \[10\.0\.0\.7\], port: 2222 \}$/);
  expect(rest).toEqual([]);
  // Followed:
  expect(problems([egress("10.0.0.0/24"), egress("10.0.0.7", 2222)], others)).toEqual([]);
});

test.each([
  ["another port", egress("10.0.0.5", 443)],
  ["UDP", egress("10.0.0.5", 22, "udp")],
  ["another address", egress("10.0.0.6")],
  ["what comes in", { kind: "ingress", from: "10.0.0.5", port: 2022 }],
])("an exception for %s does not help", (_, exception) => {
  expect(problems([exception], { a: behind("10.0.0.5") })).toHaveLength(1);
});

test("of an address that is a name, or a token, any exception for its port will do, and its absence is rejected", () => {
  const token = Token.asString(Lazy.stringValue({ produce: () => "10.0.0.5" }));
  for (const address of ["db-1.example", token]) {
    expect(problems([], { a: behind(address) })).toEqual([
      expect.stringContaining("to: [their addresses], port: 22 }"),
    ]);
    expect(problems([egress("10.0.0.0/8")], { a: behind(address) })).toEqual([]);
  }
});

test.each([
  ["observes", {}, { mode: "observe" }],
  ["is dialled at another port, where another machine is", {}, { connection: { port: 2200 } }],
  ["is its own bastion", { connection: { bastion: { host: "192.0.2.9" } } }, {}],
])("a host that %s is taken", (_, own, jump) => {
  expect(problems([], Object.keys(own).length > 0 ? {} : { a: behind("10.0.0.5") }, { ...own, ...jump })).toEqual([]);
});
