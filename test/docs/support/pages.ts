/** The pages of the manual, taken apart: links, anchors, code blocks, tables. */
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import MarkdownIt from "markdown-it";
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

export const page = (file: string): Page => ({ file, text: readFileSync(join(ROOT, file), "utf8") });

export const MANUAL: readonly Page[] = [
  ...["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"],
  ...filesIn(["docs"], ".md"),
].map(page);

export const lines = ({ text }: Page): number => text.trimEnd().split("\n").length;
/** As `wc -w` counts. */
export const words = ({ text }: Page): number => text.split(/\s+/).filter((word) => word !== "").length;

export const blocks = ({ file, text }: Page): Block[] =>
  markdown
    .parse(text, {})
    .filter(({ type }) => type === "fence")
    .map(({ info, content, map }) => ({ file, line: (map?.[0] ?? 0) + 1, language: info, code: content }));

/** The targets of links, without those to other sites. */
export const links = ({ text }: Page): string[] =>
  markdown
    .parse(text, {})
    .flatMap(({ children }) => children ?? [])
    .filter(({ type }) => type === "link_open")
    .map((link) => link.attrGet("href") ?? "")
    .filter((href) => !/^[a-z]+:/.test(href));

/** What stands in code spans, which may name files and commands. */
export const codeSpans = ({ text }: Page): string[] =>
  markdown
    .parse(text, {})
    .flatMap(({ children }) => children ?? [])
    .filter(({ type }) => type === "code_inline")
    .map(({ content }) => content);

/** The anchors that GitHub gives to headings. */
export function anchors({ text }: Page): string[] {
  const tokens = markdown.parse(text, {});
  const titles = tokens.flatMap(({ type }, index) =>
    type === "heading_open" ? [(tokens[index + 1]?.children ?? []).map(({ content }) => content).join("")] : [],
  );
  return titles.map((title) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replace(/\s/g, "-"),
  );
}

/** Where a link of a page leads: a path in the repository, and an anchor. */
export function targetOf({ file }: Page, link: string): { readonly path: string; readonly anchor: string } {
  const [path = "", anchor = ""] = link.split("#");
  return { path: path === "" ? file : normalize(join(dirname(file), path)), anchor };
}
