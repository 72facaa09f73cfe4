import * as fc from "fast-check";
import { EXCEPTION_KINDS, PolicyException } from "../../lib/policy/exception";
import { parsePolicy, POLICY_KEYS } from "../../lib/policy/policy";
import { Problems } from "../../lib/input/problems";
import { AllowedSource } from "../../lib/policy/source";
import { plainText } from "../../lib/input/text";

const ipv4Range = fc
  .tuple(fc.integer({ min: 0, max: 0xffffffff }), fc.integer({ min: 0, max: 32 }))
  .map(([address, prefix]) => {
    const network = prefix === 0 ? 0 : (address & (0xffffffff << (32 - prefix))) >>> 0;
    return `${[24, 16, 8, 0].map((shift) => (network >>> shift) & 255).join(".")}/${prefix}`;
  });

const ipv6Range = fc
  .tuple(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), fc.integer({ min: 0, max: 128 }))
  .map(([address, prefix]) => {
    const network = (address >> BigInt(128 - prefix)) << BigInt(128 - prefix);
    const groups = Array.from({ length: 8 }, (_, index) => (network >> BigInt(112 - index * 16)) & 0xffffn);
    return `${groups.map((group) => group.toString(16)).join(":")}/${prefix}`;
  });

/** Near misses are more telling than noise: pieces of addresses, put together at random. */
const almostAnAddress = fc
  .array(
    fc.constantFrom("10", "0", "255", "256", "010", ".", ":", "::", "/", "8", "32", "ffff", "%eth0", " ", "a", "-"),
    {
      maxLength: 12,
    },
  )
  .map((pieces) => pieces.join(""));

const text = fc.oneof(fc.string({ unit: "binary", maxLength: 40 }), almostAnAddress, ipv4Range, ipv6Range);

function parse(value: unknown): { source: AllowedSource | undefined; messages: string[] } {
  const problems = new Problems();
  const source = AllowedSource.parse(value, problems);
  return { source, messages: problems.lines() };
}

test("what is read from an address is read the same again from its normal form", () => {
  fc.assert(
    fc.property(fc.oneof(ipv4Range, ipv6Range, almostAnAddress), (value) => {
      const { source } = parse(value);
      fc.pre(source !== undefined);
      const again = parse(source?.cidr).source;
      expect(again).toEqual(source);
    }),
  );
});

test("every IPv6 address is written as the URL parser of Node writes it", () => {
  fc.assert(
    fc.property(ipv6Range, (value) => {
      const { source } = parse(value.replace(/\/.*/, ""));
      fc.pre(source !== undefined);
      expect(`[${source?.cidr}]`).toBe(new URL(`http://${`[${value.replace(/\/.*/, "")}]`}/`).hostname);
    }),
  );
});

test("any text is either a source or one problem on one line, and never an exception", () => {
  fc.assert(
    fc.property(text, (value) => {
      const { source, messages } = parse(value);
      expect(messages).toHaveLength(source === undefined ? 1 : 0);
      expect(messages.join("")).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
    }),
    { numRuns: 1000 },
  );
});

test("no text that becomes a source contains anything but an address", () => {
  fc.assert(
    fc.property(text, (value) => {
      expect(parse(value).source?.cidr ?? "").toMatch(/^[0-9a-f.:/]*$/);
    }),
    { numRuns: 1000 },
  );
});

test("no text that counts as plain contains a line break, a quote, a backslash or a template", () => {
  const harmful = fc.constantFrom("\n", "\r", "\0", "'", '"', "\\", "`", "${", "%{", "\u2028", "\x7f");
  const around = fc.string({ unit: "binary", maxLength: 10 });
  fc.assert(
    fc.property(around, harmful, around, (before, harm, after) => {
      expect(plainText(before + harm + after, new Problems())).toBe(false);
    }),
  );
});

test("whatever is given as a policy, the answer is a policy or problems, and never an exception", () => {
  const entry = fc.record(
    {
      kind: fc.oneof(fc.constantFrom(...EXCEPTION_KINDS), fc.anything()),
      to: fc.anything(),
      from: fc.anything(),
      port: fc.anything(),
      protocol: fc.anything(),
    },
    { requiredKeys: ["kind"] },
  );
  const value = fc.oneof(
    fc.anything(),
    fc.array(text),
    fc.array(entry),
    fc.integer(),
    fc.constantFrom("drop", "reject"),
  );
  fc.assert(
    fc.property(fc.oneof(fc.anything(), fc.dictionary(fc.constantFrom(...POLICY_KEYS), value)), (props) => {
      const problems = new Problems();
      const policy = parsePolicy(props, problems);
      expect(policy === undefined).toBe(!problems.isEmpty);
    }),
    { numRuns: 500 },
  );
});

test("whatever is given as an exception, the answer is an exception or problems, and never an exception thrown", () => {
  fc.assert(
    fc.property(fc.anything(), (entry) => {
      const problems = new Problems();
      expect(PolicyException.parse(entry, problems) === undefined).toBe(!problems.isEmpty);
    }),
  );
});
