/** Markdown as a library renders it, and what is wrong with that. */
import MarkdownIt from "markdown-it";
import { defined } from "../../support/required";

/** With everything on that GitHub has on and that a value could abuse. */
const renderer = new MarkdownIt({ html: true, linkify: true });

/** What stands in a comment besides values: anything else in the output has come out of a value. */
const OWN_TAGS =
  /^<\/?(?:h3|h4|p|strong|code|pre|ul|li|table|thead|tbody|tr|th|td|details|summary)(?: class="language-diff")?>$/;

export const render = (markdown: string): string => renderer.render(markdown);

/** Tags that are not ours, text outside of its table, and rows whose cells are not as many as their heads. */
export function brokenIn(markdown: string): string[] {
  const html = render(markdown);
  const marker = /^<!-- ssh-only-firewall:review(?::[A-Za-z0-9._-]+)? -->\n/.exec(html)?.[0];
  const tags = html.replace(marker ?? "", "").match(/<[^>]*>/g) ?? [];
  const rows = html.match(/<tr>.*?<\/tr>/gs) ?? [];
  return [
    ...(marker === undefined ? ["the marker is not in the first line"] : []),
    ...tags.filter((tag) => !OWN_TAGS.test(tag)).map((tag) => `not our tag: ${tag}`),
    ...rows.filter((row) => (row.match(/<t[hd]>/g) ?? []).length !== 2).map((row) => `not two cells: ${row}`),
    ...((markdown.match(/^\| /gm) ?? []).length - (markdown.match(/^\| ---/gm) ?? []).length === rows.length
      ? []
      : ["a row is not in its table"]),
    ...(html.match(/<details>/g)?.length === html.match(/<\/details>/g)?.length ? [] : ["a fold is not closed"]),
  ];
}

/** The text of every code span and code block, in order. */
export function codeIn(markdown: string): string[] {
  return [...render(markdown).matchAll(/<code[^>]*>(.*?)<\/code>/gs)].map(([, text]) =>
    defined(text)
      .replace(/&lt;/g, "<")
      .replace(/&gt;/g, ">")
      .replace(/&quot;/g, '"')
      .replace(/&amp;/g, "&"),
  );
}
