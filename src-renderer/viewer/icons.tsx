/** The toolbar's drawings: 16 x 16, one stroke, taking the text's colour. */
import type { ReactElement } from 'react';

const paths = {
  window: 'M8 2a6 6 0 1 0 0 12zM8 2a6 6 0 0 1 0 12',
  pan: 'M8 1.5v13M1.5 8h13M6 3.5l2-2 2 2M6 12.5l2 2 2-2M3.5 6l-2 2 2 2M12.5 6l2 2-2 2',
  zoom: 'M6.8 2a4.8 4.8 0 1 0 0 9.6 4.8 4.8 0 0 0 0-9.6zM10.3 10.3L14 14M4.8 6.8h4M6.8 4.8v4',
  scroll: 'M3 5h10M3 8h10M3 11h10M8 1l-2 2M8 1l2 2M8 15l-2-2M8 15l2-2',
  crosshair: 'M8 1v5M8 10v5M1 8h5M10 8h5',
  length: 'M2 11L11 2l3 3-9 9zM5 8l1.5 1.5M7.5 5.5L9 7',
  rectangle: 'M2.5 4h11v8h-11z',
  one: 'M2 3h12v10H2z',
  two: 'M2 3h12v10H2zM8 3v10',
  four: 'M2 3h12v10H2zM8 3v10M2 8h12',
  planes: 'M2 3h12v10H2zM9 3v10M9 8h5',
  invert: 'M2.5 2.5h11v11h-11zM2.5 13.5l11-11M9 11h3',
  rotate: 'M13 8a5 5 0 1 1-1.6-3.7M12 1.5v3H9',
  flipHorizontal: 'M8 1.5v13M6 4L2 12h4zM10 4l4 8h-4z',
  flipVertical: 'M1.5 8h13M4 6l8-4v4zM4 10l8 4v-4z',
  reset: 'M3 8a5 5 0 1 0 1.6-3.7M4 1.5v3h3',
  play: 'M5 3l8 5-8 5z',
  pause: 'M5 3v10M11 3v10',
  sync: 'M4 2v9M2 9l2 2 2-2M12 14V5M10 7l2-2 2 2',
  lines: 'M2 12L14 4M2 3h12v10H2z',
  boxes: 'M2 5h7v7H2zM7 5V3h7v7H9',
  solid: 'M2.5 3.5h11v9h-11zM5 12L12 4M2.5 10L9 3.5M8 12.5l5.5-6',
  model: 'M2 2h5v5H2zM9 2h5v5H9zM2 9h5v5H2zM9 9h5v5H9z',
  auto: 'M4 13L8 3l4 10M5.5 9.5h5',
  file: 'M4 1.5h5l3 3v10H4zM9 1.5v3h3',
  folder: 'M1.5 4h5l1.5 2h6.5v7h-13z',
  sample: 'M8 2l1.7 4 4.3.3-3.3 2.8 1 4.2L8 11l-3.7 2.3 1-4.2L2 6.3 6.3 6z',
  close: 'M4 4l8 8M12 4l-8 8',
  tags: 'M2 3h12M2 6.5h12M2 10h8M2 13.5h6',
  eye: 'M1.5 8s2.5-4.5 6.5-4.5S14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8zM8 6.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6z',
} as const;
export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }): ReactElement {
  return (
    <svg className="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}
