import { expect, it } from 'vitest';
import { pythonJsonIndented, pythonJsonLine } from './python-json.ts';

it('separates as json.dumps does', () => {
  // python3 -c 'import json; print(json.dumps({"a":[1,2.5,None,True],"ü":{"x":"\n\""},"e":[]}, ensure_ascii=False))'
  expect(pythonJsonLine({ a: [1, 2.5, null, true], ü: { x: '\n"' }, e: [] })).toBe(
    '{"a": [1, 2.5, null, true], "ü": {"x": "\\n\\""}, "e": []}',
  );
});

it('indents by two and ends with a newline', () => {
  expect(pythonJsonIndented([{ a: 1 }])).toBe('[\n  {\n    "a": 1\n  }\n]\n');
});
