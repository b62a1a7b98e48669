/** `agree`, `compare`, `figure`, `evaluate` and `ablate` of the built command line. `npm test` builds out/ first. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { comparisonSchema, consistencySchema } from '../../src-contract/comparison.ts';
import { agreementSchema, type Reader } from '../../src-contract/project.ts';
import { decisions } from '../../src-contract/review.ts';
import { parseTrace, serializeTrace } from '../../src-contract/trace.ts';
import { makeTrace } from '../review/testing/make-trace.ts';
import { fixtureTable } from '../slices/test-fixtures.ts';
import { Project } from '../storage/project/project.ts';
import { makeTrace as makeProjectTrace } from '../storage/project/testing/make-trace.ts';

const root = resolve(import.meta.dirname, '../..');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'readroom-cli-measure-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function readroom(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const options = {
    cwd: folder,
    env: { ...process.env, READROOM_CACHE: join(folder, 'cache') },
    maxBuffer: 64e6,
  };
  return new Promise((done) => {
    const entry = join(root, 'out', 'main', 'cli.js');
    execFile(process.execPath, [entry, ...args], options, (error, stdout, stderr) =>
      done({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr }),
    );
  });
}

describe('compare', () => {
  const box = '<|box_start|>[14,14,1,42,42,3]<|box_end|>';
  const write = async (name: string, script: string[]) => {
    const file = join(folder, name);
    writeFileSync(file, serializeTrace(await makeTrace({ script, expected: 'A' })));
    return file;
  };

  it('shows words, boxes, rewards and differences', async () => {
    const a = await write('a.json', [`In the left lung ${box}`, 'A. left<|im_end|>']);
    const b = await write('b.json', [`In the right lung ${box}`, 'B. right<|im_end|>']);
    const json = await readroom('compare', a, b, '--json');
    const comparison = comparisonSchema.parse(JSON.parse(json.stdout));
    expect(comparison.steps[0].iou).toBe(1);
    expect([comparison.a.answerReward, comparison.b.answerReward]).toEqual([1, 0]);
    const text = await readroom('compare', a, b);
    expect(text.code).toBe(0);
    expect(text.stdout).toContain('In the [-left-]{+right+} lung');
    expect(text.stdout).toContain('IoU 1.000, centres 0.0 mm apart');
    expect(text.stdout).toMatch(/reward +1\.00 +0\.20/);
  });

  it('names the file that is no trace, or is not there', async () => {
    const bad = join(folder, 'bad.json');
    writeFileSync(bad, '{"format":"else"}');
    for (const [file, word] of [
      [bad, 'not a Readroom trace'],
      [join(folder, 'missing.json'), 'missing.json'],
    ]) {
      const { code, stderr } = await readroom('compare', file, file);
      expect(code).toBe(3);
      expect(stderr).toContain(word);
    }
  });
});

describe('agree', () => {
  it('prints the kappa that scikit-learn computes', async () => {
    const row = fixtureTable<{ name: string; a: number[]; b: number[]; kappa: number }>(
      'agreement/cohen.json',
    ).find(({ name }) => name === 'even')!;
    const file = join(folder, 'study.readroom');
    const readers: Reader[] = ['Ann', 'Ben'].map((name) => ({ readerId: name, name, role: 'reader' }));
    let project = await Project.create(file, 'Study', readers[0]);
    row.a.forEach((_, run) => {
      project.addRun(makeProjectTrace({ runId: `r${run}`, pixels: `p${run}`, steps: 1 }));
    });
    for (const [index, reader] of readers.entries()) {
      project.close();
      project = Project.open(file, { reader, trusted: true });
      const given = index === 0 ? row.a : row.b;
      for (const [run, category] of given.entries()) {
        const of = { runId: `r${run}`, readerId: reader.readerId, before: null };
        project.edit([
          {
            kind: 'verdict',
            ...of,
            step: 0,
            after: { decision: decisions[category], reasons: [], comment: '' },
          },
          { kind: 'reading', ...of, after: { status: 'done', activeMs: 0, revealed: false } },
        ]);
      }
    }
    project.close();
    const json = await readroom('agree', file, '--json');
    const { disagreements, ...agreement } = JSON.parse(json.stdout);
    expect(agreementSchema.parse(agreement).pairs[0].cohen.value).toBeCloseTo(row.kappa, 12);
    expect(disagreements).toHaveLength(row.a.filter((value, index) => value !== row.b[index]).length);
    const text = await readroom('agree', file);
    expect(text.code).toBe(0);
    expect(text.stdout).toContain(`Ann – Ben     40`);
    expect(text.stdout).toContain(row.kappa.toFixed(3));
    expect(text.stdout).toContain('Disagreements, worst first');
  });

  it('refuses what is no project', async () => {
    const file = join(folder, 'no.readroom');
    writeFileSync(file, 'text');
    expect((await readroom('agree', file)).code).toBe(3);
  });
});

describe('figure', () => {
  it('makes the bundled case’s figure by one command, and goes on from kept traces', async () => {
    const [svg, png, pdf] = ['f.svg', 'f.png', 'f.pdf'].map((name) => join(folder, name));
    const traces = join(folder, 'traces');
    const command = ['figure', '--sample', '--every', '8', '--dpi', '100', '--traces', traces, '--json'];
    const first = await readroom(...command, '--out', svg, png, pdf);
    expect(first.stderr).toContain('Asking about slice');
    expect(first.code).toBe(0);
    const { points, meanIou } = consistencySchema.parse(JSON.parse(first.stdout));
    expect(points.length).toBeGreaterThan(1);
    expect(meanIou).toBeGreaterThan(0.5);
    const text = readFileSync(svg, 'utf8');
    for (const expected of ['SYNTHETIC', 'Not for clinical use', 'mm</text>', 'IoU'])
      expect(text).toContain(expected);
    expect(readFileSync(png).toString('latin1', 1, 4)).toBe('PNG');
    expect(readFileSync(pdf).toString('latin1', 0, 5)).toBe('%PDF-');
    const names = readdirSync(traces);
    expect(names).toHaveLength(points.length + 1);
    for (const name of names) parseTrace(readFileSync(join(traces, name), 'utf8'));

    // One trace is gone: only that run is carried out again.
    rmSync(join(traces, names[0]));
    for (const name of names.slice(1)) utimesSync(join(traces, name), 1, 1);
    const second = await readroom(...command, '--out', svg);
    expect(JSON.parse(second.stdout).points.map(({ iou }: { iou: number }) => iou)).toEqual(
      points.map(({ iou }) => iou),
    );
    const written = readdirSync(traces).filter((name) => statSync(join(traces, name)).mtimeMs > 10_000);
    expect(written).toEqual([names[0]]);
  });

  it('says what is missing before it runs', async () => {
    for (const [args, word] of [
      [['figure', '--out', 'f.svg'], '--sample'],
      [['figure', 'x.mha', '--out', 'f.svg'], '--question'],
      [['figure', '--sample', '--out', 'f.gif'], '.svg, .png or .pdf'],
    ] as const) {
      const { code, stderr } = await readroom(...args);
      expect(code).toBe(3);
      expect(stderr).toContain(word);
    }
  });
});

describe('evaluate and ablate', () => {
  const fixtures = join(root, 'fixtures', 'reference');
  interface ReferenceRun {
    name: string;
    source: string;
    volume: boolean;
    question: string;
    choices: Record<string, string>;
    prediction: string | null;
    error?: string;
  }

  it('runs a table with each preset, evaluates, and does not run finished ones again', async () => {
    const runs: ReferenceRun[] = JSON.parse(readFileSync(join(fixtures, 'runs', 'memo.json'), 'utf8'));
    const chosen = runs.filter(
      ({ volume, error, name, prediction }) =>
        !volume && !error && prediction && !name.includes('/') && !name.startsWith('forced'),
    );
    const input = join(folder, 'cases.jsonl');
    const rows = chosen.slice(0, 6).map(({ question, source, choices, prediction }) => ({
      question,
      image_path: source,
      answer: prediction,
      ...Object.fromEntries(Object.entries(choices).map(([letter, each]) => [`option_${letter}`, each])),
    }));
    writeFileSync(input, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const out = join(folder, 'ablation');
    const command = [
      ...['ablate', '--model-path', join(fixtures, 'models', 'memo'), '--input', input],
      ...['--image-root', fixtures, '--out', out, '--presets', 'grounded,text-only', '--json'],
    ];
    const first = await readroom(...command);
    expect(first.stderr).toContain('Preset text-only');
    const { batches, differences } = JSON.parse(first.stdout);
    expect(batches.map(({ name }: { name: string }) => name)).toEqual(['grounded', 'text-only']);
    expect(batches[0].scores[0]).toMatchObject({ kind: 'all', count: 6, failed: 0 });
    expect(batches[0].scores[0].answers.inference.value).toBe(1);
    expect(differences[0].name).toBe('text-only');
    const traces = readdirSync(join(out, 'grounded'));
    expect(traces).toHaveLength(6);
    const trace = parseTrace(readFileSync(join(out, 'grounded', traces[0]), 'utf8'));
    expect(trace.expected).toBe(rows[0].answer);

    const again = await readroom(...command);
    expect(again.stderr).not.toContain('Preset');
    expect(again.stdout).toBe(first.stdout);
    const other = await readroom(...command, '--seed', '3');
    expect(other.code).toBe(3);
    expect(other.stderr).toContain('another ablation');

    const text = await readroom(
      'evaluate',
      `a=${join(out, 'grounded.json')}`,
      `b=${join(out, 'grounded.json')}`,
    );
    expect(text.code).toBe(0);
    expect(text.stdout).toMatch(/^a +6 +0 +1\.000 \[0\.610, 1\.000\]/m);
    expect(text.stdout).toContain('Against a, case by case');
    const twice = await readroom('evaluate', join(out, 'grounded.json'), join(out, 'grounded.json'));
    expect(twice.code).toBe(3);
  });

  it('says which table is missing', async () => {
    const { code, stderr } = await readroom('ablate', '--out', join(folder, 'x'));
    expect(code).toBe(3);
    expect(stderr).toContain('--input-csv');
  });
});
