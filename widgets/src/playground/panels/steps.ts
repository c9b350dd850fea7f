// The steps of the thought: how much the answer rests on each, and what happens to it when one is edited.
import { h, setAttributes, setShown, setText } from "../../lib/dom";
import { button, more, tell } from "../../lib/parts";
import { number, visible } from "../../lib/words";
import type { Context, Panel } from "../context";
import { answerBars } from "../steps/answers";
import { controls } from "../steps/controls";
import { evaluations } from "../steps/detail";
import { stepList } from "../steps/list";
import { type Scale, scaleOf } from "../steps/scale";
import { source } from "../steps/source";
import { stepTable } from "../steps/table";
import { begun, edited } from "../steps/thought";
import type { Json, Measured, Steps, StepsOptions } from "../types";
import { later } from "./later";

const matrixOf = later((context) => !!(context.options("steps") as StepsOptions).matrix && !!context.model.get("steps")?.matrix, (script) => script.grid);
const NAME = "Steps of the thought";

export function stepsPanel(context: Context): Panel {
	const { model, signal } = context;
	const options = () => context.options("steps") as StepsOptions;
	const set = (part: StepsOptions) => context.setOptions("steps", part as { [name: string]: Json });
	const methodOf = () => options().method ?? now?.method ?? "";
	let now: Steps | null = null;
	let was: StepsOptions["thought"]; // the thought before the edit that is under way
	let from: Steps | null = null; // the steps that this edit began with
	let last: [Measured, number] | null = null; // what was drawn last, and of how many steps
	const put = (index: number, text: string, draft: boolean) => from && set({ thought: edited(from, context.state.prompt, index, text), draft });

	const list = stepList(signal, {
		choose: (index) => {
			if (index !== null && !options().detail) set({ detail: true });
			draw();
		},
		typed: (index, text) => {
			if (!from) [from, was] = [now, options().thought];
			put(index, text, true);
		},
		paused: (index, text) => void put(index, text, false),
		done: (index, text) => {
			if (from && text === null) set({ thought: was ?? null, draft: false });
			else if (text !== null) put(index, text, false);
			if (text?.trim() === "") context.say(`Step ${index + 1} is left out.`);
			from = null;
			draw();
		},
	});
	const [title, note, progress] = [h("h3"), h("p", { class: "ck-note", "data-test": "steps-note" }), h("progress", { "aria-label": "Steps measured" })];
	const [none, error, said] = [h("p", { class: "ck-note", "data-test": "steps-none" }), h("p", { class: "ck-note ck-step-error", "data-test": "steps-error" }), h("p", { class: "ck-step-said", "data-test": "steps-sentence" })];
	const think = button("steps-think", "let it think", signal, () => context.commit({ setup: [...context.state.setup, { intervention: "Think" }] }));
	const [how, where, bars, matrix] = [controls(signal, options, set), source(context, set, think), answerBars(), matrixOf(context)];
	const table = more("steps-table", "Show the steps as a table", signal, () => (now ? stepTable(now, methodOf()) : ""));
	const stop = button("steps-stop", "stop", signal, () => context.send({ type: "stop" }));
	const again = button("steps-again", "go on", signal, () => set({ again: (options().again ?? 0) + 1 }));
	const [name, four] = [h("h4"), h("ul", { class: "ck-evaluations", "data-test": "evaluations" })];
	const on = button("steps-on", "write the rest on from here", signal, () => {
		const index = list.chosen();
		if (!now || index === null) return;
		set({ thought: begun(now, context.state.prompt, options().thought, index), draft: false });
		context.say(`The model writes the rest behind step ${index + 1}.`);
	});
	const chosen = h("div", { class: "ck-detail", "data-test": "step-detail" }, h("div", { class: "ck-inline" }, name, button("edit-step", "edit this step", signal, () => list.edit(list.chosen() ?? 0)), on), four);
	const under = h("div", { class: "ck-inline ck-step-progress" }, progress, note, stop, again);
	const main = h("div", {}, list.el, under, said, where.el);
	const el = h("section", { class: "ck-band ck-step-panel", "aria-label": NAME }, h("div", { class: "ck-inline" }, title, how.el), error, none, h("div", { class: "ck-step-body" }, main, bars.el), chosen, matrix.el, table.el);

	/** What is drawn; where the chosen method is still being measured, the last bars stay, paler. */
	const drawn = (n: number): [Measured | null, boolean] => {
		const found = now?.measures[methodOf()];
		if (found) last = [found, n];
		return found ? [found, true] : [last && last[1] === n ? last[0] : null, !now?.steps.length];
	};
	const draw = () => {
		const n = now?.steps.length ?? 0;
		const busy = model.get("status")?.busy.includes("steps") ?? false;
		const [measured, fresh] = drawn(n);
		const scale: Scale = measured ? scaleOf(measured, methodOf()) : { end: 1, digits: 2 };
		const stale = context.old(now);
		const [words, offer] = why(context, now, busy);
		const index = list.chosen();
		el.classList.toggle("ck-stale", stale);
		main.classList.toggle("ck-old", !fresh);
		main.classList.toggle("ck-bare", n === 0);
		setText(title, NAME + (stale ? " · of the setting before" : ""));
		how.draw(now);
		list.draw(now, measured, scale);
		bars.draw(now);
		where.draw(now, thinks(context));
		setShown(chosen, index !== null);
		setShown(on, !!now && (now.edited || now.source !== "model")); // the model's own goes on as it stands
		if (now && index !== null) {
			setText(name, `Step ${index + 1}: ${visible(now.steps[index]?.text ?? "")}`);
			four.replaceChildren(...evaluations(now, index, busy));
		}
		matrix.results?.();
		setShown(table.el, n > 0);
		table.draw();
		tell(said, now?.sentence ?? "");
		tell(error, now?.error ? `Asked for: ${now.error.asked}. Found: ${now.error.found}. Try: ${now.error.remedy}.` : "");
		tell(none, words);
		setShown(think, offer);
		setShown(progress, busy);
		setAttributes(progress, { max: now?.running?.n ?? 1, value: now?.running?.done ?? 0 });
		setShown(stop, busy);
		setShown(again, !busy && fresh && !!measured && measured.done < n);
		setText(note, measured && fresh ? footnote(measured, n, busy, scale) : busy ? "measuring…" : "Not measured.");
		setShown(under, n > 0);
	};
	const results = () => {
		now = model.get("steps");
		draw();
	};
	return { el, results, hears: ["steps", "status", "options"], catalog: results, theme: matrix.theme, resized: matrix.resized };
}

function footnote({ done, answer, probability, passes }: Measured, n: number, busy: boolean, scale: Scale): string {
	return [
		done < n && `${busy ? "" : "stopped after "}${done} of ${n} steps`,
		probability !== null && `the thought ends in “${visible(answer)}”, probability ${number(probability)}`,
		scale.end !== 1 && `a full bar is ${scale.end}`,
		`${passes} forward passes`,
	].filter(Boolean).join(" · ");
}

/** What to say where there are no steps, and whether to offer the switch that makes them. */
function why(context: Context, steps: Steps | null, busy: boolean): [string, boolean] {
	if (steps?.steps.length || steps?.error) return ["", false];
	if (busy) return ["Measuring the steps…", false];
	const refused = context.catalog.switches.find((one) => one.id === "think")?.unsupported;
	if (refused) return [`No steps: Think does not work with this model (${refused}).`, false];
	if (thinks(context)) return ["No steps yet: they are measured after the run.", false];
	return ["No steps yet. With Think on, the model writes its steps; each is then broken in turn to see whether the answer rests on it.", true];
}

function thinks(context: Context): boolean {
	return context.state.setup.some((entry) => entry.intervention === "Think" && entry.on !== false);
}
