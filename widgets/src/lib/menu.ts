// A button with a sheet below it, made of a native <details>: it opens by mouse and by keyboard, and Escape closes it.
import { type Child, h, listen } from "./dom";
import { focused } from "./keys";

export interface Menu {
	el: HTMLDetailsElement;
	summary: HTMLElement;
	close(): void;
}

export function menu(test: string, label: string, title: string, signal: AbortSignal, ...content: Child[]): Menu {
	const summary = h("summary", { class: "ck-button", "data-test": test, title }, label);
	const el = h("details", { class: "ck-menu" }, summary, h("div", { class: "ck-sheet", role: "group", "aria-label": title }, ...content));
	const close = () => {
		if (el.contains(focused(el))) summary.focus();
		el.open = false;
	};
	listen(el, "keydown", (event) => event.key === "Escape" && el.open && close(), signal);
	listen(document, "pointerdown", (event) => {
		// the path, as a shadow tree that the view may stand in (marimo's cells) hides where in it an event began
		if (el.open && !event.composedPath().includes(el)) el.open = false;
	}, signal);
	return { el, summary, close };
}

/** A button with words of its own. */
export function button(text: string, test: string, label = text): HTMLButtonElement {
	return h("button", { type: "button", class: "ck-button", "data-test": test, "aria-label": label, title: label }, text);
}
