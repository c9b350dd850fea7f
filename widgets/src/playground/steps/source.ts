// Where the thought comes from: the model, the task, a hand; and the way back.
import { h, setShown, setText } from "../../lib/dom";
import type { Context } from "../context";
import type { Steps, StepsOptions } from "../types";
import { unedited, written } from "./thought";

export function source(context: Context, set: (part: StepsOptions) => void): { el: HTMLElement; draw(steps: Steps | null, thinks: boolean): void } {
	const { signal } = context;
	const button = (name: string, label: string) => h("button", { type: "button", class: "ck-button ck-small", "data-test": name }, label);
	const [write, task, undo, own] = [button("steps-write", "write your own"), button("steps-task", "the task's true steps"), button("steps-undo", "undo the edits"), button("steps-own", "the model's own thought")];
	const area = h("textarea", { rows: 5, "data-test": "steps-own-text", "aria-label": "A thought, one step a line", dir: "auto", spellcheck: "false" });
	const [use, cancel] = [button("steps-use", "use it"), button("steps-cancel", "cancel")];
	const said = h("span", { class: "ck-note", role: "none" });
	const box = h("div", { class: "ck-step-box", hidden: true }, area, h("div", { class: "ck-inline" }, use, cancel, said));
	const el = h("div", {}, h("div", { class: "ck-inline ck-sources" }, undo, own, task, write), box);
	let last: Steps | null = null;

	const close = () => {
		setShown(box, false);
		write.focus();
	};
	const take = () => {
		const thought = written(area.value, context.state.prompt);
		if (!thought) return setText(said, "Nothing is written: a thought needs at least one step.");
		set({ thought, by: "given", draft: false });
		close();
	};
	write.addEventListener("click", () => {
		area.value = last?.steps.map((step) => step.text).join("\n") ?? "";
		setText(said, "One step a line.");
		setShown(box, true);
		area.focus();
	}, { signal });
	use.addEventListener("click", take, { signal });
	cancel.addEventListener("click", close, { signal });
	area.addEventListener("keydown", (event) => {
		if (event.key !== "Escape") return;
		event.stopPropagation();
		close();
	}, { signal });
	task.addEventListener("click", () => set({ thought: { source: "task", prompt: context.state.prompt }, by: "sentence", draft: false }), { signal });
	undo.addEventListener("click", () => last && set({ thought: unedited(last, context.state.prompt), draft: false }), { signal });
	own.addEventListener("click", () => set({ thought: null, by: "sentence", draft: false }), { signal });

	const draw = (steps: Steps | null, thinks: boolean) => {
		last = steps;
		setShown(undo, steps?.edited ?? false);
		setShown(own, steps !== null && steps.source !== "model" && thinks);
		setShown(task, context.state.task !== null && steps?.source !== "task");
	};
	return { el, draw };
}
