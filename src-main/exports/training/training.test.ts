/** Training formats, read back: Parquet by DuckDB, LLaMA-Factory by its own loader's rules restated. */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { decode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emptyReview } from '../../../src-contract/review.ts';
import { summarizeEvents } from '../../../src-contract/trace.ts';
import type { ExportRun } from '../export-run.ts';
import { exportRuns } from '../export-runs.ts';
import { makeRun, reviewOf } from '../testing/cases.ts';

let folder: string;
let out: string;
let volume: ExportRun;
let picture: ExportRun;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'readroom-training-'));
  out = join(folder, 'out');
  volume = await makeRun('oblique', join(folder, 'volume'));
  picture = await makeRun('picture', join(folder, 'picture'));
  const cut: ExportRun = {
    ...volume,
    runId: 'cut',
    trace: {
      ...volume.trace,
      events: volume.trace.events.map((event) =>
        event.type === 'run-finished' ? { ...event, stopReason: 'token-limit' as const } : event,
      ),
    },
  };
  const unanswered = { ...picture, runId: 'unanswered', trace: { ...picture.trace, expected: null } };
  const result = await exportRuns({
    runs: [volume, { ...volume, runId: 'reviewed', review: reviewOf(volume) }, cut, picture, unanswered],
    total: 5,
    formats: ['unimed-cot', 'llama-factory', 'verl'],
    folder: out,
    identifiers: false,
  });
  expect(result.skipped.map(({ runId, format }) => `${runId} ${format}`)).toEqual([
    'cut unimed-cot',
    'cut llama-factory',
    'unanswered verl',
  ]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function rows(file: string, sql = '*'): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const path = join(out, file).replaceAll("'", "''");
  const read = await connection.runAndReadAll(`SELECT ${sql} FROM read_parquet('${path}')`);
  return read.getRowObjectsJson() as Record<string, unknown>[];
}

interface Message {
  role: string;
  content: string;
}
const placeholders = (messages: readonly Message[]): number =>
  messages.reduce((sum, { content }) => sum + content.split('<image>').length - 1, 0);

describe('UniMed-CoT', () => {
  const part = 'train-00000-of-00001.parquet';

  it('has the columns and types of the release', async () => {
    const describeTable = async (split: string): Promise<string[]> => {
      const instance = await DuckDBInstance.create(':memory:');
      const connection = await instance.connect();
      const path = join(out, 'unimed-cot', split, part);
      const read = await connection.runAndReadAll(`DESCRIBE SELECT * FROM read_parquet('${path}')`);
      return read.getRowsJson().map(([name, type]) => `${name} ${type}`);
    };
    const messages = 'STRUCT("role" VARCHAR, "content" VARCHAR)[]';
    expect(await describeTable('sft')).toEqual([`messages ${messages}`, 'image_ids VARCHAR[]']);
    expect(await describeTable('rl')).toEqual([
      'data_source VARCHAR',
      'agent_name VARCHAR',
      `prompt ${messages}`,
      'image_ids VARCHAR[]',
      'ability VARCHAR',
      'reward_model VARCHAR',
      'extra_info VARCHAR',
    ]);
    expect(await describeTable('images')).toEqual(['image_id VARCHAR', 'path VARCHAR', 'bytes BLOB']);
  });

  it('a run nobody changed is the model’s own words, crops in their places', async () => {
    const [first] = await rows(`unimed-cot/sft/${part}`);
    const messages = first.messages as Message[];
    expect(messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant']);
    expect(messages[1].content.startsWith(`${'<image>'.repeat(32)}Where is the node?`)).toBe(true);
    expect(messages[2].content).toBe(
      `<think>See <|box_start|>[30,40,5,120,150,12]<|box_end|>${'<image>'.repeat(7)}` +
        ` then <|box_start|>[60,70,7,90,100,9]<|box_end|>${'<image>'.repeat(2)}` +
        ` and <|box_start|>[100.6,20,0,180,60.2,4]<|box_end|>${'<image>'.repeat(4)}` +
        ' so a node.</think>\nB. right lung',
    );
    expect(first.image_ids).toHaveLength(32 + 13);
  });

  it('corrections go in, and the provenance says so', async () => {
    const [, reviewed] = await rows(`unimed-cot/sft/${part}`);
    const { content } = (reviewed.messages as Message[])[2];
    // Amended words and a corrected box, then the added one; nothing of the rejected step; the amended answer.
    expect(content).toMatch(
      /^<think>See <\|box_start\|>\[30,40,5,120,150,12\]<\|box_end\|>(<image>){7} A second look shows <\|box_start\|>\[(\d+,){5}\d+\]<\|box_end\|>(<image>)+ missed nodule <\|box_start\|>\[(\d+,){5}\d+\]<\|box_end\|>(<image>)+ so a node\.<\/think>\nA\. left lung$/,
    );
    expect(content).not.toContain('[60,70,7,90,100,9]');
    expect(placeholders(reviewed.messages as Message[])).toBe((reviewed.image_ids as string[]).length);
    const lines = readFileSync(join(out, 'unimed-cot', 'provenance.jsonl'), 'utf8')
      .trim()
      .split('\n');
    const provenance = lines.map((line) => JSON.parse(line));
    expect(provenance).toHaveLength((await rows(`unimed-cot/sft/${part}`)).length);
    expect(provenance[1]).toMatchObject({
      reviewed: true,
      words_amended: true,
      answer_amended: true,
      synthetic: true,
      boxes: [
        { origin: 'model', verdict: 'accepted' },
        { origin: 'corrected' },
        { verdict: 'rejected: nothing there' },
        { origin: 'reader' },
      ],
    });
    expect(provenance[1].reader).not.toContain('Dr.');
  });

  it('the crops of unchanged boxes are those that the model saw', async () => {
    const [first] = await rows(`unimed-cot/sft/${part}`);
    const images = new Map(
      (await rows(`unimed-cot/images/${part}`, 'image_id, to_base64(bytes) AS bytes')).map((row) => [
        row.image_id as string,
        Buffer.from(row.bytes as string, 'base64'),
      ]),
    );
    const crops = (first.image_ids as string[]).slice(32).map((id) => images.get(id)!);
    const recorded = summarizeEvents(volume.trace.events).steps.flatMap(({ crop }) => crop?.images ?? []);
    expect(crops).toHaveLength(recorded.length);
    for (const [n, { sha256 }] of recorded.entries()) {
      const { data } = decode(crops[n]);
      const rgb = Uint8Array.from({ length: data.length * 3 }, (_, at) => data[Math.floor(at / 3)]);
      expect(createHash('sha256').update(rgb).digest('hex')).toBe(sha256);
    }
  });

  it('rewards by the right answer', async () => {
    const rl = await rows(`unimed-cot/rl/${part}`);
    // The volume twice (the case's answer outranks the reader's) and the picture; nobody knows the fourth's.
    expect(rl.map((row) => JSON.parse(row.reward_model as string))).toEqual(
      Array.from({ length: 3 }, () => ({ style: 'rule', ground_truth: 'B' })),
    );
    expect(rl.map((row) => JSON.parse(row.extra_info as string).index)).toEqual([0, 1, 2]);
    for (const row of rl) {
      expect(placeholders(row.prompt as Message[])).toBe((row.image_ids as string[]).length);
      expect((row.prompt as Message[]).map(({ role }) => role)).toEqual(['system', 'user']);
    }
  });
});

it('LLaMA-Factory: its loader’s rules', () => {
  // src/llamafactory/data/parser.py get_dataset_list, converter.py OpenAIDatasetConverter, mm_plugin._validate_messages.
  const base = join(out, 'llama-factory');
  const info = JSON.parse(readFileSync(join(base, 'dataset_info.json'), 'utf8')).readroom;
  expect(info.formatting).toBe('openai');
  const { columns, tags } = info;
  const records = JSON.parse(readFileSync(join(base, info.file_name), 'utf8'));
  expect(records).toHaveLength(4);
  const odd = [tags.user_tag];
  const even = [tags.assistant_tag];
  for (const record of records) {
    let messages = record[columns.messages];
    if (messages[0][tags.role_tag] === tags.system_tag) messages = messages.slice(1);
    expect(messages.length % 2).toBe(0);
    for (const [turn, message] of messages.entries()) {
      expect(turn % 2 === 0 ? odd : even).toContain(message[tags.role_tag]);
    }
    const paths: string[] = record[columns.images];
    expect(placeholders(messages)).toBe(paths.length);
    for (const path of paths) {
      expect(path).toMatch(/^images\/[a-z0-9.-]+\.png$/);
      expect(existsSync(join(base, path))).toBe(true);
    }
  }
  const flat = records[2][columns.messages];
  expect(flat[2].content).toContain('<|box_start|>[5,6,20,30]<|box_end|><image>');
});

it('verl: structs, relative paths, and only runs with a right answer', async () => {
  const train = await rows('verl/train.parquet');
  // The cut run has a right answer and teaches none: reinforcement needs the question only.
  expect(train.map(({ extra_info }) => (extra_info as { run_id: string }).run_id)).toEqual([
    'run-oblique',
    'reviewed',
    'cut',
    'run-picture',
  ]);
  for (const row of train) {
    expect(row).toMatchObject({
      data_source: 'readroom',
      agent_name: 'urm_single_assistant',
      ability: 'medical_vqa',
      reward_model: { style: 'rule', ground_truth: 'B' },
      extra_info: { split: 'train', answer: 'B', synthetic: true },
    });
    const paths = row.images as string[];
    expect(placeholders(row.prompt as Message[])).toBe(paths.length);
    for (const path of paths) expect(existsSync(join(out, 'verl', path))).toBe(true);
  }
});

it('an <image> in somebody’s words is no image', async () => {
  const trace = { ...picture.trace };
  const review = {
    ...emptyReview(picture.runId, 'r'),
    sentences: { 0: 'See <image> and <|box_start|>[1,2]<|box_end|>' },
  };
  const target = join(folder, 'words');
  await exportRuns({
    runs: [{ ...picture, trace, review }],
    total: 1,
    formats: ['llama-factory'],
    folder: target,
    identifiers: false,
  });
  const [record] = JSON.parse(readFileSync(join(target, 'llama-factory', 'readroom.json'), 'utf8'));
  expect(placeholders(record.messages)).toBe(record.images.length);
  expect(record.messages[2].content).toContain(
    '<think>See < image > and <|box_start|>[5,6,20,30]<|box_end|><image>',
  );
});
