/** What the model cut out and looked at, as small pictures. */
import { useEffect, useState } from 'react';
import type { RunEventOf } from '../../../src-contract/run-events.ts';
import { CropImages, stripOf } from '../../chat/crop-images.ts';
import { stepColour } from '../../state/run-boxes.ts';

type Images = RunEventOf<'crop'>['images'];

export function Crops({ images, step }: { images: Images; step: number }) {
  const [urls, setUrls] = useState<readonly string[]>([]);
  useEffect(() => {
    const pictures = new CropImages();
    setUrls(stripOf(images).map((image) => pictures.url(image)));
    return () => pictures.release();
  }, [images]);
  const shown = stripOf(images);
  return (
    <div className={`strip step-${stepColour(step)}`}>
      {urls.map((url, n) => (
        <img
          key={url}
          src={url}
          className="crop"
          width={shown[n]?.width}
          height={shown[n]?.height}
          alt={`What the model cut out, step ${step + 1}, its slice ${(shown[n]?.slice ?? 0) + 1}`}
        />
      ))}
      {shown.length < images.length && <span className="strip-note">{images.length} slices</span>}
    </div>
  );
}
