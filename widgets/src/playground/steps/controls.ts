// How the steps are measured: the method, the grain, the matrix. Only this panel is measured anew.
import { freshId, h, setShown } from "../../lib/dom";
import type { Context } from "../context";
import type { Steps, StepsOptions } from "../types";
import { asText } from "./thought";

const GRAINS: [string, string][] = [["token", "token"], ["word", "word"], ["sentence", "sentence"], ["line", "line"], ["pattern", "pattern"]];
const PATTERN = "\\w+ =";

export function controls(context: Context, options: () => StepsOptions, set: (part: StepsOptions) => void): { el: HTMLElement; draw(steps: Steps | null): void } {
	const { signal } = context;
	const [method, by] = [h("select", { id: freshId("method"), "data-test": "steps-method" }), h("select", { id: freshId("grain"), "data-test": "steps-by" })];
	const pattern = h("input", { type: "text", "data-test": "steps-pattern", "aria-label": "A step begins wherever this regular expression matches", value: PATTERN, spellcheck: "false", size: 10 });
	const matrix = h("button", { type: "button", class: "ck-button ck-small", "data-test": "steps-matrix", "aria-pressed": "false" }, "step → later step");
	const el = h("div", { class: "ck-inline ck-step-controls" }, h("label", { for: method.id }, "how"), method, h("label", { for: by.id }, "a step is a"), by, pattern, matrix);

	method.addEventListener("change", () => set({ method: method.value }), { signal });
	const grain = () => {
		const { thought } = options();
		const whole = thought ? { thought: { ...thought, ...(thought.base === undefined ? {} : { base: asText(thought.base) }), ...(thought.now === undefined ? {} : { now: asText(thought.now) }) } } : {};
		set({ by: by.value, ...(by.value === "pattern" ? { pattern: pattern.value } : {}), ...whole });
	};
	by.addEventListener("change", grain, { signal });
	pattern.addEventListener("change", grain, { signal });
	matrix.addEventListener("click", () => set({ matrix: !options().matrix }), { signal });

	const draw = (steps: Steps | null) => {
		setShown(el, steps !== null);
		if (!steps) return;
		const { method: chosen = steps.method, by: grained = steps.by, matrix: on = false, pattern: own } = options();
		fill(method, steps.methods.map((one) => [one.name, one.label]), chosen);
		method.title = steps.methods.find((one) => one.name === chosen)?.hint ?? "";
		fill(by, grained === "given" ? [...GRAINS, ["given", "as written"]] : GRAINS, grained);
		setShown(pattern, grained === "pattern");
		if (own && document.activeElement !== pattern) pattern.value = own;
		setShown(matrix, steps.methods.some((one) => one.name === "suppress"));
		matrix.setAttribute("aria-pressed", String(on));
	};
	return { el, draw };
}

function fill(select: HTMLSelectElement, choices: [string, string][], value: string): void {
	const key = choices.join();
	if (select.dataset.choices !== key) select.replaceChildren(...choices.map(([name, label]) => h("option", { value: name }, label)));
	select.dataset.choices = key;
	select.value = value;
}
