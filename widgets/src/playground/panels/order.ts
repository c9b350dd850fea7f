// What is on, in the order in which it acts: moved by buttons, and what no switch shows can be edited or removed.
import { h, listen, setShown } from "../../lib/dom";
import { focused } from "../../lib/keys";
import type { Context } from "../context";
import { type Controls, type Key, moved, showing, switchOf, toSetup } from "../setup";

export interface Order {
	el: HTMLElement;
	draw(controls: Controls): void;
}

/** `take` takes over controls that were changed here. */
export function orderList(context: Context, take: (controls: Controls) => void): Order {
	const list = h("ol", { class: "ck-order-list", "data-test": "order" });
	const el = h("section", { class: "ck-order", hidden: true, "aria-label": "Order" }, h("h3", {}, "Acts in this order"), list);

	const draw = (controls: Controls) => {
		const here = focused(list);
		const was = here instanceof HTMLElement && list.contains(here) ? here.dataset.test : undefined;
		const { order } = controls;
		setShown(el, order.length > 1 || controls.extras.length > 0);
		list.replaceChildren(...order.map((key, i) => item(context, controls, key, i, take)));
		const again = was && list.querySelector<HTMLButtonElement>(`[data-test="${was}"]`);
		if (again) (again.disabled ? again.closest("li")?.querySelector<HTMLButtonElement>("button:enabled") : again)?.focus();
	};
	return { el, draw };
}

function item(context: Context, controls: Controls, key: Key, i: number, take: (controls: Controls) => void): HTMLElement {
	const { switches } = context.catalog;
	const entry = typeof key === "number" ? controls.extras[key]! : null;
	const label = entry ? (switchOf(switches, entry)?.label ?? entry.intervention) : (switches.find((one) => one.id === key)?.label ?? String(key));
	const button = (name: string, words: string, text: string, off: boolean, act: () => void) => {
		const made = h("button", { type: "button", class: "ck-link ck-move", "data-test": `${name}-${typeof key === "number" ? `extra-${key}` : key}`, "aria-label": words, disabled: off }, text);
		listen(made, "click", act, context.signal);
		return made;
	};
	const by = (step: -1 | 1) => () => {
		take(moved(controls, key, step));
		context.say(`${label} acts at place ${i + 1 + step} of ${controls.order.length}`);
	};
	const buttons = [button("earlier", `${label}: earlier`, "↑", i === 0, by(-1)), button("later", `${label}: later`, "↓", i === controls.order.length - 1, by(1))];
	if (entry) {
		const shown = switchOf(switches, entry);
		if (shown) buttons.push(button("edit", `Edit this ${label}`, "edit", false, () => take(showing(switches, toSetup(switches, controls), controls, i))));
		const without = { ...controls, order: controls.order.flatMap((one) => (one === key ? [] : [one])) };
		buttons.push(button("remove", `Remove ${label}`, "remove", false, () => take(without)));
	}
	return h("li", { class: entry ? "ck-extra" : null }, h("span", {}, label, ...(entry ? [h("span", { class: "ck-mute" }, switchOf(switches, entry) ? " one more" : " set in Python")] : [])), h("span", { class: "ck-inline" }, ...buttons));
}
