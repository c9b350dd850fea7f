// The middle of the picture: all heads, and the chosen one in detail behind three tabs.
import { freshId, h, listen } from "../../lib/dom";
import type { Context, Panel } from "../context";
import type { Tab } from "../measure";
import { tabOf } from "../view";
import { heads } from "./heads";
import { matrix } from "./matrix";
import { headTable } from "./table";

const TABS: [Tab, string][] = [["before", "Before"], ["after", "After"], ["difference", "Difference"]];

export function attention(context: Context): Panel {
	const grid = heads(context);
	const detail = matrix(context);
	const table = headTable(context);
	const none = h("p", { class: "ck-none" }, "no picture yet");
	const column = h("div", { class: "ck-chosen-head" }, tabs(context), detail.el, table.el);
	const el = h("section", { class: "ck-panel ck-attention", "aria-label": "Attention" }, grid.title, none, h("div", { class: "ck-attention-columns" }, grid.el, column));
	context.view.on(({ frame }) => {
		const without = frame?.before.layers === 0;
		none.textContent = without ? "This model does not give its attention weights, so there is nothing to draw." : "no picture yet";
		el.classList.toggle("ck-without", without);
	});
	const theme = () => {
		grid.theme?.();
		detail.theme?.();
	};
	return { el, theme, resized: () => detail.resized?.() };
}

function tabs(context: Context): HTMLElement {
	const name = freshId("tab");
	const inputs = TABS.map(([tab]) => h("input", { type: "radio", name, value: tab, "data-test": `tab-${tab}` }));
	const labels = TABS.map(([, words], i) => h("label", {}, inputs[i]!, h("span", {}, words)));
	const none = h("span", { class: "ck-mute ck-tab-note" }, "flip a switch to see what changes");
	inputs.forEach((input, i) => listen(input, "change", () => context.view.set({ wanted: TABS[i]![0] }), context.signal));
	context.view.on((look) => {
		const shown = tabOf(look);
		inputs.forEach((input, i) => {
			input.checked = TABS[i]![0] === shown;
			input.disabled = i > 0 && !look.frame?.after;
		});
		none.hidden = !look.frame || look.frame.after !== null;
	});
	return h("div", { class: "ck-tab-line" }, h("div", { class: "ck-tabs", role: "radiogroup", "aria-label": "Attention before, after, or the difference" }, ...labels), none);
}
