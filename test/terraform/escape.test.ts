/** Each escape, through the reader that it is for: any text comes out of Terraform and of the shells as it went in. */
import * as fc from "fast-check";
import { defined } from "../support/required";
import { shellWord } from "../../lib/output/shell-word";
import {
  expression,
  jsonToExpression,
  literal,
  quoted,
  toExpression,
  toJson,
  toShellWord,
} from "../../lib/terraform/escape";
import { describeWith, Folder, SHELLS, wordsIn } from "./support/real-tools";

jest.setTimeout(120_000);

/** Pieces that mean something to one of the readers, so that they meet in all orders. */
const PIECES = [
  ...["'", '"', "\\", "`", "$", "%", "{", "}", "${", "%{", "$${", "%%{", "$$${", "~", "!", "#", ";", "&", "|", "*"],
  ...[
    "$(id)",
    "${var.x}",
    "%{ if true }",
    "'\\''",
    "\\n",
    "\\u0041",
    "\n",
    "\r",
    "\t",
    "\b",
    "\f",
    "\v",
    "\x1b",
    "\x7f",
  ],
  ...[
    "\x01",
    "\x80",
    "\x81",
    "\x88",
    "\u2028",
    "\ufeff",
    "ä",
    "한",
    "\u0301",
    "\u0600",
    "\u{110bd}",
    "😀",
    "a",
    " ",
    "",
    "\n\n",
    "<",
    ">",
    "&&",
  ],
];

/**
 * Without NUL, which no shell variable can hold, and in Unicode's composed form (NFC), into which Terraform brings every
 * string.
 */
const text = fc
  .oneof(
    fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }).map((pieces) => pieces.join("")),
    fc.string({ unit: "binary", maxLength: 20 }),
    fc.string({ unit: "grapheme", maxLength: 20 }),
  )
  .map((one) => one.replace(/\0/g, "").normalize("NFC"));

/** One evaluation for many texts; a failure still shrinks to the one that breaks it. */
const texts = fc.array(text, { minLength: 1, maxLength: 250, size: "max" });
const few = { numRuns: 6, endOnFailure: false };

describeWith("in Terraform", ["terraform"], () => {
  const folder = new Folder();
  afterAll(() => folder.remove());

  test("any text is itself as a value, within an expression, and beside a template", async () => {
    await fc.assert(
      fc.asyncProperty(texts, async (samples) => {
        const outputs = await folder.outputs<Record<string, string[]>>({
          locals: { samples: samples.map((sample) => toJson(literal(sample))) },
          output: {
            value: { value: "${local.samples}" },
            inExpression: { value: `\${[${samples.map(quoted).join(", ")}]}` },
            inTemplate: { value: samples.map((sample) => `${toJson(literal(sample))} \${${quoted(sample)}}`) },
            asTerms: {
              value: samples.map((sample) => toJson(expression(`try(null.x, ${toExpression(literal(sample))})`))),
            },
            fromJson: {
              value: `\${[${samples.map((sample) => jsonToExpression(String(toJson(literal(sample))))).join(", ")}]}`,
            },
            asKeys: { value: samples.map((sample) => `\${{${quoted(sample)} = 7}[${quoted(sample)}]}`) },
          },
        });
        expect(outputs).toEqual({
          value: samples,
          inExpression: samples,
          inTemplate: samples.map((sample) => `${sample} ${sample}`.normalize("NFC")),
          asTerms: samples,
          fromJson: samples,
          asKeys: samples.map(() => 7),
        });
      }),
      few,
    );
  });

  test("values that are not text stay what they are", async () => {
    const values = [null, true, false, 0, 22, -1.5];
    const outputs = await folder.outputs({
      output: {
        plain: { value: values.map((value) => toJson(literal(value))) },
        inExpression: { value: `\${[${values.map((value) => toExpression(literal(value))).join(", ")}]}` },
      },
    });
    expect(outputs).toEqual({ plain: values, inExpression: values });
  });

  describeWith(
    "and then in a shell",
    Object.values(SHELLS).map(([command]) => command),
    () => {
      test("any text is one word and itself, whether it is known at synth or only to Terraform", async () => {
        await fc.assert(
          fc.asyncProperty(texts, async (samples) => {
            const outputs = await folder.outputs<Record<string, string[]>>({
              locals: { samples: samples.map((sample) => toJson(literal(sample))) },
              output: {
                known: { value: samples.map((sample) => toShellWord(literal(sample))) },
                unknown: { value: samples.map((_, index) => toShellWord(expression(`local.samples[${index}]`))) },
                quoted: { value: samples.map((sample) => toShellWord(expression(quoted(sample)))) },
              },
            });
            expect(outputs.unknown).toEqual(outputs.known);
            expect(outputs.quoted).toEqual(outputs.known);
            for (const shell of Object.keys(SHELLS)) {
              expect(await wordsIn(shell, defined(outputs.known))).toEqual(samples);
            }
          }),
          few,
        );
      });

      test("numbers and truth values are words too", async () => {
        const terms = [literal(22), literal(true), expression("11 + 11"), expression("1 == 1")];
        const { words } = await folder.outputs<{ words: string[] }>({
          output: { words: { value: terms.map(toShellWord) } },
        });
        for (const shell of Object.keys(SHELLS)) {
          expect(await wordsIn(shell, words)).toEqual(["22", "true", "22", "true"]);
        }
      });
    },
  );
});

describe.each(Object.keys(SHELLS))("in %s", (shell) => {
  describeWith("without Terraform", defined(SHELLS[shell]).slice(0, 1), () => {
    test("any text is one word and itself, also in a variable and as part of another word", async () => {
      await fc.assert(
        fc.asyncProperty(texts, async (samples) => {
          const settings = samples.map((sample, index) => `v${index}=${shellWord(sample)}`).join("\n");
          expect(
            await wordsIn(
              shell,
              samples.map((_, index) => `"$v${index}"`),
              settings,
            ),
          ).toEqual(samples);
          expect(
            await wordsIn(
              shell,
              samples.map((sample) => `a${shellWord(sample)}b`),
            ),
          ).toEqual(samples.map((sample) => `a${sample}b`));
        }),
        few,
      );
    });
  });
});
