// What was visited: a list to go back to, and to compare the present with.
import { h, listen, setAttributes, setShown } from "../../lib/dom";
import { button, menu } from "../../lib/menu";
import type { Context, Panel } from "../context";
import { same } from "../setup";
import { summary } from "../told";

export function past(context: Context): Panel {
	const { signal, history } = context;
	const list = h("ol", { class: "ck-visits", "data-test": "visits" });
	const plain = button("compare with nothing on", "compare-nothing");
	const { el, summary: head } = menu("history", "history ▾", "What was visited", signal, list, plain);

	listen(list, "click", (event) => {
		const clicked = event.target instanceof HTMLElement ? event.target.closest<HTMLElement>("[data-visit]") : null;
		const visit = history.visits[Number(clicked?.dataset.visit)];
		if (!clicked || !visit) return;
		if (clicked.dataset.does === "compare") context.commit({ against: visit.state.setup });
		else context.go(Number(clicked.dataset.visit));
		(find(list, clicked.dataset.test ?? "") ?? find(list, `visit-${clicked.dataset.visit}`))?.focus(); // the list was drawn anew
	}, signal);
	listen(plain, "click", () => {
		context.commit({ against: [] });
		head.focus();
	}, signal);

	const draw = () => {
		const { visits, at } = history;
		const present = context.state;
		list.replaceChildren(...visits.map((visit, i) => {
			const go = h("button", { type: "button", class: "ck-link", "data-visit": i, "data-does": "go", "data-test": `visit-${i}`, "aria-current": i === at ? "step" : null }, visit.words);
			const words = `compare with: ${summary(visit.state.setup, context.catalog.switches)}`;
			const compare = h("button", { type: "button", class: "ck-button ck-small", "data-visit": i, "data-does": "compare", "data-test": `compare-${i}`, "aria-label": words, title: words }, "compare");
			setAttributes(compare, { disabled: same(visit.state.setup, present.against) });
			return h("li", {}, go, compare);
		}).reverse());
	};
	listen(head, "click", draw, signal); // it opens, by mouse or by keyboard
	const state = () => {
		if (el.open) draw(); // closed, nobody reads it, and it grows with every change
		setShown(plain, context.state.against.length > 0);
	};
	return { el, state, catalog: state };
}

function find(list: HTMLElement, test: string): HTMLElement | null {
	return list.querySelector<HTMLElement>(`[data-test="${test}"]:not(:disabled)`);
}
