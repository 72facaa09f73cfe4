/**
 * The pictures of the manual, made with Chromium from golden files: the page of `report`, and a review as the comment that it is on
 * GitHub. `npm run screenshots` writes them.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import MarkdownIt from "markdown-it";

const ROOT = join(__dirname, "..");
const PICTURES = join(ROOT, "docs/pictures");

/** What GitHub makes of a comment, as far as a review needs it. */
const STYLE = `
  body { font: 14px/1.5 "Liberation Sans", sans-serif; color: #1f2328; max-width: 880px; margin: 16px; }
  div { border: 1px solid #d1d9e0; border-radius: 6px; padding: 0 16px 12px; }
  table { border-collapse: collapse; } td, th { border: 1px solid #d1d9e0; padding: 5px 12px; text-align: left; }
  code { background: #eff1f3; border-radius: 6px; padding: 2px 5px; font: 12px "Liberation Mono", monospace; }
  pre { background: #f6f8fa; border-radius: 6px; padding: 12px; overflow: hidden; } pre code { background: none; padding: 0; }
  h3, h4 { margin: 16px 0 8px; } .add { background: #dafbe1; } .del { background: #ffebe9; }`;

function comment(markdown: string): string {
  const renderer = new MarkdownIt({ html: true, highlight: coloured });
  return `<!doctype html><meta charset="utf-8"><style>${STYLE}</style><div>${renderer.render(markdown)}</div>`;
}

function coloured(code: string, language: string): string {
  const line = (text: string): string => {
    const kind = language !== "diff" ? "" : text.startsWith("+") ? "add" : text.startsWith("-") ? "del" : "";
    return `<span class="${kind}">${escape(text)}</span>`;
  };
  return code.split("\n").map(line).join("\n");
}

const escape = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");
const golden = (file: string): string => readFileSync(join(ROOT, "test/golden", file), "utf8");

const PAGES: Readonly<Record<string, { readonly page: () => string; readonly size: string }>> = {
  "report.png": { page: () => golden("report/fleet.html"), size: "1100,760" },
  "review.png": { page: () => comment(golden("review/address-changed.md")), size: "930,640" },
};

function main(): void {
  const folder = mkdtempSync(join(tmpdir(), "screenshots-"));
  mkdirSync(PICTURES, { recursive: true });
  try {
    for (const [name, { page, size }] of Object.entries(PAGES)) {
      const file = join(folder, `${name}.html`);
      writeFileSync(file, page());
      const picture = join(PICTURES, name);
      const args = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        "--disable-background-networking",
      ];
      const own = [`--user-data-dir=${join(folder, "profile")}`, `--window-size=${size}`, `--screenshot=${picture}`];
      execFileSync("chromium", [...args, ...own, pathToFileURL(file).href], { stdio: "ignore", timeout: 120_000 });
      process.stdout.write(`${name}: ${Math.ceil(statSync(picture).size / 1024)} KiB\n`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

main();
