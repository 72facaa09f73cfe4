/** Removes the comments and blank lines from POSIX sh and awk, and changes nothing else. */

/**
 * Where the lexer is: in commands (the text, or a command substitution that ends with its own bracket), in double quotes, in
 * `${…}`, or in `$((…))`.
 */
interface Frame {
  readonly kind: "commands" | "quotes" | "parameter" | "arithmetic";
  /** Brackets that are open. */
  depth: number;
  /** `case` without its `esac`: the brackets behind patterns close nothing. */
  cases: number;
}

/** Throws where it does not know what a character means: a wrong guess could take code for a comment. */
export function stripShell(text: string): string {
  return new ShellStripper(text).strip();
}

/** Whole lines only. A line of awk that begins with # is a comment, because neither strings nor patterns have line breaks. */
export function stripAwk(text: string): string {
  return text.replace(/^[ \t]*(#.*)?\n/gm, "");
}

class ShellStripper {
  private at = 0;
  private readonly lines: string[] = [];
  /** From the last line break that is not within quotes. */
  private line = "";
  private wordStart = true;
  private readonly frames: Frame[] = [{ kind: "commands", depth: 0, cases: 0 }];
  private readonly heredocs: { readonly end: string; readonly tabs: boolean }[] = [];

  public constructor(private readonly text: string) {}

  public strip(): string {
    while (this.at < this.text.length) {
      this.step(this.frames[this.frames.length - 1] as Frame);
    }
    if (this.frames.length > 1 || this.heredocs.length > 0) {
      throw this.error("what was opened is never closed");
    }
    return this.lines.join("") + this.line;
  }

  private step(frame: Frame): void {
    const rest = this.text.slice(this.at, this.at + 3);
    if (rest.startsWith("`")) {
      throw this.error("backquotes are not supported; use $(…)");
    }
    if (rest.startsWith("\\")) {
      this.take(2);
      // A continued line is one with the next.
      this.wordStart &&= rest.startsWith("\\\n");
    } else if (rest === "$((") {
      this.open("arithmetic", 3);
    } else if (rest.startsWith("$(")) {
      this.open("commands", 2);
    } else if (rest.startsWith("${")) {
      this.open("parameter", 2);
    } else if (rest.startsWith('"')) {
      this.quote(frame);
    } else if (frame.kind === "quotes") {
      this.take(this.next(/[^"\\$`]+|[^]/y).length);
    } else if (rest.startsWith("'")) {
      this.literal();
    } else if (frame.kind === "parameter") {
      this.parameter();
    } else if (frame.kind === "arithmetic") {
      this.arithmetic(frame);
    } else {
      this.command(frame);
    }
  }

  private command(frame: Frame): void {
    const char = this.text[this.at];
    if (char === "\n") {
      this.endLine();
    } else if (char === "#" && this.wordStart) {
      this.skipComment();
    } else if (this.text.startsWith("<<", this.at)) {
      this.beginHeredoc();
    } else if (char === "(") {
      this.bracket(frame, 1);
    } else if (char === ")" && frame.depth > 0) {
      this.bracket(frame, -1);
    } else if (char === ")" && frame.cases === 0) {
      this.close(1);
    } else {
      this.word(frame);
    }
  }

  /** A word of letters, by which `case` and `esac` are known; or one other character. */
  private word(frame: Frame): void {
    const word = this.next(/[\w/.=-]+|[^]/y);
    if (this.wordStart && (word === "case" || word === "esac")) {
      frame.cases += word === "case" ? 1 : -1;
    }
    this.take(word.length);
    this.wordStart = /[\s;&|()<>]$/.test(word);
  }

  private parameter(): void {
    if (this.text[this.at] === "}") {
      this.close(1);
    } else {
      this.take(1);
    }
  }

  private bracket(frame: Frame, by: 1 | -1): void {
    frame.depth += by;
    this.take(1);
    this.wordStart = true;
  }

  private arithmetic(frame: Frame): void {
    if (frame.depth === 0 && this.text.startsWith("))", this.at)) {
      this.close(2);
      return;
    }
    frame.depth += { "(": 1, ")": -1 }[this.text[this.at] as string] ?? 0;
    this.take(1);
  }

  private quote(frame: Frame): void {
    if (frame.kind === "quotes") {
      this.close(1);
    } else {
      this.open("quotes", 1);
    }
  }

  /** Text in single quotes. Within double quotes, shells differ in what such quotes mean. */
  private literal(): void {
    if (this.frames.at(-1)?.kind !== "commands" && this.frames.at(-2)?.kind === "quotes") {
      throw this.error("single quotes within ${…} within double quotes are not supported");
    }
    const end = this.text.indexOf("'", this.at + 1);
    if (end < 0) {
      throw this.error("a single quote is never closed");
    }
    this.take(end + 1 - this.at);
    this.wordStart = false;
  }

  private open(kind: Frame["kind"], length: number): void {
    this.take(length);
    this.frames.push({ kind, depth: 0, cases: 0 });
    this.wordStart = kind === "commands";
  }

  private close(length: number): void {
    if (this.frames.length === 1) {
      throw this.error("a bracket is closed that was never opened");
    }
    this.take(length);
    this.frames.pop();
    this.wordStart = false;
  }

  private skipComment(): void {
    this.line = this.line.replace(/[ \t]+$/, "");
    const end = this.text.indexOf("\n", this.at);
    this.at = end < 0 ? this.text.length : end;
  }

  private endLine(): void {
    if (this.line.trim() === "") {
      this.at += 1;
    } else {
      this.take(1);
      this.copyHeredocs();
      this.lines.push(this.line);
    }
    this.line = "";
    this.wordStart = true;
  }

  private beginHeredoc(): void {
    const match = /^<<(-?)[ \t]*(?:'(\w+)'|"(\w+)"|(\w+))/.exec(this.text.slice(this.at, this.at + 80));
    if (match === null) {
      throw this.error("the end of this here-document is not a plain word");
    }
    this.heredocs.push({ end: (match[2] ?? match[3] ?? match[4]) as string, tabs: match[1] === "-" });
    this.take(match[0].length);
    this.wordStart = false;
  }

  private copyHeredocs(): void {
    for (const { end, tabs } of this.heredocs.splice(0)) {
      let line: string | undefined;
      while (line !== end) {
        const length = this.text.indexOf("\n", this.at) + 1 - this.at;
        if (length <= 0) {
          throw this.error(`the here-document has no line ${end}`);
        }
        line = this.text.slice(this.at, this.at + length - 1).replace(tabs ? /^\t+/ : "", "");
        this.take(length);
      }
    }
  }

  private next(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    return pattern.exec(this.text)?.[0] ?? "";
  }

  private take(length: number): void {
    this.line += this.text.slice(this.at, this.at + length);
    this.at += length;
  }

  private error(problem: string): Error {
    return new Error(`line ${this.text.slice(0, this.at).split("\n").length}: ${problem}`);
  }
}
