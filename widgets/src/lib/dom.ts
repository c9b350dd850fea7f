// Makes elements. Data enters a page only here and only as text nodes and attributes, never as HTML.

export type Attributes = Record<string, string | number | boolean | null | undefined>;
export type Child = Node | string;

/** An element with attributes (true = present, false, null or undefined = absent) and children. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
	const element = document.createElement(tag);
	setAttributes(element, attributes);
	element.append(...children);
	return element;
}

/** Sets attributes by the same rule as `h`. What is the same already is left alone, here and below: the page would lay
 * itself out again. */
export function setAttributes(element: Element, attributes: Attributes): void {
	for (const [name, value] of Object.entries(attributes)) {
		const text = value === false || value === null || value === undefined ? null : value === true ? "" : String(value);
		if (text === element.getAttribute(name)) continue;
		if (text === null) element.removeAttribute(name);
		else element.setAttribute(name, text);
	}
}

/** Replaces what an element holds. */
export function setText(element: Element, text: string): void {
	if (element.textContent !== text) element.textContent = text;
}

/** Shows or hides an element. */
export function setShown(element: HTMLElement, shown: boolean): void {
	if (element.hidden === shown) element.hidden = !shown;
}

/** Sets what a control holds. */
export function setValue(control: HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement, value: string): void {
	if (control.value !== value) control.value = value;
}

/** Calls back at every such event, until the signal. */
export function listen<K extends keyof GlobalEventHandlersEventMap>(target: EventTarget, type: K, listener: (event: GlobalEventHandlersEventMap[K]) => unknown, signal: AbortSignal): void {
	target.addEventListener(type, listener as EventListener, { signal });
}

/** Calls back when an element is wider or narrower than it was, until the signal. */
export function watchSize(element: HTMLElement, changed: () => void, signal: AbortSignal): void {
	if (typeof ResizeObserver !== "function") return;
	let width = 0;
	const observer = new ResizeObserver(() => {
		if (Math.abs(element.clientWidth - width) < 1) return;
		width = element.clientWidth;
		changed();
	});
	observer.observe(element);
	signal.addEventListener("abort", () => observer.disconnect());
}

let made = 0;
const ours = Math.random().toString(36).slice(2, 8); // each widget of a page may have a copy of this file

/** An id no other element of the page has. */
export function freshId(name: string): string {
	made += 1;
	return `ctkit-${name}-${ours}-${made}`;
}
