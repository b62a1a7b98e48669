/** Small helpers for elements drawn over the pixels. Attributes are written only when they change. */
const namespace = 'http://www.w3.org/2000/svg';

export function svgElement<T extends keyof SVGElementTagNameMap>(
  name: T,
  className: string,
  parent: Element,
): SVGElementTagNameMap[T] {
  const element = document.createElementNS(namespace, name);
  element.setAttribute('class', className);
  parent.append(element);
  return element;
}

/** What was written last, by element: reading it back from the DOM costs more than remembering. */
const written = new WeakMap<Element, Map<string, string | number>>();

export function setAttributes(element: Element, attributes: Record<string, string | number>): void {
  let known = written.get(element);
  if (!known) {
    known = new Map();
    written.set(element, known);
  }
  for (const name in attributes) {
    const value = attributes[name];
    if (known.get(name) === value) continue;
    known.set(name, value);
    element.setAttribute(name, String(value));
  }
}

/** Takes an attribute away that setAttributes wrote. */
export function removeAttribute(element: Element, name: string): void {
  written.get(element)?.delete(name);
  element.removeAttribute(name);
}

const hidden = new WeakSet<SVGElement>();

export function setVisible(element: SVGElement, visible: boolean): void {
  if (hidden.has(element) !== visible) return;
  if (visible) hidden.delete(element);
  else hidden.add(element);
  element.style.display = visible ? '' : 'none';
}

export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Hundredths of a pixel are enough, and keep attributes short. */
export const round = (value: number): number => Math.round(value * 100) / 100;
