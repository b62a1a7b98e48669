/** Text in DICOM's character sets (PS3.3 section C.12.1.1.2), through the runtime's own decoders. */

/** Defined terms of (0008,0005) -> encoding labels of the WHATWG Encoding standard. */
const labels: Readonly<Record<string, string>> = {
  '': 'windows-1252',
  'ISO_IR 6': 'windows-1252',
  'ISO_IR 100': 'windows-1252',
  'ISO_IR 101': 'iso-8859-2',
  'ISO_IR 109': 'iso-8859-3',
  'ISO_IR 110': 'iso-8859-4',
  'ISO_IR 144': 'iso-8859-5',
  'ISO_IR 127': 'iso-8859-6',
  'ISO_IR 126': 'iso-8859-7',
  'ISO_IR 138': 'iso-8859-8',
  'ISO_IR 148': 'iso-8859-9',
  'ISO_IR 203': 'iso-8859-15',
  'ISO_IR 166': 'windows-874',
  'ISO_IR 13': 'shift_jis',
  'ISO_IR 192': 'utf-8',
  GB18030: 'gb18030',
  GBK: 'gbk',
  'ISO 2022 IR 13': 'iso-2022-jp',
  'ISO 2022 IR 87': 'iso-2022-jp',
  'ISO 2022 IR 159': 'iso-2022-jp',
  'ISO 2022 IR 149': 'euc-kr',
  'ISO 2022 IR 58': 'gb18030',
};

/** Escape sequences that switch to Korean or Chinese; those of Japanese belong to iso-2022-jp and stay. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what is looked for
const switches = /\x1b(?:\$\)[CA]|\([BJ]|-[A-Z]|\)I)/g;

/** A decoder for the values of one data set; unknown sets fall back to Western European. Never throws. */
export function textDecoder(terms: readonly string[]): (bytes: Uint8Array) => string {
  const known = terms.map((term) => labels[term.replace('ISO 2022 IR ', 'ISO_IR ')] ?? labels[term]);
  const multiByte = terms.map((term) => labels[term]).find((label) => label && /jp|kr|gb/.test(label));
  const label = multiByte ?? known.find((one) => one !== undefined) ?? 'windows-1252';
  const decoder = makeDecoder(label);
  return (bytes) => {
    const text = decoder.decode(bytes);
    return label === 'iso-2022-jp' ? text : text.replace(switches, '');
  };
}

function makeDecoder(label: string): TextDecoder {
  try {
    return new TextDecoder(label);
  } catch {
    // A runtime built with few encodings ('small-icu'): accents may be wrong, nothing else is.
    return new TextDecoder('utf-8');
  }
}
