// The thought in steps: chosen with a click or arrow keys, edited with a double click or Enter.
import { h, listen } from "../../lib/dom";
import { focused } from "../../lib/keys";
import type { Measured, Steps } from "../types";
import { type Edit, field } from "./field";
import { type Row, row } from "./row";
import type { Scale } from "./scale";

const FLOW = ["token", "word"]; // grains that run on as text, the bars below the words

export interface Listeners {
	choose(index: number | null): void;
	typed(index: number, text: string): void;
	paused(index: number, text: string): void;
	/** An edit is over; null: nothing was changed. */
	done(index: number, text: string | null): void;
}

export interface StepList {
	el: HTMLElement;
	draw(steps: Steps | null, measured: Measured | null, scale: Scale): void;
	/** The step that is chosen, or null. */
	chosen(): number | null;
	edit(index: number): void;
}

export function stepList(signal: AbortSignal, listeners: Listeners): StepList {
	const el = h("ol", { class: "ck-steps", "data-test": "steps", "aria-label": "Steps. Arrow keys choose one, Enter edits it." });
	let rows: Row[] = [];
	let chosen: number | null = null;
	let open: { index: number; edit: Edit } | null = null;
	let last: Steps | null = null;

	const indexOf = (target: EventTarget | null) => rows.findIndex((one) => one.el.contains(target as Node | null));
	const mark = () => rows.forEach((one, i) => one.choose(i === chosen, i === (chosen ?? 0)));
	const choose = (index: number | null, focus: boolean) => {
		chosen = index;
		mark();
		if (focus && index !== null) rows[index]?.pick.focus();
		listeners.choose(index);
	};
	const edit = (index: number) => {
		const [one, step] = [rows[index], last?.steps[index]];
		if (!one || !step || open) return;
		if (chosen !== index) choose(index, false);
		const made = field(`Step ${index + 1}. Enter takes it, Escape leaves it as it was.`, step.text, signal, {
			typed: (text) => listeners.typed(index, text),
			paused: (text) => listeners.paused(index, text),
			done: (text) => {
				const inField = focused(made.el) === made.el;
				open = null;
				one.place.replaceChildren(one.pick);
				if (inField) one.pick.focus();
				listeners.done(index, text);
			},
		});
		open = { index, edit: made };
		one.place.replaceChildren(made.el);
		made.el.focus();
		made.el.setSelectionRange(made.el.value.length, made.el.value.length);
	};

	listen(el, "click", ({ target }) => {
		const at = indexOf(target);
		if (at >= 0 && open?.index !== at) choose(at, true);
	}, signal);
	listen(el, "dblclick", ({ target }) => edit(indexOf(target)), signal);
	listen(el, "keydown", (event) => {
		if (open || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
		const at = chosen ?? 0;
		const to: Record<string, number> = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: rows.length - 1 };
		const next = to[event.key];
		if (next !== undefined) choose(chosen === null ? 0 : Math.max(0, Math.min(rows.length - 1, next)), true);
		else if (event.key === "Enter" || event.key === "F2") edit(at);
		else if (event.key === "Escape" && chosen !== null) choose(null, false);
		else return;
		event.preventDefault();
		event.stopPropagation();
	}, signal);

	const draw = (steps: Steps | null, measured: Measured | null, scale: Scale) => {
		const n = steps?.steps.length ?? 0;
		if (open && n !== rows.length && last?.thought !== steps?.thought) open.edit.close(); // somebody else changed the thought
		const at = indexOf(focused(el));
		if (last && steps && last.by !== steps.by && chosen !== null) choose(null, false);
		last = steps;
		if (n !== rows.length) {
			rows = Array.from({ length: n }, (_, i) => row(i));
			el.replaceChildren(...rows.map((one) => one.el));
			if (chosen !== null && chosen >= n) choose(n ? n - 1 : null, false);
			if (at >= 0) rows[Math.min(at, n - 1)]?.pick.focus();
		}
		el.classList.toggle("ck-flow", FLOW.includes(steps?.by ?? ""));
		steps?.steps.forEach((step, i) => rows[i]?.draw(step, measured, scale));
		mark();
	};
	return { el, draw, chosen: () => chosen, edit };
}
