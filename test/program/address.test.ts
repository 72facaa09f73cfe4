/** Whether the pre-flight finds an address among the allowed sources: compared with what Node says. */
import { BlockList, isIPv6 } from "node:net";
import * as fc from "fast-check";
import { defined, items } from "../support/required";
import { hostProgram } from "../../lib/host/program";
import { describeLab } from "../lab/describe-lab";
import { Lab } from "../lab/lab";
import { shells } from "./support/host-program";

/** Only the functions; then for each line, an address and what is allowed, whether it is. */
const HARNESS = `${hostProgram().replace(/^main "\$@"\nexit\n$/m, "")}
while read -r address SSH_ONLY_ALLOW_FROM; do
  way_in=$(printf '%s\n== nftables\n== iptables\n== ip6tables\n' "$SSH_ONLY_ALLOW_FROM" | awk -v address="$address" "$awk_addresses$awk_ruleset_lines$awk_ruleset")
  case $way_in in allowed) echo yes ;; foreign) echo no ;; *) echo "$way_in" ;; esac
done
`;

interface Question {
  readonly address: string;
  readonly allowed: readonly string[];
}

/** What Node says; an IPv4 address may come as a part of IPv6 (a socket that serves both), and a zone does not matter. */
function expected({ address, allowed }: Question): string {
  const list = new BlockList();
  for (const source of allowed) {
    const [network, prefix] = items(source.split("/"), 1);
    const family = isIPv6(network) ? "ipv6" : "ipv4";
    list.addSubnet(network, prefix === undefined ? (family === "ipv6" ? 128 : 32) : Number(prefix), family);
  }
  const plain = address.replace(/%.*/, "").replace(/^::ffff:(?=\d+\.)/i, "");
  return list.check(plain, isIPv6(plain) ? "ipv6" : "ipv4") ? "yes" : "no";
}

describe.each(shells)("under $name", ({ options }) => {
  describeLab("the pre-flight", () => {
    let lab: Lab;
    beforeAll(async () => {
      lab = await Lab.create({ hosts: [{ name: "web-1", ...options }] });
      await lab.host("web-1").exec("cat >/opt/harness.sh", { input: HARNESS });
    });
    afterAll(() => lab?.destroy());

    async function answers(questions: readonly Question[]): Promise<string[]> {
      const input = questions.map(({ address, allowed }) => `${address} ${allowed.join(" ")}\n`).join("");
      const { stdout, stderr } = await lab.host("web-1").exec(["/bin/sh", "/opt/harness.sh"], { input });
      expect(stderr).toBe("");
      return stdout.trimEnd().split("\n");
    }

    const table: ReadonlyArray<readonly [answer: "yes" | "no", address: string, ...allowed: string[]]> = [
      ["yes", "192.0.2.1", "192.0.2.1"],
      ["no", "192.0.2.2", "192.0.2.1"],
      ["yes", "192.0.2.1", "192.0.2.1/32"],
      ["no", "192.0.2.0", "192.0.2.1/32"],
      ["yes", "203.0.113.9", "0.0.0.0/0"],
      ["no", "203.0.113.9", "::/0"],
      ["yes", "127.255.255.255", "0.0.0.0/1"],
      ["no", "128.0.0.0", "0.0.0.0/1"],
      ["yes", "255.255.255.255", "128.0.0.0/1"],
      ["yes", "10.128.0.1", "10.128.0.0/9"],
      ["no", "10.127.255.255", "10.128.0.0/9"],
      ["yes", "172.31.255.255", "172.16.0.0/12"],
      ["no", "172.32.0.0", "172.16.0.0/12"],
      ["yes", "10.1.255.255", "10.1.0.0/16"],
      ["no", "10.2.0.0", "10.1.0.0/16"],
      ["yes", "10.1.127.255", "10.1.0.0/17"],
      ["no", "10.1.128.0", "10.1.0.0/17"],
      ["yes", "10.1.1.3", "10.1.1.2/31"],
      ["no", "10.1.1.4", "10.1.1.2/31"],
      // Octets, not text.
      ["no", "1.2.3.45", "1.2.3.4"],
      ["no", "1.23.4.5", "12.3.4.5"],
      ["yes", "::ffff:192.0.2.7", "192.0.2.0/24"],
      ["no", "::ffff:192.0.3.7", "192.0.2.0/24"],
      ["yes", "::FFFF:192.0.2.7", "192.0.2.7"],
      ["yes", "2001:db8::1", "::/0"],
      ["no", "2001:db8::1", "0.0.0.0/0"],
      ["yes", "::1", "::/1"],
      ["no", "8000::", "::/1"],
      ["yes", "ffff::", "8000::/1"],
      ["yes", "::", "::"],
      ["no", "::1", "::"],
      ["yes", "2001:db8::1", "2001:db8:0:0:0:0:0:1"],
      ["yes", "2001:0DB8:0000:0000:0000:0000:0000:0001", "2001:db8::1"],
      ["yes", "2001:db8:7fff::", "2001:db8::/33"],
      ["no", "2001:db8:8000::", "2001:db8::/33"],
      ["yes", "2001:db8::ffff", "2001:db8::/112"],
      ["no", "2001:db8::1:0", "2001:db8::/112"],
      ["yes", "2001:db8::3", "2001:db8::2/127"],
      ["no", "2001:db8::4", "2001:db8::2/127"],
      ["no", "2001:db8::1", "2001:db8::/128"],
      ["yes", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::/112"],
      ["yes", "1::", "1:0:0:0:0:0:0:0"],
      ["yes", "fe80::1%eth0", "fe80::/10"],
      ["no", "fe80::1%eth0", "2001:db8::/32"],
      ["yes", "fe80::a%3", "fe80::a"],
      // Any of several, wherever it stands.
      ["yes", "10.0.0.1", "192.0.2.0/24", "2001:db8::/32", "10.0.0.0/8"],
      ["yes", "2001:db8::9", "192.0.2.0/24", "2001:db8::/32", "10.0.0.0/8"],
      ["no", "11.0.0.1", "192.0.2.0/24", "2001:db8::/32", "10.0.0.0/8"],
      // What is no address is never allowed.
      ["no", "UNKNOWN", "0.0.0.0/0", "::/0"],
      ["no", "10.0.0", "0.0.0.0/0", "::/0"],
    ];

    test("finds each address of the table where it belongs", async () => {
      const questions = table.map(([, address, ...allowed]) => ({ address, allowed }));
      const found = (await answers(questions)).map((answer, index) => [answer, ...defined(table[index]).slice(1)]);
      expect(found).toEqual(table);
    });

    test("says the same as Node about any address and any sources", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(question, { minLength: 1, maxLength: 150, size: "max" }), async (questions) => {
          expect(await answers(questions)).toEqual(questions.map(expected));
        }),
        // Each run asks about many; when one is wrong, fast-check takes away all others.
        { numRuns: 10, endOnFailure: false },
      );
    });
  });
});

const bytesOf = (count: number): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: 0, max: 255 }), { minLength: count, maxLength: count });

/** Flips one bit, or none: sources that just cover an address, and sources that just do not. */
const near = (bytes: readonly number[], bit: number): number[] =>
  bytes.map((byte, index) => (index === bit >> 3 ? byte ^ (0x80 >> (bit & 7)) : byte));

const masked = (bytes: readonly number[], prefix: number): number[] =>
  bytes.map((byte, index) => byte & (0xff00 >> Math.min(8, Math.max(0, prefix - index * 8))) & 0xff);

const ipv4Text = (bytes: readonly number[]): string => bytes.join(".");

/** As text, with the longest run of zeros left out or with everything written. */
function ipv6Text(bytes: readonly number[], short: boolean): string {
  const groups = Array.from(
    { length: 8 },
    (_, index) => (defined(bytes[index * 2]) << 8) | defined(bytes[index * 2 + 1]),
  );
  const full = groups.map((group) => group.toString(16)).join(":");
  return short ? new URL(`http://[${full}]`).hostname.slice(1, -1) : full;
}

const question: fc.Arbitrary<Question> = fc
  .record({
    four: fc.boolean(),
    bytes: bytesOf(16),
    zeros: fc.integer({ min: 0, max: 16 }),
    short: fc.boolean(),
    mapped: fc.boolean(),
    zone: fc.boolean(),
    sources: fc.array(
      fc.record({
        bit: fc.integer({ min: 0, max: 160 }),
        prefix: fc.integer({ min: 0, max: 128 }),
        bare: fc.boolean(),
        other: fc.option(bytesOf(16)),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  })
  .map(({ four, bytes, zeros, short, mapped, zone, sources }) => {
    const own = four ? bytes.slice(0, 4) : bytes.map((byte, index) => (index >= 16 - zeros ? 0 : byte));
    const text = (address: readonly number[]): string =>
      address.length === 4 ? ipv4Text(address) : ipv6Text(address, short);
    const decorated = four ? `${mapped ? "::ffff:" : ""}${text(own)}` : `${text(own)}${zone ? "%eth0" : ""}`;
    const allowed = sources.map(({ bit, prefix, bare, other }) => {
      const base = other === null ? near(own, bit) : other.slice(0, prefix <= 32 ? 4 : 16);
      const length = Math.min(prefix, base.length * 8);
      return bare && other === null ? text(base) : `${text(masked(base, length))}/${length}`;
    });
    return { address: decorated, allowed };
  });
