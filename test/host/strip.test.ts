/** Comments and blank lines are removed, and nothing that a shell would read. */
import { spawnSync } from "node:child_process";
import { stripAwk, stripShell } from "../../lib/host/strip";

const lines = (...all: readonly string[]): string => `${all.join("\n")}\n`;

test.each([
  ["a comment on a line of its own", lines("a", "  # b", "c"), lines("a", "c")],
  ["a comment behind a command", lines("a  # b", "c;# d"), lines("a", "c;")],
  ["a comment behind a bracket", lines("(# a", "b )# c"), lines("(", "b )")],
  ["blank lines", lines("a", "", " \t", "b"), lines("a", "b")],
  ["quotes in a comment", lines("a # it's", 'b # "', "c # `$("), lines("a", "b", "c")],
  ["a comment in a command substitution", lines('a="$(', "  # b )", "  c", ')"'), lines('a="$(', "  c", ')"')],
  ["a comment behind a continued line", lines("a \\", "# b", "c"), lines("a \\", "", "c")],
  ["a comment without a line break", "a\n# b", "a\n"],
])("%s is removed", (_, text, stripped) => {
  expect(stripShell(text)).toBe(stripped);
});

test.each([
  ["in single quotes", lines("a='b", "", "# c", "  # d '")],
  ["in double quotes", lines('a="b', "", "# c", '  # d \\" # e', '"')],
  ["in quotes in a command substitution in quotes", lines('a="$(b "c # d', "# e", '")"')],
  ["in a here-document", lines("a <<END", "# b 'c", "", "END")],
  ["in two here-documents", lines("a <<'ONE' <<-TWO", "# b", "ONE", "# c", "\tTWO")],
  ["in a parameter", lines("a=${#b} c=$# d=${e#f} g=${h##*) } i=${j% #k}", 'l=${m%"', '# n"}')],
  ["behind a backslash", lines("a \\# b", "a\\ # b".replace(" # b", "#b"))],
  ["within a word", lines("a#b c=#d", "e 2#f")],
  ["in a pattern", lines("case $a in", "  '#'* | *\\#*) b ;;", "esac")],
  ["in a command substitution with a pattern", lines("a=$(case $b in c) echo '# d' ;; (e) f ;; esac)", "g='", "# h'")],
  ["in arithmetic", lines("a=$((1 << (2 + 3)))", "b=$((16#ff))")],
])("what looks like a comment %s stays", (_, text) => {
  expect(stripShell(text)).toBe(text);
});

test.each([
  ["a backquote", "a=`b`\n", "line 1: backquotes are not supported"],
  ["an open quote", "a\nb='\n", "line 2: a single quote is never closed"],
  ["open double quotes", 'a="b\n', "what was opened is never closed"],
  ["a bracket too many", "a )\n", "a bracket is closed that was never opened"],
  ["single quotes in a parameter in quotes", "a=\"${b-'}'}\"\n", "single quotes within ${…} within double quotes"],
  ["a here-document without an end", "a <<END\nb\n", "the here-document has no line END"],
])("%s is an error, not a guess", (_, text, message) => {
  expect(() => stripShell(text)).toThrow(message);
});

test("a shell prints the same with comments and without", () => {
  const text = lines(
    "set -- a b # c",
    "# d",
    "",
    "printf '%s\\n' \"$# ${#1}\" '# e' \"# f $(echo g # h",
    ')" i#j # k',
    "cat <<END # l",
    "# m $(echo n)",
    "",
    "END",
  );
  const run = (input: string): string => spawnSync("sh", { input, encoding: "utf8" }).stdout;
  expect(run(text)).toContain("2 1\n# e\n# f g\ni#j\n# m n\n\n");
  expect(stripShell(text)).not.toBe(text);
  expect(run(stripShell(text))).toBe(run(text));
});

test("whole lines of comments are removed from awk, and what is in strings and patterns stays", () => {
  const text = lines("# a", "", '/#/ { print "# b" } # c', "  # d", "{ e }");
  expect(stripAwk(text)).toBe(lines('/#/ { print "# b" } # c', "{ e }"));
});
