/** The few things that are done to a page. Text goes in as text: nothing here reads HTML. */

/** A class of elements, to ask for one of them. */
type Class<E extends Element> = abstract new () => E;

/** The element with an id. The pages are ours: that one is missing is a mistake in them, and the unit tests find it. */
export function byId<E extends HTMLElement>(id: string, type: Class<E>): E {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`the page has no ${type.name} #${id}`);
  return element;
}

export function setText(id: string, text: string): void {
  const element = byId(id, HTMLElement);
  // Left alone if it is the same, so that a screen reader does not read it again.
  if (element.textContent !== text) element.textContent = text;
}

export function show(id: string, shown: boolean): void {
  const element = byId(id, HTMLElement);
  if (element.hidden === shown) element.hidden = !shown;
}

/** Sets `data-NAME` of an element, or takes it away: what styles and tests go by. */
export function mark(id: string, name: string, value: string | null): void {
  const element = byId(id, HTMLElement);
  if (value === null) element.removeAttribute(`data-${name}`);
  else element.setAttribute(`data-${name}`, value);
}

/** A new element with a class and a text. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  text = "",
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className !== "") element.className = className;
  if (text !== "") element.textContent = text;
  return element;
}

/** Puts the caret where the user goes on, with what is there selected. */
export function focusOn(id: string): void {
  const element = byId(id, HTMLElement);
  element.focus();
  if (element instanceof HTMLInputElement) element.select();
}
