/**
 * The built command line, as a person runs it, against what the reference's own script printed (fixtures/reference).
 * `npm test` builds out/ first.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runEventSchema } from '../../src-contract/run-events.ts';
import { parseTrace, summarizeEvents } from '../../src-contract/trace.ts';

interface ReferenceRun {
  name: string;
  source: string;
  volume: boolean;
  question: string;
  choices: Record<string, string>;
  bounds: string;
  maxNewTokens: number;
  maxRounds: number;
  tokensPerRound: number;
  targetSize?: number[];
  stopReason: string;
  response: string;
  prediction: string | null;
  error?: string;
}

const root = resolve(import.meta.dirname, '../..');
const fixtures = join(root, 'fixtures', 'reference');
const model = join(fixtures, 'models', 'memo');
const runs: ReferenceRun[] = JSON.parse(readFileSync(join(fixtures, 'runs', 'memo.json'), 'utf8'));
const named = (name: string) => runs.find((run) => run.name === name) as ReferenceRun;
const choiceFlags = ({ choices }: ReferenceRun) =>
  Object.entries(choices).flatMap(([letter, text]) => [`--option-${letter.toLowerCase()}`, text]);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'readroom-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function readroom(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((done) => {
    const options = {
      cwd: folder,
      env: { ...process.env, READROOM_CACHE: join(folder, 'cache') },
      maxBuffer: 64e6,
    };
    execFile(
      process.execPath,
      [join(root, 'out', 'main', 'cli.js'), ...args],
      options,
      (error, stdout, stderr) => done({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr }),
    );
  });
}

describe('2d and 3d', () => {
  it('prints and writes what the reference does for one image', async () => {
    const run = named('three-boxes');
    const image = join(fixtures, run.source);
    const output = join(folder, 'two.json');
    const trace = join(folder, 'two-trace.json');
    const result = await readroom(
      ...['2d', '--model-path', model, '--image', image, '--question', run.question, ...choiceFlags(run)],
      ...['--output', output, '--trace', trace],
    );
    expect(result.stderr).toContain('memo');
    expect(result.code).toBe(0);
    expect(result.stdout).toBe(`${run.response}\n`);
    expect(readFileSync(output, 'utf8')).toBe(
      `${JSON.stringify({ image, question: run.question, response: run.response, prediction: run.prediction }, null, 2)}\n`,
    );
    const { steps } = summarizeEvents(parseTrace(readFileSync(trace, 'utf8')).events);
    expect(steps).toHaveLength(3);
    expect(steps.every(({ crop }) => crop?.images.length === 1)).toBe(true);
  });

  it('streams every event of a volume as JSON lines', async () => {
    const run = named('cuboid');
    const result = await readroom(
      ...['3d', '--model-path', model, '--volume', join(fixtures, run.source), '--question', run.question],
      ...[...choiceFlags(run), '--events', '--quiet'],
    );
    const events = result.stdout
      .trim()
      .split('\n')
      .map((line) => runEventSchema.parse(JSON.parse(line)));
    expect(events[0].type).toBe('run-started');
    const last = events[events.length - 1];
    expect(last.type === 'run-finished' && last.response).toBe(run.response);
  });
});

describe('batches', () => {
  const usual = runs.filter(
    (run) => run.bounds === 'processor' && !run.name.includes('/') && !run.name.startsWith('forced'),
  );

  it('2d-batch gives the reference’s answers, and continues after it was cut', async () => {
    const chosen = usual.filter((run) => !run.volume && run.tokensPerRound === 256);
    expect(chosen.length).toBeGreaterThan(10);
    const input = join(folder, 'examples.jsonl');
    const record = (run: ReferenceRun) => ({
      question: run.question,
      image_path: run.source,
      ...Object.fromEntries(Object.entries(run.choices).map(([letter, text]) => [`option_${letter}`, text])),
    });
    writeFileSync(input, chosen.map((run) => `${JSON.stringify(record(run))}\n`).join(''));
    const output = join(folder, 'answers.json');
    const command = [
      '2d-batch',
      '--model-path',
      model,
      '--input',
      input,
      '--image-root',
      fixtures,
      '--output',
      output,
    ];
    const whole = await readroom(...command);
    expect(whole.code).toBe(0);
    // Kept where the reference failed too, to try those again.
    expect(existsSync(`${output}.partial`)).toBe(chosen.some((run) => run.error !== undefined));
    const answers: { response: string; prediction: string | null; error: string }[] = JSON.parse(
      readFileSync(output, 'utf8'),
    );
    chosen.forEach((run, index) => {
      expect([run.name, answers[index].response]).toEqual([run.name, run.response]);
      expect(answers[index].prediction).toBe(run.prediction);
      expect(answers[index].error === '').toBe(run.error === undefined);
    });
  });

  it('3d-batch writes JSON lines with Python’s separators', async () => {
    const run = named('cuboid');
    const input = join(folder, 'm3d.csv');
    const choices = ['A', 'B', 'C', 'D'].map((letter) => run.choices[letter] ?? '');
    const header = 'Image Path,Question,Choice A,Choice B,Choice C,Choice D';
    writeFileSync(
      input,
      `${header}\n${run.source},${run.question},${choices.join(',')}\nmissing.npy,What?,a,b,c,d\n`,
    );
    const output = join(folder, 'm3d.jsonl');
    const command = [
      '3d-batch',
      '--model-path',
      model,
      '--input-csv',
      input,
      '--data-root',
      fixtures,
      '--output',
      output,
    ];
    const result = await readroom(...command);
    expect(result.code).toBe(0);
    expect(result.stderr).toContain('[3d-batch] 1/2 done');
    expect(result.stderr).toMatch(/\[3d-batch\] 2\/2 failed: .*missing\.npy/);
    expect(result.stderr).toContain('1 of 2 failed');
    const lines = readFileSync(output, 'utf8').trim().split('\n');
    expect(
      lines[0].startsWith(`{"Image Path": "${run.source}", "Question": "${run.question}", "Choice A": `),
    ).toBe(true);
    expect(JSON.parse(lines[0])).toMatchObject({
      response: run.response,
      prediction: run.prediction,
      error: '',
    });
    expect(JSON.parse(lines[1])).toMatchObject({ response: '', prediction: null });
    expect(JSON.parse(lines[1]).error).toContain('missing.npy');
  });
});

describe('ask', () => {
  it('places boxes of any study in voxels and millimetres', async () => {
    const study = join(root, 'resources', 'samples', 'thorax-ct-synthetic-lesion.mha');
    const run = named('cuboid');
    const command = ['ask', study, '--model-path', model, '--question', run.question, ...choiceFlags(run)];
    const { code, stdout, stderr } = await readroom(...command, '--json');
    expect(stderr).toContain('synthetic');
    expect(code).toBe(0);
    const result = JSON.parse(stdout);
    expect(result.synthetic).toBe(true);
    expect(result.notice).toBe('Research use only. Not for clinical use.');
    const read = await readroom(...command);
    for (const _box of result.boxes)
      expect(read.stdout).toMatch(/▸ box \d+ · slices \d+–\d+ · voxels i .* mm/);
  });
});

describe('errors', () => {
  it.each([
    ['usage', ['2d', '--image', 'x.png'], 2, "required option '--question <text>'"],
    ['usage', ['2d', '--image', 'x.png', '--question', 'q', '--top-p', '0'], 2, "got '0'"],
    ['input', ['2d', '--model-path', model, '--image', 'none.png', '--question', 'q'], 3, 'none.png'],
    [
      'model',
      ['2d', '--model-path', 'nowhere', '--image', join(fixtures, 'images/large.png'), '--question', 'q'],
      4,
      'nowhere',
    ],
  ])('%s errors have their exit code and name the thing', async (_kind, args, code, text) => {
    const result = await readroom(...args);
    expect(result.code).toBe(code);
    expect(result.stderr).toContain(text);
  });

  it('inspect reports a bad file and exits with 0', async () => {
    writeFileSync(join(folder, 'broken.png'), Buffer.from('89504e470d0a1a0a0000', 'hex'));
    const result = await readroom('inspect', 'broken.png', join(fixtures, 'images/large.png'), '--json');
    expect(result.code).toBe(0);
    const [bad, good] = JSON.parse(result.stdout);
    expect(bad).toMatchObject({ file: 'broken.png', ok: false });
    expect(bad.error.remedy).toBeTruthy();
    expect(good).toMatchObject({ ok: true, format: 'png', frames: 1 });
  });
});
