import { checkKeys } from "../../lib/input/keys";
import { closest } from "../../lib/input/names";
import { InvalidInputError, parseOrThrow, Problems } from "../../lib/input/problems";
import { kindOf, shown } from "../../lib/output/text";

describe("Problems", () => {
  test("joins the places on the way down into one path", () => {
    const problems = new Problems("hosts");
    problems.at("web-1").at("allowFrom").at("[2]").add("", "is wrong");
    problems.add("web-2.sshPort", "too");
    problems.at("").add("[0]", "first");
    expect(problems.list).toEqual([
      { path: "hosts.web-1.allowFrom[2]", message: "is wrong" },
      { path: "hosts.web-2.sshPort", message: "too" },
      { path: "hosts[0]", message: "first" },
    ]);
  });

  test("is one collection, however far down it was added to", () => {
    const problems = new Problems();
    expect(problems.isEmpty).toBe(true);
    problems.at("a").add("b", "x");
    expect(problems.isEmpty).toBe(false);
    expect(problems.at("c").list).toBe(problems.list);
  });

  test("throws all of them at once, one a line", () => {
    const problems = new Problems();
    problems.throwIfAny("nothing");
    problems.add("a", "is wrong");
    problems.add("", "is worse");
    expect(() => problems.throwIfAny("fleet.yaml")).toThrow(new Error("fleet.yaml: a: is wrong\nis worse"));
    expect(() => problems.throwIfAny("fleet.yaml")).toThrow(InvalidInputError);
  });

  test("parseOrThrow gives the value where there is no problem", () => {
    expect(parseOrThrow("x", () => 7)).toBe(7);
    expect(() => parseOrThrow("x", (problems) => void problems.add("", "is wrong"))).toThrow("x: is wrong");
  });
});

describe("checkKeys", () => {
  const read = (value: unknown, known = ["allowFrom", "sshPort"]): string[] => {
    const problems = new Problems();
    checkKeys(value, known, problems);
    return problems.lines();
  };

  test("suggests the key that was probably meant", () => {
    expect(read({ allowFrm: [] })).toEqual(["allowFrm: unknown; did you mean allowFrom?"]);
    expect(read({ ssh_port: 1 })).toEqual(["ssh_port: unknown; did you mean sshPort?"]);
  });

  test("lists the known keys where none is near", () => {
    expect(read({ colour: 1 })).toEqual(["colour: unknown; known here: allowFrom, sshPort"]);
  });

  test("reports that there are no keys where none are allowed", () => {
    expect(read({ from: 1 }, [])).toEqual(["from: unknown; no keys are allowed here"]);
  });

  test("shows a key with strange characters so that it cannot garble the message", () => {
    expect(read({ "a\nb": 1 })[0]).toMatch(/^\["a\\nb"\]: unknown/);
  });

  test.each([[[]], [null], ["x"], [7], [undefined]])("refuses %p, which has no keys", (value) => {
    expect(read(value)[0]).toContain("must be an object with named values");
  });

  test("does not call a word near to one that has little in common with it", () => {
    expect(closest("to", ["from"])).toBeUndefined();
    expect(closest("x".repeat(1000), ["from"])).toBeUndefined();
    expect(closest("dhcp-clent", ["dhcpv6-client", "dhcp-client"])).toBe("dhcp-client");
  });
});

describe("what is shown of a value", () => {
  test("is one line, with the invisible made visible", () => {
    expect(shown("a\nb\u202ec\u2028d\x7f")).toBe('"a\\nb\\u{202e}c\\u{2028}d\\u{7f}"');
  });

  test("is short", () => {
    expect(shown("x".repeat(1000)).length).toBeLessThan(70);
  });

  test("never throws", () => {
    const values = [undefined, null, 1n, NaN, Symbol("s"), () => 1, {}, [], Object.create(null), new Date(NaN)];
    expect(values.map(kindOf)).toEqual([
      "undefined",
      "null",
      "a bigint",
      "NaN",
      "a symbol",
      "a function",
      "an object",
      "a list",
      "an object",
      "an object",
    ]);
  });
});
