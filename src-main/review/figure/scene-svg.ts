/** A scene as SVG 1.1: self-contained, text stays text. */
import { missingCase } from '../../../src-contract/errors.ts';
import type { Scene, Shape, Stroke } from './scene.ts';

/** Arimo has the widths of Arial and Helvetica: where it is missing the layout stays. */
export const fontFamily = "Arimo, 'Liberation Sans', Arial, Helvetica, sans-serif";

export function sceneToSvg({ width, height, title, description, shapes }: Scene): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${number(width)}mm" height="${number(height)}mm" viewBox="0 0 ${number(width)} ${number(height)}" role="img" font-family="${fontFamily}">`,
    `<title>${xmlText(title)}</title>`,
    `<desc>${xmlText(description)}</desc>`,
    `<rect width="${number(width)}" height="${number(height)}" fill="#ffffff"/>`,
    ...shapes.map(shapeToSvg),
    '</svg>',
    '',
  ].join('\n');
}

function shapeToSvg(shape: Shape): string {
  switch (shape.kind) {
    case 'rect':
      return `<rect${attributes({ x: shape.x, y: shape.y, width: shape.width, height: shape.height, fill: shape.fill ?? 'none', 'fill-opacity': shape.opacity, ...strokeOf(shape.stroke) })}/>`;
    case 'line':
      return `<polyline${attributes({ points: shape.points.map(([x, y]) => `${number(x)},${number(y)}`).join(' '), fill: 'none', 'stroke-linejoin': 'round', ...strokeOf(shape.stroke) })}/>`;
    case 'circle':
      return `<circle${attributes({ cx: shape.x, cy: shape.y, r: shape.radius, fill: shape.fill })}/>`;
    case 'text':
      return `<text${attributes({ x: shape.x, y: shape.y, 'font-size': shape.size, 'font-weight': shape.bold ? 'bold' : undefined, fill: shape.fill ?? '#000000', 'text-anchor': shape.anchor === 'start' ? undefined : shape.anchor, transform: shape.upwards ? `rotate(-90 ${number(shape.x)} ${number(shape.y)})` : undefined })}>${xmlText(shape.text)}</text>`;
    case 'image':
      return `<image${attributes({ x: shape.x, y: shape.y, width: shape.width, height: shape.height, preserveAspectRatio: 'none', 'xlink:href': `data:image/png;base64,${Buffer.from(shape.png).toString('base64')}` })}/>`;
    default:
      return missingCase(shape);
  }
}

const strokeOf = (stroke: Stroke | undefined) =>
  stroke && {
    stroke: stroke.colour,
    'stroke-width': stroke.width,
    'stroke-dasharray': stroke.dash?.map(number).join(' '),
  };

function attributes(values: Record<string, string | number | undefined>): string {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(
      ([name, value]) => ` ${name}="${typeof value === 'number' ? number(value) : xmlText(String(value))}"`,
    )
    .join('');
}

/** A micrometre is as fine as any printer. */
const number = (value: number): string => String(Math.round(value * 1000) / 1000);

/** Text of studies and models may hold anything; XML 1.0 can't. */
function xmlText(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;');
}
