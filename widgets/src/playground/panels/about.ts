// One line below the header: what to look at in this preset, and what the present is compared with.
import { h, listen, setShown, setText } from "../../lib/dom";
import { button } from "../../lib/menu";
import { presetOf } from "../alike";
import type { Context, Panel } from "../context";
import { summary } from "../told";
import type { Example } from "../types";

export function about(context: Context): Panel & { preset(): Example | null; choose(id: string): void } {
	const note = h("span", { "data-test": "preset-note" });
	const against = h("span", { class: "ck-tag", "data-test": "against" });
	const plain = button("compare with nothing on", "against-nothing");
	plain.classList.add("ck-small");
	const el = h("div", { class: "ck-about" }, note, h("span", { class: "ck-inline" }, against, plain));
	let last = "";
	listen(plain, "click", () => context.commit({ against: [] }), context.signal);

	const preset = () => presetOf(context.state, context.catalog.examples, last);
	const state = () => {
		const found = preset();
		last = found?.id ?? last;
		setText(note, found?.note ?? "");
		const compared = context.state.against.length > 0;
		setText(against, compared ? `before = ${summary(context.state.against, context.catalog.switches)}` : "");
		setShown(against, compared);
		setShown(plain, compared);
		setShown(el, note.textContent !== "" || compared);
	};
	const choose = (id: string) => {
		last = id;
		show(context, context.catalog.examples.find((one) => one.id === id));
	};
	return { el, state, catalog: state, preset, choose };
}

/** Puts a preset on: text, setup, and the panels' own settings. */
export function show(context: Context, chosen: Example | undefined): void {
	if (!chosen || chosen.unsupported !== null) return;
	for (const [panel, own] of Object.entries(chosen.options)) context.setOptions(panel, own);
	context.commit({ prompt: chosen.pieces, setup: chosen.setup, against: [], task: chosen.task, difficulty: chosen.difficulty }, `preset: ${chosen.label}`);
}

/** Where there is no text yet: the presets to begin with. */
export function beginnings(context: Context): Panel {
	const list = h("div", { class: "ck-begin" });
	const el = h("section", { class: "ck-prompt", "aria-label": "Presets", "data-test": "beginnings", hidden: true }, h("p", { class: "ck-note" }, "Begin with one of these, or write a text."), list);
	listen(list, "click", (event) => {
		const clicked = event.target instanceof HTMLElement ? event.target.closest<HTMLElement>("[data-preset]") : null;
		show(context, context.catalog.examples.find((one) => one.id === clicked?.dataset.preset));
	}, context.signal);
	const state = () => setShown(el, context.state.prompt.every((piece) => piece.text.trim() === "") && list.children.length > 0);
	const catalog = () => {
		const usable = context.catalog.examples.filter((one) => one.unsupported === null);
		list.replaceChildren(...usable.map((one) => h("button", { type: "button", class: "ck-button", "data-preset": one.id, "data-test": `preset-${one.id}`, title: one.note }, one.label)));
		state();
	};
	return { el, state, catalog };
}
