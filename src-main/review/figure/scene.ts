/** A drawing as a list of shapes, in millimetres from the upper left; SVG, PNG and PDF are made of the same list. */
export interface Stroke {
  readonly colour: string;
  /** Millimetres. */
  readonly width: number;
  /** Lengths of dash and gap. */
  readonly dash?: readonly [number, number];
}

export type Shape =
  | {
      readonly kind: 'rect';
      readonly x: number;
      readonly y: number;
      readonly width: number;
      readonly height: number;
      readonly fill?: string;
      readonly opacity?: number;
      readonly stroke?: Stroke;
    }
  | {
      readonly kind: 'line';
      readonly points: readonly (readonly [number, number])[];
      readonly stroke: Stroke;
    }
  | {
      readonly kind: 'circle';
      readonly x: number;
      readonly y: number;
      readonly radius: number;
      readonly fill: string;
    }
  | {
      readonly kind: 'text';
      /** Baseline at y; x is where `anchor` says. */
      readonly x: number;
      readonly y: number;
      readonly text: string;
      /** Height of the font, millimetres. */
      readonly size: number;
      readonly bold?: boolean;
      readonly fill?: string;
      readonly anchor?: 'start' | 'middle' | 'end';
      /** Turned by 90 degrees against the clock, about (x, y). */
      readonly upwards?: boolean;
    }
  | {
      readonly kind: 'image';
      readonly x: number;
      readonly y: number;
      readonly width: number;
      readonly height: number;
      readonly png: Uint8Array;
    };

export interface Scene {
  readonly width: number;
  readonly height: number;
  readonly title: string;
  /** What the figure says, for those who can't see it. */
  readonly description: string;
  readonly shapes: readonly Shape[];
}

/** Points to millimetres: font sizes are thought of in points. */
export const points = (size: number): number => (size * 25.4) / 72;
