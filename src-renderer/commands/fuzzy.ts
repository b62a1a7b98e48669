/** Finds commands by the letters a person types: in order, not necessarily next to each other. */

/**
 * How well `query` fits `text`; null where it doesn't. Beginnings of words and unbroken runs count most, so that 'ft'
 * finds 'Fit to window' before 'Shift'.
 */
export function fuzzyScore(query: string, text: string): number | null {
  const wanted = query.toLowerCase().replace(/\s+/g, '');
  if (wanted === '') return 0;
  const plain = text.toLowerCase();
  const direct = plain.indexOf(query.trim().toLowerCase());
  if (direct >= 0) {
    const early = direct / 10 + plain.length / 100;
    return (isWordStart(plain, direct) ? 1000 : 6 * wanted.length) - early;
  }
  return scatteredScore(wanted, plain);
}

function scatteredScore(wanted: string, plain: string): number | null {
  let score = 0;
  let at = -1;
  for (const letter of wanted) {
    const next = bestNext(plain, letter, at + 1);
    if (next < 0) return null;
    if (next === at + 1) score += 5;
    if (isWordStart(plain, next)) score += 8;
    score -= (next - at) * 0.1;
    at = next;
  }
  return score;
}

/** The next beginning of a word with that letter, else its next occurrence. */
function bestNext(plain: string, letter: string, from: number): number {
  const next = plain.indexOf(letter, from);
  if (next < 0 || next === from) return next;
  for (let at = next; at >= 0; at = plain.indexOf(letter, at + 1)) if (isWordStart(plain, at)) return at;
  return next;
}

function isWordStart(text: string, at: number): boolean {
  return at === 0 || /[^\p{L}\p{N}]/u.test(text[at - 1]);
}

/** Those that fit, the best first; equal ones in their own order. */
export function fuzzyFilter<T>(query: string, items: readonly T[], textOf: (item: T) => string): T[] {
  return items
    .flatMap((item) => {
      const score = fuzzyScore(query, textOf(item));
      return score === null ? [] : [{ item, score }];
    })
    .sort((a, b) => b.score - a.score)
    .map(({ item }) => item);
}
