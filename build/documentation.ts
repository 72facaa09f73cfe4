/** What the doc comments of our interfaces say of their properties. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as ts from "typescript";

export interface Documented {
  readonly description?: string;
  readonly default?: unknown;
}

/** By interface and property; also what interfaces and static methods of classes say of themselves, under "". */
export type Documentation = ReadonlyMap<string, ReadonlyMap<string, Documented>>;

export function documentationOf(files: readonly string[]): Documentation {
  const found = new Map<string, Map<string, Documented>>();
  for (const file of files) {
    const path = join(__dirname, "..", file);
    const source = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.ES2022, true);
    source.forEachChild((node) => {
      if (ts.isInterfaceDeclaration(node)) {
        const members = node.members.map((one): [string, Documented] => [one.name?.getText() ?? "", documented(one)]);
        found.set(node.name.text, new Map([...members, ["", documented(node)]]));
      }
    });
  }
  return found;
}

function documented(node: ts.Node): Documented {
  const [comment] = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  if (comment === undefined) {
    return {};
  }
  const description = words(ts.getTextOfJSDocComment(comment.comment));
  const tag = comment.tags?.find(({ tagName }) => tagName.text === "default");
  const text = words(ts.getTextOfJSDocComment(tag?.comment));
  const said = text.replace(/^- /, "");
  const sentence = tag === undefined ? "" : ` Default: ${said}.`;
  return {
    description: `${description}${sentence}`.trim(),
    ...(tag && !text.startsWith("- ") && { default: JSON.parse(text) as unknown }),
  };
}

const words = (text: string | undefined): string => (text ?? "").replaceAll(/\s+/g, " ").trim();
