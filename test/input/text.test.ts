import { Lazy, Token } from "cdktf";
import { Problems } from "../../lib/input/problems";
import { plainText } from "../../lib/input/text";

function problemWith(value: unknown): string | undefined {
  const problems = new Problems();
  expect(plainText(value, problems)).toBe(problems.isEmpty);
  return problems.lines()[0];
}

describe("plainText", () => {
  test.each(["", "web-1", "prod.example.com", "~/.ssh/id_ed25519", "C$", "100%", "a b", "Zürich", "$(id)", "{x}"])(
    "takes %p",
    (value) => {
      expect(problemWith(value)).toBeUndefined();
    },
  );

  test.each([
    ["a\nb", "a line break or another invisible character"],
    ["a\tb", "a line break or another invisible character"],
    ["a\0", "a line break or another invisible character"],
    ["a\x9bb", "a line break or another invisible character"],
    ["a\u2028b", "a line break or another invisible character"],
    ["a\u200bb", "a line break or another invisible character"],
    ["\ud800", "a line break or another invisible character"],
    ["it's", "a quote"],
    ['say "x"', "a quote"],
    ["a\\b", "a backslash"],
    ["`id`", "a backtick"],
    ["${path.module}", '"${"'],
    ["%{if}", '"%{"'],
    ["$${x}", '"${"'],
  ])("refuses %p and says what is wrong with it", (value, what) => {
    expect(problemWith(value)).toContain(what);
  });

  test.each([[undefined], [null], [7], [["a"]], [{}]])("refuses %p, which is no text", (value) => {
    expect(problemWith(value)).toContain("must be text");
  });

  test("takes a token, and checks what stands around it", () => {
    const token = Token.asString(Lazy.stringValue({ produce: () => "x" }));
    expect(problemWith(token)).toBeUndefined();
    expect(problemWith(`${token}.example.com`)).toBeUndefined();
    expect(problemWith(`${token}'`)).toContain("a quote");
    expect(problemWith(`\${x}${token}`)).toContain('"${"');
  });

  test("refuses what only looks like a token", () => {
    expect(problemWith("${TfToken[TOKEN.987654]}")).toContain("a token that cdktf does not know");
  });
});
