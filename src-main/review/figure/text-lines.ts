/** Breaking text into lines without a layout engine: widths of Arimo (metrically Arial), in 1/1000 of the font size. */

/** The common letters one by one; what is not listed counts as wide as most others, CJK as a full square. */
const narrow = new Map(
  Object.entries({ ' .,:;!|\'’/\\ijlItf[]()-"·': 310, 'mMW@%': 880, 'wABCDEGHKNOPQRSUVXY&–': 700 }).flatMap(
    ([letters, width]) => [...letters].map((letter) => [letter, width] as const),
  ),
);

export function textWidth(text: string, size: number): number {
  let width = 0;
  for (const letter of text) {
    width += narrow.get(letter) ?? ((letter.codePointAt(0) ?? 0) >= 0x1100 ? 1000 : 556);
  }
  return (width * size) / 1000;
}

/** Lines no wider than `width`, broken at blanks, within words where need be; what is over ends in '…'. */
export function breakLines(text: string, size: number, width: number, mostLines: number): string[] {
  // Beyond this no line count could hold it: a question may be a megabyte.
  const whole = text.slice(0, 4_000).replace(/\s+/g, ' ').trim();
  const lines: string[] = [];
  let line = '';
  for (const word of whole.split(' ')) {
    let rest = word;
    if (line !== '' && textWidth(`${line} ${rest}`, size) > width) {
      lines.push(line);
      line = '';
    }
    while (textWidth(rest, size) > width) {
      const cut = longestPrefix(rest, size, width);
      lines.push(rest.slice(0, cut));
      rest = rest.slice(cut);
    }
    line = line === '' ? rest : `${line} ${rest}`;
  }
  if (line !== '') lines.push(line);
  if (lines.length <= mostLines) return lines;
  const last = lines[mostLines - 1];
  return [...lines.slice(0, mostLines - 1), `${last.slice(0, longestPrefix(last, size, width - size))}…`];
}

function longestPrefix(text: string, size: number, width: number): number {
  let end = 0;
  for (const letter of text) {
    if (end > 0 && textWidth(text.slice(0, end + letter.length), size) > width) break;
    end += letter.length;
  }
  return end;
}
