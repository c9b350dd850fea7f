// How the steps are measured: the method, the grain, the matrix. Only this panel is measured anew.
import { freshId, h, listen, setShown, setValue } from "../../lib/dom";
import { focused } from "../../lib/keys";
import { button } from "../../lib/parts";
import type { Steps, StepsOptions } from "../types";
import { asText } from "./thought";

const GRAINS = ["token", "word", "sentence", "line", "pattern"];
const PATTERN = "\\w+ =";

export function controls(signal: AbortSignal, options: () => StepsOptions, set: (part: StepsOptions) => void): { el: HTMLElement; draw(steps: Steps | null): void } {
	const select = (name: string, changed: () => void) => {
		const made = h("select", { id: freshId(name), "data-test": name });
		listen(made, "change", changed, signal);
		return made;
	};
	const grain = () => {
		const { thought } = options();
		const whole = thought && { thought: { ...thought, ...(thought.base && { base: asText(thought.base) }), ...(thought.now && { now: asText(thought.now) }) } };
		set({ by: by.value, pattern: pattern.value, ...whole });
	};
	const method = select("steps-method", () => set({ method: method.value }));
	const by = select("steps-by", grain);
	const pattern = h("input", { type: "text", "data-test": "steps-pattern", "aria-label": "A step begins wherever this regular expression matches", value: PATTERN, spellcheck: "false", size: 10 });
	listen(pattern, "change", grain, signal);
	const matrix = button("steps-matrix", "step → later step", signal, () => set({ matrix: !options().matrix }));
	const el = h("div", { class: "ck-inline ck-step-controls" }, h("label", { for: method.id }, "how"), method, h("label", { for: by.id }, "a step is a"), by, pattern, matrix);

	const draw = (steps: Steps | null) => {
		setShown(el, !!steps);
		if (!steps) return;
		const { method: chosen = steps.method, by: grained = steps.by, matrix: square = false, pattern: own } = options();
		fill(method, steps.methods.map((one) => [one.name, one.label]), chosen);
		method.title = steps.methods.find((one) => one.name === chosen)?.hint ?? "";
		fill(by, [...GRAINS.map((name): [string, string] => [name, name]), ...(grained === "given" ? [["given", "as written"] as [string, string]] : [])], grained);
		setShown(pattern, grained === "pattern");
		if (own && focused(pattern) !== pattern) pattern.value = own;
		matrix.setAttribute("aria-pressed", `${square}`);
	};
	return { el, draw };
}

function fill(select: HTMLSelectElement, choices: [string, string][], value: string): void {
	if (select.dataset.choices !== `${choices}`) select.replaceChildren(...choices.map(([name, label]) => h("option", { value: name }, label)));
	select.dataset.choices = `${choices}`;
	setValue(select, value);
}
