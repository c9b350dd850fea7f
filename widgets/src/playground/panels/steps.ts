// The steps of the thought: how much the answer rests on each, with an interval.
import { h, setShown, setText } from "../../lib/dom";
import { number, shown } from "../../lib/words";
import type { Context, Panel } from "../context";
import type { Step, Steps } from "../types";

const METHODS: Record<string, string> = {
	mistake: "a step broken, the rest written on",
	"true-thinking": "a step broken, the answer asked at once",
	early: "stopped early",
	suppress: "a step not looked at",
	resample: "a step written anew",
};

export function stepsPanel(context: Context): Panel {
	const title = h("h3", {}, "Steps of the thought");
	const rows = h("ol", { class: "ck-steps", "data-test": "steps" });
	const none = h("p", { class: "ck-note", "data-test": "steps-none" });
	const think = h("button", { type: "button", class: "ck-button ck-small", "data-test": "steps-think" }, "switch Think on");
	const note = h("p", { class: "ck-note" });
	const el = h("section", { class: "ck-band", "aria-label": "Steps of the thought" }, title, rows, h("div", { class: "ck-inline" }, none, think), note);
	think.addEventListener("click", () => {
		const one = thinkSwitch(context);
		if (one) context.root.querySelector<HTMLInputElement>(`[data-test="switch-${one.id}"]`)?.click();
	}, { signal: context.signal });

	const results = () => {
		const steps = context.model.get("steps");
		const busy = context.model.get("status")?.busy.includes("steps") ?? false;
		const stale = steps !== null && steps.seq < (context.model.get("seq") ?? 0);
		el.classList.toggle("ck-stale", stale);
		setText(title, steps ? `Steps of the thought · ${METHODS[steps.method] ?? lowered(steps.method)}${stale ? " · of the setting before" : ""}` : "Steps of the thought");
		rows.replaceChildren(...(steps?.steps ?? []).map((step, i) => row(step, steps?.before_scores?.[i] ?? null)));
		setShown(rows, (steps?.steps.length ?? 0) > 0);
		const [words, offer] = why(context, steps, busy);
		setText(none, words);
		setShown(none, words !== "");
		setShown(think, offer);
		setText(note, steps?.note || (steps?.answer ? `The thought ends in “${shown(steps.answer)}”.` : ""));
		setShown(note, note.textContent !== "");
	};
	return { el, results, catalog: results, state: results };
}

function row(step: Step, before: number | null): HTMLElement {
	const share = (value: number) => `${100 * Math.max(0, Math.min(1, value))}%`;
	const track = h("span", { class: "ck-track" });
	if (step.score !== null) track.append(h("b", { style: `width:${share(step.score)}` }));
	if (before !== null) track.append(h("i", { style: `width:${share(before)}` }));
	if (step.low !== null && step.high !== null) track.append(h("u", { style: `left:${share(step.low)};width:calc(${share(step.high)} - ${share(step.low)})` }));
	const interval = step.low !== null && step.high !== null ? `, between ${step.low.toFixed(2)} and ${step.high.toFixed(2)}` : "";
	const value = h("span", { class: "ck-value", title: step.score === null ? null : `effect ${step.score.toFixed(2)}${interval}` }, h("em", {}, step.score === null ? "–" : number(Math.max(0, step.score))));
	const tag = step.label && step.label !== "true" ? [h("span", { class: "ck-tag" }, step.label)] : [];
	return h("li", { class: `ck-step ck-label-${step.label ?? "none"}` }, h("span", { class: "ck-step-text", dir: "auto" }, step.text, ...tag), track, value, h("span", { class: "ck-step-sentence" }, step.sentence));
}

function lowered(words: string): string {
	return words.charAt(0).toLowerCase() + words.slice(1);
}

/** What to say where there are no steps, and whether to offer the switch that makes them. */
function why(context: Context, steps: Steps | null, busy: boolean): [string, boolean] {
	if (steps && steps.steps.length > 0) return ["", false];
	if (busy) return ["Measuring the steps…", false];
	const think = thinkSwitch(context);
	if (think?.unsupported) return [`No steps: Think does not work with this model (${think.unsupported}).`, false];
	if (steps) return ["The model wrote no steps on this prompt.", false];
	const on = context.state.setup.some((entry) => entry.intervention === think?.intervention);
	if (on) return ["No steps yet: they are measured after the run.", false];
	return think ? ["No steps yet. With Think on, the model writes its steps; each is then broken in turn to see whether the answer rests on it.", true] : ["No steps: this model has no way of writing them here.", false];
}

function thinkSwitch(context: Context) {
	return context.catalog.switches.find((one) => one.id === "think");
}
