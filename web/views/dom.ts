type Props<E> = { [K in keyof E]?: E[K] } & {
  dataset?: Record<string, string>;
  aria?: Record<string, string>;
};
export type Child = Node | string | undefined | false;

/** Creates an element: properties by their DOM names, `dataset` and `aria` as records, then children. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props<HTMLElementTagNameMap[K]> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  const { dataset, aria, ...plain } = props;
  Object.assign(element, plain);
  Object.assign(element.dataset, dataset);
  for (const [name, value] of Object.entries(aria ?? {})) element.setAttribute(`aria-${name}`, value);
  element.append(...children.filter((child) => child !== undefined && child !== false));
  return element;
}

/** Sets an element's text without touching the page when nothing changed. */
export function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
