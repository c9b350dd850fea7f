// The steps of the thought: how much the answer rests on each, and what happens to it when one is edited.
import { h, setAttributes, setShown, setText } from "../../lib/dom";
import { number, shown } from "../../lib/words";
import type { Context, Panel } from "../context";
import { answerBars } from "../steps/answers";
import { controls } from "../steps/controls";
import { detail } from "../steps/detail";
import { grid } from "../steps/grid";
import { stepList } from "../steps/list";
import { type Scale, scaleOf } from "../steps/scale";
import { source } from "../steps/source";
import { stepTable } from "../steps/table";
import { edited } from "../steps/thought";
import type { Json, Measured, Steps, StepsOptions } from "../types";

export function stepsPanel(context: Context): Panel {
	const { model, signal } = context;
	const options = () => context.options("steps") as StepsOptions;
	const set = (part: StepsOptions) => context.setOptions("steps", part as { [name: string]: Json });
	let now: Steps | null = null;
	let was: StepsOptions["thought"] = null; // the thought before the edit that is under way
	let from: Steps | null = null; // the steps that this edit began with
	const tell = (index: number, text: string, draft: boolean) => from && set({ thought: edited(from, context.state.prompt, index, text), draft });

	const list = stepList(signal, {
		choose: (index) => {
			if (index !== null && !options().detail) set({ detail: true });
			draw();
		},
		typed: (index, text) => {
			if (!from) [from, was] = [now, options().thought ?? null];
			tell(index, text, true);
		},
		paused: (index, text) => void tell(index, text, false),
		done: (index, text) => {
			if (from && text === null) set({ thought: was ?? null, draft: false });
			else if (text !== null) {
				tell(index, text, false);
				if (!text.trim()) context.say(`Step ${index + 1} is left out.`);
			}
			from = null;
			draw();
		},
	});
	const title = h("h3", {}, "Steps of the thought");
	const [how, where, bars, table, matrix] = [controls(context, options, set), source(context, set), answerBars(), stepTable(signal), grid(context)];
	const chosen = detail(signal, () => list.chosen() !== null && list.edit(list.chosen() ?? 0));
	const think = h("button", { type: "button", class: "ck-button ck-small", "data-test": "steps-think" }, "let it think");
	const none = h("p", { class: "ck-note", "data-test": "steps-none" });
	const error = h("p", { class: "ck-note ck-step-error", "data-test": "steps-error" });
	const note = h("p", { class: "ck-note", "data-test": "steps-note" });
	const progress = h("progress", { max: 1, value: 0, "aria-label": "Steps measured" });
	const [stop, again] = [h("button", { type: "button", class: "ck-button ck-small", "data-test": "steps-stop" }, "stop"), h("button", { type: "button", class: "ck-button ck-small", "data-test": "steps-again" }, "go on")];
	const said = h("p", { class: "ck-step-said", "data-test": "steps-sentence" });
	const under = h("div", { class: "ck-inline ck-step-progress" }, progress, note, stop, again);
	const main = h("div", { class: "ck-step-main" }, list.el, under);
	const el = h("section", { class: "ck-band ck-step-panel", "aria-label": "Steps of the thought" },
		h("div", { class: "ck-inline" }, title, how.el), error, h("div", { class: "ck-inline" }, none, think), h("div", { class: "ck-step-body" }, main, bars.el), said, where.el, chosen.el, matrix.el, table.el);
	think.addEventListener("click", () => context.commit({ setup: [...context.state.setup, { intervention: "Think" }] }), { signal });
	stop.addEventListener("click", () => context.send({ type: "stop" }), { signal });
	again.addEventListener("click", () => set({ again: (options().again ?? 0) + 1 }), { signal });

	const draw = () => {
		const { method = now?.method ?? "", matrix: square = false } = options();
		const busy = model.get("status")?.busy.includes("steps") ?? false;
		const [measured, fresh] = shownMeasure(now, method);
		const scale: Scale = measured ? scaleOf(measured, method) : { end: 1, digits: 2 };
		const stale = now !== null && now.seq < (model.get("seq") ?? 0);
		el.classList.toggle("ck-stale", stale);
		main.classList.toggle("ck-old", !fresh);
		setText(title, `Steps of the thought${stale ? " · of the setting before" : ""}`);
		how.draw(now);
		list.draw(now, measured, scale);
		setShown(list.el, (now?.steps.length ?? 0) > 0);
		bars.draw(now);
		where.draw(now, thinks(context));
		chosen.draw(now, list.chosen(), busy);
		matrix.draw(square ? now : null);
		table.draw(now, method, scale);
		setText(said, now?.sentence ?? "");
		setShown(said, said.textContent !== "");
		const failed = now?.error ?? null;
		setText(error, failed ? `Asked for: ${failed.asked}. Found: ${failed.found}. Try: ${failed.remedy}.` : "");
		setShown(error, failed !== null);
		const [words, offer] = why(context, now, busy);
		setText(none, words);
		setShown(none, words !== "");
		setShown(think, offer);
		const open = measured !== null && fresh && measured.done < measured.scores.length;
		setShown(progress, busy && now !== null);
		setAttributes(progress, { max: now?.running?.n ?? 1, value: now?.running?.done ?? 0 });
		setShown(stop, busy && now !== null);
		setShown(again, open && !busy);
		setText(note, footnote(measured, fresh, busy, scale));
		setShown(under, now !== null && now.steps.length > 0);
	};
	/** What is drawn, also where the chosen method is still being measured: the last bars stay, paler. */
	let last: { measured: Measured; n: number } | null = null;
	const shownMeasure = (steps: Steps | null, method: string): [Measured | null, boolean] => {
		const found = steps?.measures[method];
		if (found && steps) last = { measured: found, n: steps.steps.length };
		if (found) return [found, true];
		return last && steps && last.n === steps.steps.length ? [last.measured, false] : [null, true];
	};
	const results = () => {
		now = model.get("steps");
		draw();
	};
	return { el, results, catalog: results, state: results, theme: () => matrix.paint(), resized: () => matrix.paint() };
}

function footnote(measured: Measured | null, fresh: boolean, busy: boolean, scale: Scale): string {
	if (!measured || !fresh) return busy ? "measuring…" : "";
	const [done, n] = [measured.done, measured.scores.length];
	const parts = done < n ? [`${busy ? "" : "stopped after "}${done} of ${n} steps`] : [];
	if (measured.probability !== null) parts.push(`the thought ends in “${shown(measured.answer)}”, probability ${number(measured.probability)}`);
	if (scale.end !== 1) parts.push(`a full bar is ${scale.end}`);
	return [...parts, `${measured.passes} texts read and tokens written`].join(" · ");
}

/** What to say where there are no steps, and whether to offer the switch that makes them. */
function why(context: Context, steps: Steps | null, busy: boolean): [string, boolean] {
	if (steps && (steps.steps.length > 0 || steps.error)) return ["", false];
	if (busy) return ["Measuring the steps…", false];
	const think = context.catalog.switches.find((one) => one.id === "think");
	if (think?.unsupported) return [`No steps: Think does not work with this model (${think.unsupported}).`, false];
	if (thinks(context)) return ["No steps yet: they are measured after the run.", false];
	return ["No steps yet. With Think on, the model writes its steps; each is then broken in turn to see whether the answer rests on it.", true];
}

function thinks(context: Context): boolean {
	return context.state.setup.some((entry) => entry.intervention === "Think" && entry.on !== false);
}
