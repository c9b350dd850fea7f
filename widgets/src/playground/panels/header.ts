// The top line: the model, the preset, another problem, undo and redo, history, code, save; below it what to look at.
import { h, listen, setAttributes, setShown, setValue } from "../../lib/dom";
import { button } from "../../lib/menu";
import type { Context, Panel } from "../context";
import { about } from "./about";
import { past } from "./past";
import { picker } from "./picker";
import { save } from "./save";

const OWN = "own text"; // the choice that stands for a text that is no preset

export function header(context: Context): Panel {
	const { signal } = context;
	const example = h("select", { "data-test": "example", "aria-label": "Preset" });
	const fresh = button("another problem", "new-problem", "Another problem of this task");
	const undo = button("↶ undo", "undo", "Undo");
	const redo = button("↷", "redo", "Redo");
	const code = button("copy as code", "copy", "Copy Python code that does the same");
	const [model, visits, saving, below] = [picker(context), past(context), save(context), about(context)];
	const actions = h("span", { class: "ck-actions" }, undo, redo, visits.el, code, saving.el);
	const line = h("div", { class: "ck-header", role: "group", "aria-label": "Model, text, history" }, h("b", { class: "ck-brand" }, "ctkit"), model.el, example, fresh, actions);
	const el = h("div", {}, line, below.el);
	const all = [model, visits, saving, below];

	listen(example, "change", () => below.choose(example.value), signal);
	listen(fresh, "click", () => context.send({ type: "new_problem", task: context.state.task, difficulty: context.state.difficulty }), signal);
	listen(undo, "click", () => context.undo(), signal);
	listen(redo, "click", () => context.redo(), signal);
	listen(code, "click", () => context.copyCode(), signal);

	const state = () => {
		const { history } = context;
		all.forEach((part) => part.state?.());
		setValue(example, below.preset()?.id ?? OWN);
		setShown(fresh, context.state.task !== null);
		setAttributes(undo, { disabled: !history.canUndo });
		setAttributes(redo, { disabled: !history.canRedo });
	};
	const catalog = () => {
		const { examples } = context.catalog;
		const options = examples.map((one) => h("option", { value: one.id, title: one.unsupported === null ? one.note : `not with this model: ${one.unsupported}`, disabled: one.unsupported !== null }, one.label));
		example.replaceChildren(...options, h("option", { value: OWN, disabled: true }, "another text"));
		setShown(example, examples.length > 0);
		all.forEach((part) => part.catalog?.());
		state();
	};
	return { el, catalog, state, hears: ["error", "loading", "status"], results: () => all.forEach((part) => part.results?.()) };
}
