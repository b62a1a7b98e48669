import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ChatMessage, ImageFeatures } from '../language-model.ts';
import { loadChatTokenizer } from './chat-tokenizer.ts';
import { flatIds } from './segments.ts';

const fixtures = 'fixtures/reference';
const models = ['tied-bf16', 'untied-f32-sharded', 'odd-f16', 'like-7b'];
const readFixture = <T>(path: string): T => JSON.parse(readFileSync(join(fixtures, path), 'utf8')) as T;

interface StringCase {
  text: string;
  ids: number[];
  decoded: string;
}
interface TemplateCase {
  name: string;
  messages: ChatMessage[];
  addGenerationPrompt: boolean;
  text: string;
}

function image(tokens: number): ImageFeatures {
  return {
    gridHeight: 2,
    gridWidth: 2 * tokens,
    tokens,
    data: new Float32Array(tokens),
    key: `image${tokens}`,
  };
}

describe('tokenizer against transformers', () => {
  const cases = readFixture<{
    length: number;
    eos: number;
    strings: StringCase[];
    decodings: { ids: number[]; decoded: string; again: number[] }[];
  }>('tokenizer/tokenizer.json');

  it('encodes and decodes every text of the fixture alike', async () => {
    const tokenizer = await loadChatTokenizer(join(fixtures, 'models/tied-bf16'));
    expect(tokenizer.vocabSize).toBe(cases.length);
    expect(tokenizer.specials.endOfTurn).toBe(cases.eos);
    for (const { text, ids, decoded } of cases.strings) {
      expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(ids);
      expect(tokenizer.decode(ids), JSON.stringify(text)).toBe(decoded);
    }
  });

  it('decodes broken characters alike, at once and token by token', async () => {
    const tokenizer = await loadChatTokenizer(join(fixtures, 'models/tied-bf16'));
    for (const { ids, decoded, again } of cases.decodings) {
      expect(tokenizer.decode(ids), String(ids)).toBe(decoded);
      expect(tokenizer.encode(decoded), String(ids)).toEqual(again);
      const stream = tokenizer.textStream();
      expect(ids.map((id) => stream.push(id)).join('') + stream.end(), String(ids)).toBe(decoded);
    }
  });

  it('holds back an incomplete character', async () => {
    const tokenizer = await loadChatTokenizer(join(fixtures, 'models/tied-bf16'));
    const ids = tokenizer.encode('µ');
    expect(ids.length).toBe(2);
    const stream = tokenizer.textStream();
    expect(stream.push(ids[0]!)).toBe('');
    expect(stream.push(ids[1]!)).toBe('µ');
    expect(stream.end()).toBe('');
  });

  it('skips ids past the vocabulary, which padded embeddings can produce', async () => {
    const tokenizer = await loadChatTokenizer(join(fixtures, 'models/tied-bf16'));
    expect(tokenizer.decode([...tokenizer.encode('ab'), tokenizer.vocabSize + 5])).toBe('ab');
  });
});

describe('chat template against transformers', () => {
  it.each(models)('renders every conversation alike: %s', async (model) => {
    const tokenizer = await loadChatTokenizer(join(fixtures, 'models', model));
    for (const example of readFixture<TemplateCase[]>(`template/${model}.json`)) {
      if (!example.addGenerationPrompt) continue;
      expect(tokenizer.renderChat(example.messages), example.name).toBe(example.text);
    }
  });
});

describe('segments', () => {
  it('puts images in the places of their pads, in order', async () => {
    const tokenizer = await loadChatTokenizer(join(fixtures, 'models/tied-bf16'));
    const text = tokenizer.renderChat([
      { role: 'user', content: [{ type: 'image' }, { type: 'text', text: 'and' }, { type: 'image' }] },
    ]);
    const images = [image(3), image(5)];
    const segments = tokenizer.toSegments(text, images);
    expect(segments.map((segment) => segment.kind)).toEqual(['tokens', 'image', 'tokens', 'image', 'tokens']);
    const pad = tokenizer.specials.imagePad;
    const expanded = text.split('<|image_pad|>');
    const written =
      expanded[0] + '<|image_pad|>'.repeat(3) + expanded[1] + '<|image_pad|>'.repeat(5) + expanded[2];
    expect(flatIds(segments, pad)).toEqual(tokenizer.encode(written));
  });

  it('refuses a text with more or fewer places than images', async () => {
    const tokenizer = await loadChatTokenizer(join(fixtures, 'models/tied-bf16'));
    expect(() => tokenizer.toSegments('a<|image_pad|>b<|image_pad|>', [image(3)])).toThrow(
      /2 image places for 1/,
    );
    expect(() => tokenizer.toSegments('a', [image(3)])).toThrow(/0 image places for 1/);
  });
});

describe('a folder with something missing', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'readroom-tokenizer-'));
    cpSync(join(fixtures, 'models/tied-bf16'), folder, { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('names a missing file', async () => {
    rmSync(join(folder, 'tokenizer.json'));
    await expect(loadChatTokenizer(folder)).rejects.toMatchObject({
      code: 'checkpoint-missing-file',
      message: expect.stringContaining('tokenizer.json'),
    });
  });

  it('names a missing special token', async () => {
    const file = join(folder, 'tokenizer.json');
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('<|box_start|>', '<|other|>'));
    await expect(loadChatTokenizer(folder)).rejects.toMatchObject({
      code: 'checkpoint-unsupported',
      field: '<|box_start|>',
    });
  });

  it('names a template that does not parse', async () => {
    writeFileSync(join(folder, 'chat_template.json'), JSON.stringify({ chat_template: '{% for %}' }));
    await expect(loadChatTokenizer(folder)).rejects.toMatchObject({
      code: 'checkpoint-malformed',
      file: 'chat_template.json',
    });
  });

  it('falls back to the template of tokenizer_config.json', async () => {
    rmSync(join(folder, 'chat_template.json'));
    const file = join(folder, 'tokenizer_config.json');
    const config = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    writeFileSync(file, JSON.stringify({ ...config, chat_template: "{{ messages[0]['content'] }}!" }));
    const tokenizer = await loadChatTokenizer(folder);
    expect(tokenizer.renderChat([{ role: 'user', content: 'hi' }])).toBe('hi!');
  });
});
