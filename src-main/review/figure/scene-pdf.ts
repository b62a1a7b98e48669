/** A scene as PDF, by pdfkit: vectors stay vectors, text stays text, the font is embedded (as journals ask). */
import PDFDocument from 'pdfkit';
import { missingCase } from '../../../src-contract/errors.ts';
import { fontFile } from '../../storage/locations.ts';
import type { Scene, Shape, Stroke } from './scene.ts';

const pointsPerMillimetre = 72 / 25.4;

export async function sceneToPdf(scene: Scene): Promise<Uint8Array> {
  const { width, height, title, description, shapes } = scene;
  const document = new PDFDocument({
    size: [width * pointsPerMillimetre, height * pointsPerMillimetre],
    margin: 0,
    font: fontFile('regular'),
    info: { Title: title, Subject: description, Creator: 'Readroom' },
    lang: 'en',
    displayTitle: true,
  });
  const chunks: Uint8Array[] = [];
  const written = new Promise<Uint8Array>((resolve, reject) => {
    document.on('data', (chunk: Uint8Array) => chunks.push(chunk));
    document.on('end', () => resolve(Buffer.concat(chunks)));
    document.on('error', reject);
  });
  document.registerFont('regular', fontFile('regular'));
  document.registerFont('bold', fontFile('bold'));
  document.scale(pointsPerMillimetre);
  for (const shape of shapes) draw(document, shape);
  document.end();
  return written;
}

function draw(document: PDFKit.PDFDocument, shape: Shape): void {
  document.save();
  switch (shape.kind) {
    case 'rect': {
      if (shape.fill) {
        document.rect(shape.x, shape.y, shape.width, shape.height);
        document.fillOpacity(shape.opacity ?? 1).fill(shape.fill);
      }
      if (shape.stroke) {
        setStroke(document, shape.stroke);
        document.rect(shape.x, shape.y, shape.width, shape.height).stroke();
      }
      break;
    }
    case 'line': {
      setStroke(document, shape.stroke);
      for (const [index, [x, y]] of shape.points.entries()) {
        if (index === 0) document.moveTo(x, y);
        else document.lineTo(x, y);
      }
      document.stroke();
      break;
    }
    case 'circle':
      document.circle(shape.x, shape.y, shape.radius).fill(shape.fill);
      break;
    case 'text': {
      document.font(shape.bold ? 'bold' : 'regular').fontSize(shape.size);
      document.fillColor(shape.fill ?? '#000000');
      const width = document.widthOfString(shape.text);
      const shift = shape.anchor === 'end' ? width : shape.anchor === 'middle' ? width / 2 : 0;
      if (shape.upwards) document.rotate(-90, { origin: [shape.x, shape.y] });
      document.text(shape.text, shape.x - shift, shape.y, { baseline: 'alphabetic', lineBreak: false });
      break;
    }
    case 'image':
      document.image(Buffer.from(shape.png), shape.x, shape.y, { width: shape.width, height: shape.height });
      break;
    default:
      missingCase(shape);
  }
  document.restore();
}

function setStroke(document: PDFKit.PDFDocument, { colour, width, dash }: Stroke): void {
  document.lineWidth(width).strokeColor(colour).lineJoin('round');
  if (dash) document.dash(dash[0], { space: dash[1] });
}
