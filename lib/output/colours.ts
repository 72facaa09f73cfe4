/** Colours are for people at a terminal who want them. */
import { createColors } from "picocolors";

export type Colours = ReturnType<typeof createColors>;

export const NO_COLOURS: Colours = createColors(false);

export function terminalColours(): Colours {
  const { NO_COLOR, TERM } = process.env;
  return createColors(process.stdout.isTTY === true && (NO_COLOR ?? "") === "" && TERM !== "dumb");
}
