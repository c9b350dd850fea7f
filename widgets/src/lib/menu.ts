// A button with a sheet below it, made of a native <details>: it opens by mouse and by keyboard, and Escape closes it.
import { type Child, h, listen } from "./dom";

export interface Menu {
	el: HTMLDetailsElement;
	summary: HTMLElement;
	close(): void;
}

export function menu(test: string, label: string, title: string, signal: AbortSignal, ...content: Child[]): Menu {
	const summary = h("summary", { class: "ck-button", "data-test": test, title }, label);
	const el = h("details", { class: "ck-menu" }, summary, h("div", { class: "ck-sheet", role: "group", "aria-label": title }, ...content));
	const close = () => {
		if (el.contains(document.activeElement)) summary.focus();
		el.open = false;
	};
	listen(el, "keydown", (event) => event.key === "Escape" && el.open && close(), signal);
	listen(document, "pointerdown", (event) => {
		if (el.open && event.target instanceof Node && !el.contains(event.target)) el.open = false;
	}, signal);
	return { el, summary, close };
}

/** A button with words of its own. */
export function button(text: string, test: string, label = text): HTMLButtonElement {
	return h("button", { type: "button", class: "ck-button", "data-test": test, "aria-label": label, title: label }, text);
}
