/** Every message that the command line can print is in docs/command-messages.md, or in the list of those that need no page. */
import { commandMessages } from "./support/messages";
import { page } from "./support/pages";

const AT_ITS_PLACE = "the place of the value stands in front, and the remedy behind";
const OF_AN_OPTION = "commander names the option in front, and the text lists what is valid";
const NEVER = "only a mistake in this package prints it";

/** By file, or by file and name. */
const NEED_NO_PAGE: Readonly<Record<string, string>> = {
  "lib/input/value-messages.ts": AT_ITS_PLACE,
  "lib/input/json.ts": AT_ITS_PLACE,
  "lib/policy/address-messages.ts": AT_ITS_PLACE,
  "lib/policy/firewall-messages.ts": AT_ITS_PLACE,
  "lib/policy/host-messages.ts": AT_ITS_PLACE,
  "lib/policy/policy-messages.ts": AT_ITS_PLACE,
  "lib/fleet/fleet-file-messages.ts": AT_ITS_PLACE,
  ...Object.fromEntries(
    [
      ...["badStacks", "noGroup", "badGroup", "sameGroup", "groupWithoutStacks", "longStackName", "oneKeeper"],
      ...["oneBackend", "noSettings", "nameOrTags", "notTags", "secret", "secretInside", "noVariable"],
    ].map((name) => [`lib/fleet/stack-messages.ts stackMessages.${name}`, AT_ITS_PLACE]),
  ),
  "lib/cli/option-values.ts InvalidArgumentError": OF_AN_OPTION,
  "lib/cli/verdict-options.ts InvalidArgumentError": OF_AN_OPTION,
  "lib/cli/review-command.ts InvalidArgumentError": OF_AN_OPTION,
  "lib/cli/starter-hosts.ts InvalidArgumentError": OF_AN_OPTION,
  "lib/cli/check-command.ts CommandError": OF_AN_OPTION,
  "lib/cli/format-options.ts RangeError": NEVER,
  "lib/fleet/state-backend.ts Error": NEVER,
  "lib/host/program.ts Error": NEVER,
  "lib/host/strip.ts Error": NEVER,
  "lib/review/plan.ts UnreadableError": "the text names a part of the plan, and planProblems has the message",
};

const messages = commandMessages();
/** The first column of its tables. */
const onPage = page("docs/command-messages.md")
  .text.split("\n")
  .filter((line) => line.startsWith("| `"))
  .flatMap((row) => [...(row.split(" | ")[0] ?? "").matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code));
const excused = ({ file, name }: (typeof messages)[number]): string[] =>
  [file, `${file} ${name}`].filter((key) => key in NEED_NO_PAGE);
const has = (texts: readonly string[], code: string): boolean => texts.some((text) => text.includes(code));

test("every message is on the page, or needs none", () => {
  expect(messages.length).toBeGreaterThan(150);
  const missing = messages.filter(
    (message) => excused(message).length === 0 && !onPage.some((code) => has(message.texts, code)),
  );
  expect(missing).toEqual([]);
});

test("what the page lists can be printed", () => {
  const gone = onPage.filter((code) => !messages.some(({ texts }) => has(texts, code)));
  expect(gone).toEqual([]);
});

test("what needs no page is still there", () => {
  const used = new Set(messages.flatMap(excused));
  expect(Object.keys(NEED_NO_PAGE).filter((key) => !used.has(key))).toEqual([]);
});
