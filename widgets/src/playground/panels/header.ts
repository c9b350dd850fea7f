// The top line: the model, the example, the task, undo and redo, the code.
import { h, setAttributes, setShown, setText } from "../../lib/dom";
import type { Context, Panel } from "../context";
import { same } from "../setup";

const OWN = "own"; // the choice that stands for a text that is no example

export function header(context: Context): Panel {
	const { signal } = context;
	const name = h("em", { "data-test": "model-name" });
	const size = h("span");
	const example = h("select", { "data-test": "example", "aria-label": "Example" });
	const task = h("select", { "data-test": "task", "aria-label": "Task for fresh problems" });
	const difficulty = h("select", { "data-test": "difficulty", "aria-label": "Difficulty" });
	const fresh = button("new problem", "new-problem", "Another problem of this task");
	const undo = button("↶ undo", "undo", "Undo");
	const redo = button("↷", "redo", "Redo");
	const code = button("copy as code", "copy", "Copy Python code that does the same");
	const el = h("header", { class: "ck-header" }, h("b", { class: "ck-brand" }, "ctkit"), h("span", { class: "ck-chip" }, name, size), example, task, difficulty, fresh, h("span", { class: "ck-actions" }, undo, redo, code));

	example.addEventListener("change", () => {
		const chosen = context.catalog.examples.find((one) => one.id === example.value);
		if (chosen) context.commit({ prompt: chosen.pieces, task: chosen.task, difficulty: chosen.difficulty });
	}, { signal });
	const measure = (name: string | null, level: number | null) => {
		// Python sets text, task and difficulty together: a message of its own could overtake a state still on its way
		if (name === null) context.commit({ task: null, difficulty: null });
		else context.send({ type: "new_problem", task: name, difficulty: level });
	};
	task.addEventListener("change", () => {
		const chosen = context.catalog.tasks.find((one) => one.name === task.value);
		const levels = chosen?.difficulties ?? [];
		const kept = levels.find((level) => level === context.state.difficulty) ?? levels[Math.floor((levels.length - 1) / 2)];
		measure(chosen?.name ?? null, kept ?? null);
	}, { signal });
	difficulty.addEventListener("change", () => measure(context.state.task, Number(difficulty.value)), { signal });
	fresh.addEventListener("click", () => context.send({ type: "new_problem", task: context.state.task, difficulty: context.state.difficulty }), { signal });
	undo.addEventListener("click", () => context.undo(), { signal });
	redo.addEventListener("click", () => context.redo(), { signal });
	code.addEventListener("click", () => context.copyCode(), { signal });

	const state = () => {
		const { state, catalog, history } = context;
		const chosen = catalog.examples.find((one) => same(one.pieces, state.prompt));
		example.value = chosen?.id ?? OWN;
		task.value = state.task ?? "";
		const levels = catalog.tasks.find((one) => one.name === state.task)?.difficulties ?? [];
		difficulty.replaceChildren(...levels.map((level) => h("option", { value: level }, `difficulty ${level}`)));
		difficulty.value = String(state.difficulty ?? "");
		setShown(difficulty, levels.length > 1);
		setShown(fresh, state.task !== null);
		setAttributes(undo, { disabled: !history.canUndo });
		setAttributes(redo, { disabled: !history.canRedo });
	};
	const catalog = () => {
		const { model, examples, tasks } = context.catalog;
		setText(name, model.name);
		setText(size, model.n_layers ? ` · ${model.n_layers} layers × ${model.n_heads} heads · ${model.device}` : "");
		example.replaceChildren(...examples.map((one) => h("option", { value: one.id, title: one.note }, one.label)), h("option", { value: OWN, disabled: true }, "your own text"));
		setShown(example, examples.length > 0);
		task.replaceChildren(...tasks.map((one) => h("option", { value: one.name }, one.title)), h("option", { value: "" }, "no task"));
		setShown(task, tasks.length > 0);
		state();
	};
	return { el, catalog, state };
}

function button(text: string, test: string, label: string): HTMLButtonElement {
	return h("button", { type: "button", class: "ck-button", "data-test": test, "aria-label": label, title: label }, text);
}
