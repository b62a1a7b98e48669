import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { decode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gradient } from '../../engine/grounding/test-request.ts';
import { consistencyOf, sliceRunsOf } from '../compare/consistency.ts';
import { makeTrace, placedAffine, sliceChain, volumeChain } from '../testing/make-trace.ts';
import { type FigureContent, figureScene, figureSlices, middleSlice } from './figure.ts';
import { figureSuffix } from './figure-suffix.ts';
import { edgeLetters, pixelSize } from './orientation-letters.ts';
import type { Scene, Shape } from './scene.ts';
import { sceneToPdf } from './scene-pdf.ts';
import { sceneToPng } from './scene-png.ts';
import { sceneToSvg } from './scene-svg.ts';
import { cuboidColour, regionAround, twoDColour } from './slice-panel.ts';
import { breakLines, textWidth } from './text-lines.ts';
import { writeFigure } from './write-figure.ts';

const end = 'A. left<|im_end|>';
const box = (...numbers: number[]) => `<|box_start|>[${numbers.join(',')}]<|box_end|>`;

/** A cuboid on source slices 5 to 14, and 2D runs on some of them. */
async function content(
  slices: number[],
  slice: number,
  affine: number[] | null = placedAffine,
  title = 'Case',
) {
  const volume = {
    runId: 'v',
    trace: await makeTrace({ chain: volumeChain(affine), script: [box(14, 14, 1, 42, 42, 3), end] }),
  };
  const runs = await Promise.all(
    slices.map(async (each) => ({
      runId: `s${each}`,
      trace: await makeTrace({
        chain: sliceChain(each, affine),
        script: each === 6 ? [end] : [box(14, 14, 28, 42), end],
      }),
    })),
  );
  const consistency = consistencyOf(volume, runs);
  const pictures = new Map(
    Array.from({ length: 20 }, (_, each) => [
      each,
      { ...gradient(50, 50), data: new Uint8Array(2500).fill(90) },
    ]),
  );
  return {
    title,
    volume,
    sliceRuns: sliceRunsOf(volume, runs),
    consistency,
    slice,
    pictures,
  } satisfies FigureContent;
}

const textsOf = ({ shapes }: Scene) => shapes.flatMap((shape) => (shape.kind === 'text' ? [shape.text] : []));
const strokesOf = ({ shapes }: Scene, colour: string) =>
  shapes.filter(
    (shape): shape is Extract<Shape, { kind: 'rect' }> =>
      shape.kind === 'rect' && shape.stroke?.colour === colour,
  );

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'readroom-figure-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the figure', () => {
  it('shows both boxes with their IoU, scale, letters, legend and notice', async () => {
    const scene = figureScene(await content([5, 6, 7, 8], 7));
    const texts = textsOf(scene);
    for (const expected of [
      'IoU 0.50',
      '20 mm',
      'L',
      'R',
      'A',
      'P',
      'slice 8 of 20',
      'slice 7 · no 2D box',
    ]) {
      expect(texts).toContain(expected);
    }
    expect(texts.join(' ')).toContain('Not for clinical use');
    expect(texts.join(' ')).toContain('2D prediction on the slice');
    expect(texts.join(' ')).toContain('2D asked on 4, a box on 3');
    expect(texts.join(' ')).not.toContain('SYNTHETIC');
    // One large picture and four small ones; slice 6 has no box of its own.
    expect(scene.shapes.filter(({ kind }) => kind === 'image')).toHaveLength(5);
    expect(strokesOf(scene, cuboidColour)).toHaveLength(5);
    expect(strokesOf(scene, twoDColour)).toHaveLength(4);
  });

  it('says that a case is synthetic', async () => {
    const one = await content([7], 7);
    const synthetic = { runId: 'v', trace: { ...one.volume.trace, synthetic: true } };
    expect(textsOf(figureScene({ ...one, volume: synthetic })).join(' ')).toContain('SYNTHETIC');
  });

  it('has no letters and no scale where the file has no position', async () => {
    const texts = textsOf(figureScene(await content([5, 7], 7, null)));
    expect(texts.some((text) => text.endsWith(' mm'))).toBe(false);
    expect(texts).not.toContain('L');
  });

  it('shows a slice that was not asked, and one outside of the cuboid', async () => {
    const unasked = figureScene(await content([], 9));
    expect(textsOf(unasked).join(' ')).toContain('not asked on this slice');
    expect(strokesOf(unasked, cuboidColour)).toHaveLength(1);
    expect(strokesOf(unasked, twoDColour)).toHaveLength(0);
    const outside = figureScene(await content([7], 2));
    expect(strokesOf(outside, cuboidColour)).toHaveLength(0);
  });

  it('spreads nine small pictures over the curve, ends included', async () => {
    const { consistency, volume } = await content([5, 7, 8, 9, 10, 11, 12, 13, 14], 9);
    const many = {
      ...consistency,
      points: Array.from({ length: 40 }, (_, slice) => ({ ...consistency.points[0], slice })),
    };
    const { small } = figureSlices(many, 3);
    expect([small.length, small[0], small.at(-1)]).toEqual([9, 0, 39]);
    expect(middleSlice(consistency, volume)).toBe(10);
    expect(middleSlice({ ...consistency, points: [] }, volume)).toBe(10);
    expect(figureSlices({ ...consistency, points: [] }, 3)).toEqual({ large: 3, small: [] });
  });

  it.each([
    ['stored as looked at', placedAffine],
    ['stored to the right and to the front', [-2, 0, 0, 40, 0, -2, 0, 50, 0, 0, 3, 100]],
  ])('draws a box where its pixels are, to half a source pixel of the PNG: %s', async (_name, affine) => {
    const scene = figureScene(await content([7], 7, affine));
    const dotsPerInch = 200;
    const png = decode(await sceneToPng(scene, dotsPerInch));
    expect(png.width).toBe(Math.round((180 / 25.4) * dotsPerInch));
    const [picture] = scene.shapes.filter((shape) => shape.kind === 'image');
    const perMillimetre = png.width / scene.width;
    const isColour = (x: number, y: number, colour: string) => {
      const at = (Math.round(y) * png.width + Math.round(x)) * png.channels;
      const wanted = [1, 3, 5].map((start) => Number.parseInt(colour.slice(start, start + 2), 16));
      return wanted.every((value, channel) => Math.abs(png.data[at + channel] - value) < 40);
    };
    // Processor pixels 14 to 28 of 56 are source columns 12.5 to 25 of 50 (edges), rows 12.5 to 37.5.
    const y = (picture.y + (25 / 50) * picture.height) * perMillimetre;
    const edges: number[] = [];
    for (let x = Math.ceil(picture.x * perMillimetre); x < (picture.x + picture.width) * perMillimetre; x++)
      if (isColour(x, y, twoDColour))
        edges.push(((x + 0.5) / perMillimetre - picture.x) / (picture.width / 50));
    expect(Math.abs(edges[0] - 12.5)).toBeLessThan(0.5);
    expect(Math.abs(edges[edges.length - 1] - 25)).toBeLessThan(0.5);
  });
});

describe('files of the figure', () => {
  it('are there whole, by their suffix, with the resolution in the PNG', async () => {
    const scene = figureScene(await content([5, 7, 9], 7));
    for (const name of ['a.svg', 'a.PNG', 'a.pdf']) await writeFigure(scene, join(folder, name), 100);
    expect((await readdir(folder)).sort()).toEqual(['a.PNG', 'a.pdf', 'a.svg']);
    const svg = await readFile(join(folder, 'a.svg'), 'utf8');
    expect(svg).toContain('width="180mm"');
    expect(svg).not.toMatch(/(href|src)="http/);
    const png = await readFile(join(folder, 'a.PNG'));
    expect(png.toString('latin1', 37, 41)).toBe('pHYs');
    expect(png.readUInt32BE(41)).toBe(Math.round(100 / 0.0254));
    const pdf = (await readFile(join(folder, 'a.pdf'))).toString('latin1');
    expect(pdf.startsWith('%PDF-')).toBe(true);
    // Embedded, as journals ask.
    expect(pdf.match(/\/FontFile2/g)).toHaveLength(2);
    expect(pdf.trimEnd().endsWith('%%EOF')).toBe(true);
  });

  it('are refused before the work where the suffix is no figure’s', () => {
    expect(() => figureSuffix('figure.gif')).toThrow('.gif');
    expect(figureSuffix('Figure.SVG')).toBe('.svg');
  });

  it('survive any title and question', async () => {
    const plain = await content([7], 7);
    const texts = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.constantFrom(
        '<script>alert(1)</script>',
        '&amp;"\'>',
        '\u0000\ud800]]>',
        '肺に結節 '.repeat(80),
        'x'.repeat(5_000),
      ),
    );
    await fc.assert(
      fc.asyncProperty(texts, texts, async (title, question) => {
        const volume = { runId: 'v', trace: { ...plain.volume.trace, question } };
        const scene = figureScene({ ...plain, title, volume });
        const svg = sceneToSvg(scene);
        expect(svg).not.toContain('<script');
        // resvg refuses what is not well-formed XML.
        expect((await sceneToPng(scene, 20)).length).toBeGreaterThan(1_000);
        expect((await sceneToPdf(scene)).length).toBeGreaterThan(1_000);
      }),
      { numRuns: 12 },
    );
  });
});

describe('orientation', () => {
  it('is that of the stored slice', () => {
    expect(edgeLetters(placedAffine)).toEqual({ left: 'R', right: 'L', top: 'A', bottom: 'P' });
    // A sagittal series: columns to the back, rows to the feet.
    const sagittal = [0, 0, 1, 0, 1, 0, 0, 0, 0, -1, 0, 0];
    expect(edgeLetters(sagittal)).toEqual({ left: 'A', right: 'P', top: 'S', bottom: 'I' });
    const turned = [Math.cos(0.5), 0, 0, 0, Math.sin(0.5), 1, 0, 0, 0, 0, 1, 0];
    expect(edgeLetters(turned)?.right).toBe('LP');
    expect(edgeLetters(null)).toBeNull();
    expect(pixelSize([0, 0, 1, 0, 0.5, 0, 0, 0, 0, -2, 0, 0])).toEqual([0.5, 2]);
  });
});

describe('text', () => {
  it('is broken into lines that fit, and nothing is lost but at the end', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 400 }), fc.integer({ min: 20, max: 200 }), (text, width) => {
        const lines = breakLines(text, 3, width, 1_000);
        for (const line of lines) expect(textWidth(line, 3)).toBeLessThanOrEqual(width);
        expect(lines.join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''));
      }),
    );
    const cut = breakLines('word '.repeat(200), 3, 60, 2);
    expect(cut).toHaveLength(2);
    expect(cut[1].endsWith('…')).toBe(true);
    expect(textWidth(cut[1], 3)).toBeLessThanOrEqual(60);
  });
});

describe('regionAround', () => {
  it('holds the boxes and lies in the picture', () => {
    const edge = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        fc.tuple(edge, edge, edge, edge),
        fc.integer({ min: 4, max: 600 }),
        fc.integer({ min: 4, max: 600 }),
        ([a, b, c, d], width, height) => {
          const [x1, x2] = [Math.min(a, b) * width - 0.5, Math.max(a, b) * width - 0.5 + 0.01];
          const [y1, y2] = [Math.min(c, d) * height - 0.5, Math.max(c, d) * height - 0.5 + 0.01];
          const picture = { width, height, channels: 1 as const, data: new Uint8Array() };
          const region = regionAround([{ min: [x1, y1, 0], max: [x2, y2, 1] }], picture);
          expect(region.x).toBeGreaterThanOrEqual(0);
          expect(region.x + region.width).toBeLessThanOrEqual(width);
          expect(region.y + region.height).toBeLessThanOrEqual(height);
          expect(region.x - 0.5).toBeLessThanOrEqual(x1 + 1);
          expect(region.x + region.width - 0.5).toBeGreaterThanOrEqual(x2 - 1);
          expect(region.y + region.height - 0.5).toBeGreaterThanOrEqual(y2 - 1);
        },
      ),
    );
  });
});
