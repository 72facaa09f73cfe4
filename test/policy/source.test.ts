import { Fn, Lazy, Token } from "cdktf";
import { defined } from "../support/required";
import { Problems } from "../../lib/input/problems";
import { AllowedSource } from "../../lib/policy/source";

const token = (): string => Token.asString(Lazy.stringValue({ produce: () => "192.0.2.1" }));

/** The one message about a value, or the source in its normal form. */
function read(value: unknown): string {
  const problems = new Problems();
  const source = AllowedSource.parse(value, problems);
  expect(problems.list.length).toBe(source === undefined ? 1 : 0);
  return source === undefined ? defined(problems.lines()[0]) : source.cidr;
}

describe("an address or range that is sound", () => {
  test.each([
    ["192.0.2.10", "192.0.2.10"],
    ["192.0.2.0", "192.0.2.0"],
    ["192.0.2.10/32", "192.0.2.10"],
    ["192.0.2.0/24", "192.0.2.0/24"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["0.0.0.0/1", "0.0.0.0/1"],
    ["10.0.0.0/8", "10.0.0.0/8"],
    ["2001:DB8:0:0::1", "2001:db8::1"],
    ["2001:db8::1/128", "2001:db8::1"],
    ["2001:db8:0:0:0:0:0:0/32", "2001:db8::/32"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["64:ff9b::192.0.2.1", "64:ff9b::c000:201"],
    ["::/0", "::/0"],
    ["fe80::/10", "fe80::/10"],
  ])("%s is written %s", (text, normal) => {
    expect(read(text)).toBe(normal);
  });
});

describe("a mistake is answered with what was probably meant:", () => {
  test.each([
    ["10.0.0.5/8", "did you mean 10.0.0.0/8, or 10.0.0.5?"],
    ["2001:db8::1/32", "did you mean 2001:db8::/32, or 2001:db8::1?"],
    ["10.0.0.5/0", "did you mean 0.0.0.0/0, or 10.0.0.5?"],
    ["10.0.0.0/", "did you mean 10.0.0.0 (one address), or a range such as"],
    ["10.0.0.0/33", "the prefix length of an IPv4 range is a whole number from 0 to 32"],
    ["10.0.0.0/08", "whole number from 0 to 32"],
    ["10.0.0.0/-1", "whole number from 0 to 32"],
    ["2001:db8::/129", "the prefix length of an IPv6 range is a whole number from 0 to 128"],
    ["10.0/8", "did you mean 10.0.0.0/8?"],
    ["10.0.0.0/255.0.0.0", "did you mean 10.0.0.0/8?"],
    ["10.0.0.0/255.0.255.0", "whole number from 0 to 32"],
    [
      "0x7f.1",
      '"0x7f.1" has hexadecimal numbers, which only some programs take for an IPv4 address; did you mean 127.0.0.1?',
    ],
    ["010.0.0.1", "did you mean 10.0.0.1?"],
    ["192.168.001.0/24", "did you mean 192.168.1.0/24?"],
    ["::ffff:192.0.2.1", "did you mean 192.0.2.1?"],
    ["::ffff:c000:200/120", "did you mean 192.0.2.0/24?"],
    ["fe80::1%eth0", "did you mean fe80::1?"],
    ["fe80::1%eth0/64", "did you mean fe80::1/64?"],
    ["[2001:db8::1]", "did you mean 2001:db8::1?"],
    [" 10.0.0.1", 'did you mean "10.0.0.1"?'],
    ["10.0.0.0 /8", 'did you mean "10.0.0.0/8"?'],
    ["0.0.0.0", "did you mean 0.0.0.0/0, any IPv4 address?"],
    ["::", "did you mean ::/0, any IPv6 address?"],
  ])("%s", (text, remedy) => {
    expect(read(text)).toContain(remedy);
    expect(read(text)).toContain(text);
  });
});

describe("what cannot be the far end of a connection is refused:", () => {
  test.each([
    ["", "is empty; give an address"],
    ["bastion.example.com", '"bastion.example.com" is a name, but the firewall of a host cannot look names up'],
    ["localhost", "is a name"],
    ["127.0.0.1", "loopback always passes"],
    ["127.0.0.0/8", "loopback always passes"],
    ["::1", "loopback always passes"],
    ["224.0.0.1", "a multicast address"],
    ["224.0.0.0/4", "a multicast address"],
    ["ff02::1", "a multicast address"],
    ["255.255.255.255", "the broadcast address"],
    ["0.1.2.3", "the unspecified address"],
    ["1.2", "is not an IPv4 or IPv6 address"],
    ["10", "is not an IPv4 or IPv6 address"],
    ["256.0.0.1", "is not an IPv4 or IPv6 address"],
    ["10.0.0.1/8/8", "is not an IPv4 or IPv6 address"],
    ["10.0.0.1:22", "is not an IPv4 or IPv6 address"],
    ["2001:db8:::1", "is not an IPv4 or IPv6 address"],
    ["10.0.0.1\n", "a line break or another invisible character"],
    ["10.0.0.1\u202e", "a line break or another invisible character"],
    ["10.0.0.1'", "a quote"],
    ["${foo}", 'a Terraform template ("${")'],
    ["%{ if true }", 'a Terraform template ("%{")'],
    [undefined, 'must be an address or range as text, such as "192.0.2.0/24", not undefined'],
    [null, "not null"],
    [22, "not 22"],
    [["10.0.0.1"], "not a list"],
    [{}, "not an object"],
    [Symbol("x"), "not a symbol"],
  ])("%p", (value, message) => {
    expect(read(value)).toContain(message);
  });
});

describe("a token", () => {
  test("is taken as it is where its family is named", () => {
    const text = token();
    const source = AllowedSource.ipv4(text);
    expect(source).toMatchObject({ family: "ipv4", cidr: text, isToken: true, isAny: false });
    expect(AllowedSource.ipv6(text).family).toBe("ipv6");
  });

  test("may have the rest of an address around it", () => {
    const text = `${token()}/32`;
    expect(AllowedSource.ipv4(text).cidr).toBe(text);
  });

  test("may not have anything else around it", () => {
    expect(() => AllowedSource.ipv4(`${token()}; flush ruleset`)).toThrow("may stand beside a token");
    expect(() => AllowedSource.ipv4(`${token()}\${evil}`)).toThrow("may stand beside a token");
    expect(() => AllowedSource.ipv4(`${token()}\n`)).toThrow("may stand beside a token");
  });

  test("is refused, with the remedy, where its family is not named", () => {
    expect(read(token())).toContain("AllowedSource.ipv4(token) or AllowedSource.ipv6(token)");
    expect(() => AllowedSource.of(token())).toThrow("AllowedSource.ipv4(token) or AllowedSource.ipv6(token)");
    expect(read(Fn.cidrhost("10.0.0.0/8", 2))).toContain("AllowedSource.ipv4(token)");
    expect(read(Token.asAny({ resolve: () => "10.0.0.1" }))).toContain("AllowedSource.ipv4(token)");
  });

  test("that cdktf never made is refused", () => {
    expect(() => AllowedSource.ipv4("${TfToken[TOKEN.987654]}")).toThrow("a token that cdktf does not know");
  });

  test("that is a list is refused with the way to name its elements", () => {
    expect(read(Token.asList({ resolve: () => ["10.0.0.1"] }))).toContain("AllowedSource.ipv4(Fn.element(list, 0))");
  });
});

describe("a factory", () => {
  test("throws an error that names itself and the value", () => {
    expect(() => AllowedSource.of("10.0.0.5/8")).toThrow(/^AllowedSource\.of\(\): "10\.0\.0\.5\/8" /);
  });

  test("refuses an address of the other family and names the right factory", () => {
    expect(() => AllowedSource.ipv4("2001:db8::1")).toThrow('AllowedSource.ipv6("2001:db8::1")');
    expect(() => AllowedSource.ipv6("192.0.2.1")).toThrow('AllowedSource.ipv4("192.0.2.1")');
  });

  test("throws at what is no text at all", () => {
    expect(() => AllowedSource.ipv4(undefined as unknown as string)).toThrow("must be text, not undefined");
  });

  test("for anywhere gives the whole family", () => {
    expect(AllowedSource.anyIpv4()).toMatchObject({ family: "ipv4", isAny: true, isToken: false });
    expect(AllowedSource.anyIpv6()).toMatchObject({ family: "ipv6", isAny: true, isToken: false });
    expect(AllowedSource.of("0.0.0.0/1").isAny).toBe(false);
  });
});

describe("covers", () => {
  const covers = (a: string, b: string): boolean => AllowedSource.of(a).covers(AllowedSource.of(b));

  test("is about containment, family by family", () => {
    expect(covers("10.0.0.0/8", "10.1.2.3")).toBe(true);
    expect(covers("10.0.0.0/8", "10.0.0.0/8")).toBe(true);
    expect(covers("10.0.0.0/9", "10.128.0.0/9")).toBe(false);
    expect(covers("10.0.0.0/9", "10.0.0.0/8")).toBe(false);
    expect(covers("0.0.0.0/0", "::/0")).toBe(false);
    expect(covers("2001:db8::/33", "2001:db8:7fff::1")).toBe(true);
    expect(covers("2001:db8::/33", "2001:db8:8000::1")).toBe(false);
  });

  test("knows of a token only that anywhere covers it, and it itself", () => {
    const source = AllowedSource.ipv4(token());
    expect(AllowedSource.anyIpv4().covers(source)).toBe(true);
    expect(AllowedSource.anyIpv6().covers(source)).toBe(false);
    expect(AllowedSource.of("10.0.0.0/8").covers(source)).toBe(false);
    expect(source.covers(source)).toBe(true);
    expect(source.covers(AllowedSource.of("10.0.0.1"))).toBe(false);
  });
});
