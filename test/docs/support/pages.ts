/** The pages of the manual, taken apart: links, anchors, code blocks, tables. */
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import MarkdownIt, { type Token } from "markdown-it";
import { filesIn, ROOT } from "../../support/sources";

export interface Page {
  /** Its path in the repository. */
  readonly file: string;
  readonly text: string;
}

export interface Block {
  readonly file: string;
  readonly line: number;
  readonly language: string;
  readonly code: string;
}

const markdown = new MarkdownIt();

const parsed = new Map<string, Token[]>();
/** Parsed once, because every test asks. */
function tokensOf({ file, text }: Page): readonly Token[] {
  const tokens = parsed.get(file) ?? markdown.parse(text, {});
  parsed.set(file, tokens);
  return tokens;
}

export const page = (file: string): Page => ({ file, text: readFileSync(join(ROOT, file), "utf8") });

export const MANUAL: readonly Page[] = [
  ...["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"],
  ...filesIn(["docs"], ".md"),
].map(page);

export const lines = ({ text }: Page): number => text.trimEnd().split("\n").length;
/** As `wc -w` counts. */
export const words = ({ text }: Page): number => text.split(/\s+/).filter((word) => word !== "").length;

export const blocks = (one: Page): Block[] =>
  tokensOf(one)
    .filter(({ type }) => type === "fence")
    .map(({ info, content, map }) => ({ file: one.file, line: (map?.[0] ?? 0) + 1, language: info, code: content }));

/** The targets of links, without those to other sites. */
export const links = (one: Page): string[] =>
  tokensOf(one)
    .flatMap(({ children }) => children ?? [])
    .filter(({ type }) => type === "link_open")
    .map((link) => link.attrGet("href") ?? "")
    .filter((href) => !/^[a-z]+:/.test(href));

/** The files of its pictures. */
export const pictures = (one: Page): string[] =>
  tokensOf(one)
    .flatMap(({ children }) => children ?? [])
    .filter(({ type }) => type === "image")
    .map((image) => targetOf(one, image.attrGet("src") ?? "").path);

/** What stands in code spans, which may name files and commands. */
export const codeSpans = (one: Page): string[] =>
  tokensOf(one)
    .flatMap(({ children }) => children ?? [])
    .filter(({ type }) => type === "code_inline")
    .map(({ content }) => content);

/** The anchors of a page: those that GitHub gives to headings, numbered where a title comes again, and those that it sets itself. */
export function anchorsOf(one: Page): ReadonlySet<string> {
  const tokens = tokensOf(one);
  const titles = tokens.flatMap(({ type }, index) =>
    type === "heading_open" ? [(tokens[index + 1]?.children ?? []).map(({ content }) => content).join("")] : [],
  );
  const found = new Set<string>();
  for (const title of titles) {
    const slug = title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replace(/\s/g, "-");
    let anchor = slug;
    for (let number = 1; found.has(anchor); number++) {
      anchor = `${slug}-${number}`;
    }
    found.add(anchor);
  }
  [...one.text.matchAll(/<a id="([^"]+)"/g)].forEach(([, id = ""]) => found.add(id));
  return found;
}

/** Where a link of a page leads: a path in the repository, and an anchor. */
export function targetOf({ file }: Page, link: string): { readonly path: string; readonly anchor: string } {
  const [path = "", anchor = ""] = link.split("#");
  return { path: path === "" ? file : normalize(join(dirname(file), path)), anchor };
}
