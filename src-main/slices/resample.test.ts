import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../engine/decode/random.ts';
import type { ImagePixels } from '../engine/language-model.ts';
import { pilResize } from './pil-resample.ts';
import { fixtureTable, fixtureTensors, tensorImage } from './test-fixtures.ts';
import { torchResize } from './torch-resample.ts';

interface ResizeRow {
  name: string;
  out: [number, number];
}

describe('pilResize', () => {
  const tensors = fixtureTensors('pil/resize.safetensors');

  it.each(['bilinear', 'bicubic'] as const)('equals Pillow, %s, bit for bit', (filter) => {
    const rows = fixtureTable<ResizeRow>('pil/resize.json');
    expect(rows.length).toBeGreaterThan(40);
    for (const { name, out } of rows) {
      const image = tensorImage(tensors.get(`${name}.in`)!);
      const wanted = tensorImage(tensors.get(`${name}.${filter}`)!);
      expect(pilResize(image, out[1], out[0], filter), name).toEqual(wanted);
    }
  });

  it('returns the image itself when nothing changes', () => {
    const image = tensorImage(tensors.get('00.L.in')!);
    expect(pilResize(image, image.width, image.height, 'bicubic')).toBe(image);
  });

  it('refuses sizes that are none', () => {
    const image = tensorImage(tensors.get('00.L.in')!);
    expect(() => pilResize(image, 0, 3, 'bicubic')).toThrow(RangeError);
    expect(() => pilResize(image, 2.5, 3, 'bicubic')).toThrow(RangeError);
  });

  it('is quick: a 32-slice volume to 252 and to 112', () => {
    const slice: ImagePixels = { width: 256, height: 256, channels: 1, data: noise(256 * 256) };
    const run = (side: number) => {
      for (let k = 0; k < 32; k++) pilResize(slice, side, side, 'bicubic');
    };
    run(252);
    const start = performance.now();
    run(252);
    run(112);
    // 60 ms on a quiet core; the bound leaves room for a busy machine.
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

function noise(length: number): Uint8Array {
  const random = seededRandom(length);
  return Uint8Array.from({ length }, () => Math.floor(random() * 256));
}

describe('torchResize', () => {
  // Digests made with torch 2.11 and torchvision 0.26: transforms.v2.functional.resize(antialias=True) of
  // arange(h*w) ** 2 % 65521 * 7919 % 65521 % 256 as uint8 [1, 1, h, w]; whole images are in
  // fixtures/reference/processor.
  it.each(torchCases())('equals torchvision: $filter $from -> $to', ({ filter, from, to, digest }) => {
    const [height, width] = from;
    const data = Uint8Array.from(
      { length: height * width },
      (_, i) => ((((i * i) % 65521) * 7919) % 65521) % 256,
    );
    const out = torchResize({ width, height, channels: 1, data }, to[1], to[0], filter);
    expect(createHash('sha256').update(out.data).digest('hex')).toBe(digest);
  });
});

interface TorchCase {
  filter: 'bilinear' | 'bicubic';
  from: [number, number];
  to: [number, number];
  digest: string;
}

function torchCases(): TorchCase[] {
  return [
    {
      filter: 'bilinear',
      from: [16, 16],
      to: [28, 28],
      digest: 'd9e1e1a4bdf8147b8100f85e30f810cd67a1f4b5a65235100a8283de0d9a257e',
    },
    {
      filter: 'bicubic',
      from: [16, 16],
      to: [28, 28],
      digest: '3986368a6c9e63853c4d647fd1cf812d7d256c2c1e87eedd3683679329cbe987',
    },
    {
      filter: 'bilinear',
      from: [1, 17],
      to: [4, 5],
      digest: '0a060db25b70abe4f2690ac5a7a661dae7900ad38096c98f1f7025ad7d8334e9',
    },
    {
      filter: 'bicubic',
      from: [1, 17],
      to: [4, 5],
      digest: '086043cf6d6f69043f4b4aeac3fe49733990dba84c079df1f6b6491bb0d90db7',
    },
    {
      filter: 'bilinear',
      from: [256, 256],
      to: [252, 252],
      digest: '078bdb4cfac13b1962dcec8ca78f54e9d9489e73ccfd91a842189f68a12af72f',
    },
    {
      filter: 'bicubic',
      from: [256, 256],
      to: [252, 252],
      digest: 'fc91918d38022665799bb70014c4d222bc7c7b3400ec14256eca3c126574e644',
    },
    {
      filter: 'bilinear',
      from: [256, 256],
      to: [112, 112],
      digest: '20be310e556bc5b2bf3df454cfa65dd6ba28cdb2a23d92e7beee7317722eb73a',
    },
    {
      filter: 'bicubic',
      from: [256, 256],
      to: [112, 112],
      digest: 'c15fcf924aa0b47d69f948b7c5ab264dd292b14136ce064d880ed57a26186f29',
    },
    {
      filter: 'bilinear',
      from: [100, 80],
      to: [7, 5],
      digest: '70a200ffd39a2eafe41a22f802b4fba1da05eb14da18619311c847e1e926a314',
    },
    {
      filter: 'bicubic',
      from: [100, 80],
      to: [7, 5],
      digest: 'ba81a73497251415ffa2187814911f382641fce3b5627b3683343426bf9e49a1',
    },
    {
      filter: 'bilinear',
      from: [50, 50],
      to: [50, 28],
      digest: '3f502bb6dab007b38c3d3ce7627112601ce531c04d9f7369cb066adeaf138a68',
    },
    {
      filter: 'bicubic',
      from: [50, 50],
      to: [50, 28],
      digest: '0b0fdca115ca101479d54c2ed4932f2c21258fcac13c0bc8751063415f6aeaa2',
    },
    {
      filter: 'bilinear',
      from: [37, 53],
      to: [37, 54],
      digest: '0b349effbd4bf974c8c03b1983f2370d712cc59610e9a878e28e575b7f9b01a2',
    },
    {
      filter: 'bicubic',
      from: [37, 53],
      to: [37, 54],
      digest: '18d45b07b9e3356c7a7401ab049e151f1621d8101a728a08ac18b1aab8e98666',
    },
    {
      filter: 'bilinear',
      from: [4, 5],
      to: [56, 84],
      digest: '061a566f4dda6948d8066f7b72a1e056ae5628a8547a70b28bbe72c4f3f5323d',
    },
    {
      filter: 'bicubic',
      from: [4, 5],
      to: [56, 84],
      digest: '5fb0bc69bd634357badfd7e64c0b7bb0b30886198f1ad2f48b16f543363f7960',
    },
    {
      filter: 'bilinear',
      from: [640, 480],
      to: [252, 336],
      digest: '8f77aa69583f025e8783608cae35ba02530aee2863b9bcc24f002294e20c6b2c',
    },
    {
      filter: 'bicubic',
      from: [640, 480],
      to: [252, 336],
      digest: 'cff1780a2ebaa0372690480b5b20c528e5b57dcffd3e9afd4fe1b1b8643092cf',
    },
  ];
}
