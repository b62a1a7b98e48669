/**
 * The parts of Python's text handling that the reference's rules rest on, where JavaScript differs: what counts as
 * white space and as a word, which letters are equal without regard to case, and how `float()` reads a number.
 */

/** str.isspace(): has U+001C-1F and U+0085, and lacks U+FEFF, unlike JavaScript's \s. For use inside a class. */
export const spaceClass =
  '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
/** A character of \w in a str pattern: str.isalnum() or underscore. */
const word = '[\\p{L}\\p{N}_]';
/** \b before, and \b after, a word character. */
export const wordStart = `(?<!${word})`;
export const wordEnd = `(?!${word})`;

/**
 * Letters that re.IGNORECASE takes for each other beyond a-z and A-Z: dotless and dotted i, long s, the Kelvin sign.
 * The rules below match i, s and k only.
 */
const extraCases: Readonly<Record<string, string>> = { i: 'İı', s: 'ſ', k: '\u212a' };

/** A pattern that matches an ASCII word as re.IGNORECASE would. */
export function anyCase(text: string): string {
  return text.replace(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}${extraCases[letter] ?? ''}]`);
}

const edges = new RegExp(`^[${spaceClass}]+|[${spaceClass}]+$`, 'gu');

/** str.strip() */
export function strip(text: string): string {
  return text.replace(edges, '');
}

const digits = '[0-9](?:_?[0-9])*';
const number = new RegExp(`^[+-]?(?:${digits}\\.?(?:${digits})?|\\.${digits})(?:[eE][+-]?${digits})?$`);
const infinity = /^([+-]?)inf(?:inity)?$/i;
const notANumber = /^[+-]?nan$/i;

/** float(text), or null where Python raises ValueError. Infinities and NaN are numbers here as there. */
export function pythonFloat(text: string): number | null {
  const plain = strip(text).replace(/\p{Nd}/gu, decimalDigit);
  if (number.test(plain)) return Number(plain.replaceAll('_', ''));
  const infinite = infinity.exec(plain);
  if (infinite) return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return notANumber.test(plain) ? Number.NaN : null;
}

/** The ASCII digit of a decimal digit of any script: Unicode keeps each script's ten in one run, zero first. */
function decimalDigit(digit: string): string {
  const code = digit.codePointAt(0) as number;
  let start = code;
  while (/\p{Nd}/u.test(String.fromCodePoint(start - 1))) start--;
  return String((code - start) % 10);
}
