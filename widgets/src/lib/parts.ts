// Small parts that panels are made of: a button, a table, a line that is there when it has something to say.
import { h, listen, setShown, setText } from "./dom";

/** A small button. */
export function button(name: string, label: string, signal: AbortSignal, click: () => void): HTMLButtonElement {
	const made = h("button", { type: "button", class: "ck-button ck-small", "data-test": name }, label);
	listen(made, "click", click, signal);
	return made;
}

/** Text that is shown where there is any. */
export function tell(element: HTMLElement, text: string): void {
	setText(element, text);
	setShown(element, text !== "");
}

/** A table of texts; the first cell of a row says what the row is. */
export function table(caption: string, head: string[], rows: string[][]): HTMLTableElement {
	const line = (cells: string[], scope: string) => h("tr", {}, ...cells.map((text, i) => (scope === "col" || i === 0 ? h("th", { scope }, text) : h("td", {}, text))));
	return h("table", {}, h("caption", {}, caption), h("thead", {}, line(head, "col")), h("tbody", {}, ...rows.map((row) => line(row, "row"))));
}

/** What opens to show more, made when it is opened and drawn again while it is open. */
export function more(name: string, label: string, signal: AbortSignal, make: () => Node | string): { el: HTMLDetailsElement; draw(): void } {
	const place = h("div", { class: "ck-table", tabindex: 0, role: "group", "aria-label": label });
	const el = h("details", { class: "ck-more", "data-test": name }, h("summary", {}, label), place);
	const draw = () => el.open && place.replaceChildren(make());
	listen(el, "toggle", draw, signal);
	return { el, draw };
}
