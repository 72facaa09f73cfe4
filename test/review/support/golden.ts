/** Golden reviews: Markdown that a person can read. UPDATE_GOLDEN=1 writes them anew. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const GOLDEN_REVIEWS = join(__dirname, "../../golden/review");

export function expectGolden(name: string, text: string): void {
  const file = join(GOLDEN_REVIEWS, name);
  if (process.env.UPDATE_GOLDEN === "1") {
    mkdirSync(GOLDEN_REVIEWS, { recursive: true });
    writeFileSync(file, text);
  }
  expect(text).toBe(readFileSync(file, "utf8"));
}
