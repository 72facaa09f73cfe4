/** Finds the name that a misspelt one probably stands for. */

/** No name that we know, or that a host can have, is longer. */
const LONGEST_NAME = 63;

/** Comparing takes a while. */
const MOST_COMPARED = 10_000;

/** The known word that `word` is probably a misspelling of. */
export function closest(word: string, known: readonly string[]): string | undefined {
  const plain = (text: string): string => text.toLowerCase().replace(/[-_ ]/g, "");
  if (word.length > 2 * LONGEST_NAME) {
    return undefined;
  }
  const meant = plain(word);
  let best: { readonly candidate: string; readonly distance: number } | undefined;
  for (const candidate of known.slice(0, MOST_COMPARED)) {
    const limit = Math.min(Math.max(1, Math.floor(candidate.length / 3)), (best?.distance ?? Infinity) - 1);
    const found = distance(meant, plain(candidate), limit);
    best = found <= limit ? { candidate, distance: found } : best;
  }
  return best?.candidate;
}

/** Levenshtein distance, one row at a time; more than `limit` once it must be. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) {
    return Infinity;
  }
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 0; i < a.length; i++) {
    let left = 0;
    const next = row.map((above, j) => {
      const replaced = (row[j - 1] ?? Infinity) + Number(a[i] !== b[j - 1]);
      left = j === 0 ? i + 1 : Math.min(replaced, above + 1, left + 1);
      return left;
    });
    if (Math.min(...next) > limit) {
      return Infinity;
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
