/** Columns with two blanks between, and no lines: they read the same in a mail and are easily cut. */
import stringWidth from "string-width";

export function columns(rows: ReadonlyArray<readonly string[]>): string[] {
  const cells = rows.map((row) => row.map((text) => ({ text, width: stringWidth(text) })));
  const widths: number[] = [];
  cells.forEach((row) => row.forEach(({ width }, at) => (widths[at] = Math.max(widths[at] ?? 0, width))));
  return cells.map((row) =>
    row
      .map(({ text, width }, at) => text + " ".repeat((widths[at] ?? 0) - width))
      .join("  ")
      .trimEnd(),
  );
}
