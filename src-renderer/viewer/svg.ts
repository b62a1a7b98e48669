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

export function setAttributes(element: Element, attributes: Record<string, string | number>): void {
  for (const [name, value] of Object.entries(attributes)) {
    const text = String(value);
    if (element.getAttribute(name) !== text) element.setAttribute(name, text);
  }
}

export function setVisible(element: SVGElement, visible: boolean): void {
  const display = visible ? '' : 'none';
  if (element.style.display !== display) element.style.display = display;
}

export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Hundredths of a pixel are enough, and keep attributes short. */
export const round = (value: number): number => Math.round(value * 100) / 100;
