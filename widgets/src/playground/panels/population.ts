// Not one example but hundreds: accuracy before and after on fresh problems, with an interval.
import { h, listen, setAttributes, setShown, setText } from "../../lib/dom";
import { percent, points, shown } from "../../lib/words";
import type { Context, Panel } from "../context";
import type { Flipped, Population } from "../types";
import { measured } from "./measured";

export function population(context: Context): Panel {
	const { signal } = context;
	const title = h("h3");
	const big = h("strong", { class: "ck-big" });
	const counts = h("span", { class: "ck-mute" });
	const progress = h("progress", { max: 1, value: 0, "aria-label": "Problems done" });
	const stop = h("button", { type: "button", class: "ck-button ck-small", "data-test": "stop" }, "stop");
	const go = h("button", { type: "button", class: "ck-button ck-small", "data-test": "go-on" }, "go on");
	const note = h("p", { class: "ck-note" });
	const settings = measured(context);
	const list = h("ul", { class: "ck-flipped" });
	const summary = h("summary");
	const more = h("details", { class: "ck-more", "data-test": "flipped" }, summary, list);
	const plot = h("div", { class: "ck-interval", role: "img" });
	const left = h("div", {}, title, h("div", { class: "ck-inline" }, big, counts, progress, stop, go), settings.el, note, more);
	const el = h("section", { class: "ck-band ck-population", "aria-label": "Fresh problems", "data-test": "population" }, left, plot);
	listen(stop, "click", () => context.send({ type: "stop" }), signal);
	listen(go, "click", () => context.send({ type: "go_on" }), signal);
	listen(list, "click", (event) => {
		const button = event.target instanceof HTMLElement ? event.target.closest<HTMLElement>("[data-seed]") : null;
		if (button) context.send({ type: "load_problem", seed: Number(button.dataset.seed) });
	}, signal);

	let drawn: Population | null = null;
	const results = () => {
		const found = context.model.get("population");
		const busy = context.model.get("status")?.busy.includes("population") ?? false;
		const running = found?.running ?? false;
		const stale = context.old(found);
		setAttributes(el, { "data-seq": found?.seq });
		el.classList.toggle("ck-stale", stale);
		setText(title, heading(context, found) + (stale ? " · of the setting before" : ""));
		const idle = found?.idle ?? false;
		setText(big, found && found.done > 0 ? (idle ? `${percent(found.baseline)} right` : `${percent(found.baseline)} → ${percent(found.edited)}`) : "");
		setText(counts, words(found, idle));
		setShown(progress, running);
		setAttributes(progress, { max: found?.n ?? 1, value: found?.done ?? 0 });
		setShown(stop, running || busy);
		setShown(go, found !== null && !running && !busy && found.done > 0 && found.done < found.n);
		setText(note, found ? (idle ? "" : found.note) : empty(context, busy));
		setShown(note, note.textContent !== "");
		const flipped = found?.flipped ?? [];
		const held = (el.getRootNode() as Document | ShadowRoot).activeElement as HTMLElement | null;
		const inside = more.contains(held);
		setShown(more, flipped.length > 0 || inside); // what has the focus stays: the notebook would take its keys
		const changed = (found?.mended ?? 0) + (found?.broken ?? 0);
		setText(summary, `see ${flipped.length < changed ? `${flipped.length} of the ${changed}` : changed === 1 ? "the one" : `the ${changed}`} that changed`);
		const has = found !== null && found.done > 0 && !idle;
		if (found !== drawn) {
			list.replaceChildren(...flipped.map(item));
			if (inside) (list.querySelector<HTMLElement>(`[data-seed="${held?.dataset.seed}"]`) ?? summary).focus();
			plot.replaceChildren(...(has ? interval(found) : []));
			drawn = found;
		}
		setAttributes(plot, { "aria-label": has ? `Difference ${span(found)} points` : "No difference measured yet" });
		setShown(plot, has);
	};
	const both = (name: "state" | "catalog") => () => {
		settings[name]?.();
		results();
	};
	return { el, results, hears: ["population", "status"], state: both("state"), catalog: both("catalog") };
}

function heading(context: Context, found: Population | null): string {
	const n = found ? found.n : context.state.n;
	const task = found ? [found.title, found.difficulty === null ? "" : `difficulty ${found.difficulty}`].filter(Boolean).join(", ") : "";
	return `${n} fresh problems like this one${task ? ` · ${task}` : ""}`;
}

function words(found: Population | null, idle: boolean): string {
	if (!found || found.done === 0) return "";
	const so = found.running ? `${found.done} of ${found.n} done · ` : found.done < found.n ? `stopped after ${found.done} · ` : "";
	return so + (idle ? "nothing is switched on" : `${found.mended} mended, ${found.broken} broken, ${found.same} the same`);
}

function empty(context: Context, busy: boolean): string {
	if (busy) return "Starting…";
	return context.state.task === null ? "Choose a task to see whether a change holds over many problems." : "Not measured yet.";
}

function item(one: Flipped): HTMLElement {
	const right = one.after === one.answer;
	const button = h("button", { type: "button", class: "ck-link ck-problem", "data-seed": one.seed, "data-test": `flipped-${one.seed}`, title: "Load this problem" }, one.text);
	return h("li", {}, h("span", { class: "ck-tag" }, right ? "mended" : "broken"), button, h("span", { class: "ck-mute" }, `${shown(one.before)} → `, h("b", {}, shown(one.after)), ` · right: ${shown(one.answer)}`));
}

function span(found: Population): string {
	return `${points(found.difference)} (${whole(found.low)} to ${whole(found.high)})`;
}

/** Points of 100; the sign only where it is a minus. */
function whole(fraction: number): string {
	return points(fraction).replace("+", "");
}

/** The difference and its interval on an axis that holds zero. */
function interval(found: Population): HTMLElement[] {
	const from = Math.min(-0.1, Math.floor(found.low * 10 - 0.5) / 10);
	const to = Math.max(0.1, Math.ceil(found.high * 10 + 0.5) / 10);
	const at = (value: number) => 100 * ((value - from) / (to - from));
	const middle = at(found.difference);
	const near = Math.abs(at(0) - middle) < 30; // the words are wider than the place of a number
	return [
		h("span", { class: "ck-axis" }),
		h("span", { class: "ck-zero-line", style: `left:${at(0)}%` }),
		h("span", { class: "ck-span", style: `left:${at(found.low)}%;width:${at(found.high) - at(found.low)}%` }),
		h("span", { class: "ck-middle", style: `left:${at(found.difference)}%` }),
		h("span", { class: `ck-tick${near ? " ck-above" : ""}`, style: `left:${at(0)}%` }, "0"),
		h("span", { class: "ck-tick ck-strong", style: `left:clamp(7em, ${middle}%, 100% - 7em)` }, `${span(found)} points`),
	];
}
