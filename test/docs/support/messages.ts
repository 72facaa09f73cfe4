/** The messages that the command line and the construct can print, found in the source: factories, warnings, texts of errors. */
import * as ts from "typescript";
import { nodesOf, syntaxOf } from "../../support/literals";
import { filesIn } from "../../support/sources";

export interface Message {
  readonly file: string;
  /** `stateProblems.noStack`, or the error that is thrown. */
  readonly name: string;
  /** Its texts, without the values between them. */
  readonly texts: readonly string[];
}

export const commandMessages = (): Message[] =>
  filesIn(["lib", "bin"], ".ts").flatMap((file) => messagesIn(syntaxOf(file)));

function messagesIn(source: ts.SourceFile): Message[] {
  return nodesOf(source).flatMap((node) => {
    const name = factoryName(node) ?? thrownName(node);
    const texts = name === undefined ? [] : textsIn(node);
    return name === undefined || !/[a-z]{2}/.test(texts.join("")) ? [] : [{ file: source.fileName, name, texts }];
  });
}

/** A function in a table that is called messages or problems, or what a warning warns of. */
function factoryName(node: ts.Node): string | undefined {
  if (!ts.isPropertyAssignment(node)) {
    const called = ts.isFunctionDeclaration(node) ? (node.name?.getText() ?? "") : "";
    return called.startsWith("warnings") ? called : undefined;
  }
  const table = ts.findAncestor(node, ts.isVariableDeclaration)?.name.getText() ?? "";
  const name = node.name.getText();
  const isFactory = ts.isArrowFunction(node.initializer) && /(messages|problems)$/i.test(table);
  return isFactory || (table === "WARNINGS" && name === "what") ? `${table}.${name}` : undefined;
}

/** An error that is made with a text of its own. */
function thrownName(node: ts.Node): string | undefined {
  const isMade = ts.isNewExpression(node) && /(Error|Failure)$/.test(node.expression.getText());
  return isMade ? node.expression.getText() : undefined;
}

function textsIn(node: ts.Node): string[] {
  return nodesOf(node).flatMap((one) =>
    ts.isStringLiteralLike(one) || ts.isTemplateHead(one) || ts.isTemplateMiddleOrTemplateTail(one) ? [one.text] : [],
  );
}
