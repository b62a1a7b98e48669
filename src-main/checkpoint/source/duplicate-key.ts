/**
 * JSON.parse silently keeps the last of two equal keys; in a file from strangers that hides the first one.
 *
 * @param text valid JSON whose top level is an object
 * @returns a key that occurs twice at the top level, or null
 */
export function firstDuplicateKey(text: string): string | null {
  const seen = new Set<string>();
  let depth = 0;
  let expectKey = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '{' || character === '[') {
      depth++;
      expectKey = depth === 1;
    } else if (character === '}' || character === ']') {
      depth--;
    } else if (character === ',' && depth === 1) {
      expectKey = true;
    } else if (character === '"') {
      const end = endOfString(text, at);
      if (depth === 1 && expectKey) {
        const key = JSON.parse(text.slice(at, end + 1)) as string;
        if (seen.has(key)) return key;
        seen.add(key);
        expectKey = false;
      }
      at = end;
    }
  }
  return null;
}

/** Position of the quote that closes the string opened at `open`. */
function endOfString(text: string, open: number): number {
  let at = open + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}
