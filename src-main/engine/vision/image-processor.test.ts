import { describe, expect, it } from 'vitest';
import {
  fixtureImage,
  fixtureTable,
  fixtureTensors,
  fixtureUrl,
  sha256,
  toRgb,
} from '../../slices/test-fixtures.ts';
import { QwenImageProcessor } from './image-processor.ts';
import { parseImageProcessorConfig } from './image-processor-config.ts';
import { referenceSmartResize, roundHalfEven, smartResize } from './smart-resize.ts';

interface ProcessorRow {
  backend: 'pil' | 'torchvision';
  image: string;
  min: number;
  max: number;
  grid: [number, number, number];
  resizedSha256: string;
  valuesSha256: string;
}

const typeOf = { pil: 'Qwen2VLImageProcessor', torchvision: 'Qwen2VLImageProcessorFast' };

function processorFor(backend: 'pil' | 'torchvision', min: number, max: number): QwenImageProcessor {
  const json = { image_processor_type: typeOf[backend], min_pixels: min, max_pixels: max };
  return new QwenImageProcessor(parseImageProcessorConfig(json, 'preprocessor_config.json'));
}

describe('pixels of the image processor equal transformers', () => {
  const rows = fixtureTable<ProcessorRow>('processor/processor.json');

  it.each(['pil', 'torchvision'] as const)('%s, every image and every bounds', (backend) => {
    const own = rows.filter((row) => row.backend === backend);
    expect(own.length).toBeGreaterThan(30);
    for (const row of own) {
      const name = `${row.image} ${row.min}..${row.max}`;
      const processor = processorFor(backend, row.min, row.max);
      const image = fixtureImage(row.image);
      const resized = processor.processedImage(image);
      expect([1, resized.height / 14, resized.width / 14], name).toEqual(row.grid);
      expect(sha256(toRgb(resized).data), name).toBe(row.resizedSha256);
      expect(sha256(processor.toPixelValues([image])), name).toBe(row.valuesSha256);
      expect(sha256(processor.toPixelValues([toRgb(image)])), name).toBe(row.valuesSha256);
    }
  });

  it.each(['pil', 'torchvision'] as const)('%s: pixel_values of a whole image, one by one', (backend) => {
    const wanted = fixtureTensors('processor/processor.safetensors').get(
      `${backend}.square56.784.7056.pixel_values`,
    )!;
    const values = processorFor(backend, 784, 7056).toPixelValues([fixtureImage('square56')]);
    expect(values).toEqual(new Float32Array(wanted.bytes.buffer));
  });

  it('puts several images one after the other', () => {
    const processor = processorFor('pil', 784, 7056);
    const [a, b] = [fixtureImage('wide'), fixtureImage('tall')];
    const both = processor.toPixelValues([a, b]);
    const first = processor.toPixelValues([a]);
    expect(both.subarray(0, first.length)).toEqual(first);
    expect(both.subarray(first.length)).toEqual(processor.toPixelValues([b]));
  });
});

describe('target sizes', () => {
  it('equal the processor and the reference, errors included', () => {
    interface SizeRow {
      height: number;
      width: number;
      min: number;
      max: number;
      reference: [number, number];
      processor: [number, number] | string;
    }
    for (const row of fixtureTable<SizeRow>('pil/sizes.json')) {
      const bounds = { minPixels: row.min, maxPixels: row.max };
      const reference = referenceSmartResize(row.width, row.height, 28, bounds);
      expect([reference.height, reference.width], JSON.stringify(row)).toEqual(row.reference);
      if (typeof row.processor === 'string') {
        const message = row.processor.slice('error: '.length);
        expect(() => smartResize(row.width, row.height, 28, bounds)).toThrow(
          expect.objectContaining({ code: 'input-invalid', detail: `ValueError('${message}')` }),
        );
      } else {
        const own = smartResize(row.width, row.height, 28, bounds);
        expect([own.height, own.width], JSON.stringify(row)).toEqual(row.processor);
      }
    }
  });

  it('round halves to even', () => {
    expect([0.5, 1.5, 2.5, 3.5, 2.4999, 2.5001].map(roundHalfEven)).toEqual([0, 2, 2, 4, 2, 3]);
  });

  it('a 256 x 256 slice becomes 252 x 252', () => {
    expect(processorFor('pil', 3136, 12845056).processedSize(256, 256)).toEqual({ width: 252, height: 252 });
  });
});

describe('preprocessor_config.json', () => {
  const parse = (json: object, nested = false) => parseImageProcessorConfig(json, 'f.json', nested);
  const type = 'Qwen2VLImageProcessor';

  it('reads the fixtures of four checkpoints', async () => {
    for (const name of ['tied-bf16', 'like-7b', 'odd-f16', 'untied-f32-sharded']) {
      const processor = await QwenImageProcessor.load(fixtureUrl(`models/${name}`).pathname);
      expect(processor.patchLength).toBe(1176);
      expect(processor.factor).toBe(28);
    }
  });

  it('takes old keys over new ones, and defaults where there are none', () => {
    const size = { shortest_edge: 1000, longest_edge: 2000 };
    expect(parse({ image_processor_type: type, size })).toMatchObject({ minPixels: 1000, maxPixels: 2000 });
    expect(parse({ image_processor_type: type, size, max_pixels: 5000 })).toMatchObject({
      minPixels: 1000,
      maxPixels: 5000,
    });
    expect(parse({ image_processor_type: type })).toMatchObject({ minPixels: 3136, maxPixels: 1003520 });
  });

  it('knows whose arithmetic a name means', () => {
    expect(parse({ image_processor_type: type }).backend).toBe('pil');
    expect(parse({ image_processor_type: `${type}Fast` }).backend).toBe('torchvision');
    expect(parse({ image_processor_type: `${type}Pil` }).backend).toBe('pil');
    const five = new QwenImageProcessor(parse({ image_processor_type: type }, true));
    expect(five.type).toBe('Qwen2VLImageProcessor (torchvision)');
  });

  it('names the field that it cannot use', () => {
    expect(() => parse({ image_processor_type: 'CLIPImageProcessor' })).toThrow(
      expect.objectContaining({ code: 'checkpoint-unsupported', field: 'image_processor_type' }),
    );
    expect(() => parse({ image_processor_type: type, resample: 1 })).toThrow(
      expect.objectContaining({ field: 'resample' }),
    );
    expect(() => parse({ image_processor_type: type, do_resize: false })).toThrow(
      expect.objectContaining({ field: 'do_resize' }),
    );
    expect(() => parse({ image_processor_type: type, image_mean: [1, 2] })).toThrow(
      expect.objectContaining({ code: 'checkpoint-malformed', field: expect.stringContaining('image_mean') }),
    );
    expect(() => parse({})).toThrow(expect.objectContaining({ field: 'image_processor_type' }));
  });

  it('says so when there is no file', async () => {
    await expect(QwenImageProcessor.load('/nowhere')).rejects.toMatchObject({
      code: 'checkpoint-missing-file',
    });
  });
});
