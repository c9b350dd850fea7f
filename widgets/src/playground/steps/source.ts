// Where the thought comes from: the model, the task, a hand; and the way back.
import { h, listen, setShown, setText } from "../../lib/dom";
import { button } from "../../lib/parts";
import type { Context } from "../context";
import type { Steps, StepsOptions } from "../types";
import { unedited, written } from "./thought";

export function source(context: Context, set: (part: StepsOptions) => void, think: HTMLElement): { el: HTMLElement; draw(steps: Steps | null, thinks: boolean): void } {
	const { signal } = context;
	const prompt = () => context.state.prompt;
	let last: Steps | null = null;
	const close = () => {
		setShown(box, false);
		write.focus();
	};
	const undo = button("steps-undo", "undo the edits", signal, () => last && set({ thought: unedited(last, prompt()), draft: false }));
	const own = button("steps-own", "the model's own thought", signal, () => set({ thought: null, by: "sentence", draft: false }));
	const task = button("steps-task", "the task's true steps", signal, () => set({ thought: { source: "task", prompt: prompt() }, by: "sentence", draft: false }));
	const write = button("steps-write", "write your own", signal, () => {
		area.value = last?.steps.map((step) => step.text).join("\n") ?? "";
		setText(said, "One step a line.");
		setShown(box, true);
		area.focus();
	});
	const area = h("textarea", { rows: 5, "data-test": "steps-own-text", "aria-label": "A thought, one step a line", dir: "auto", spellcheck: "false" });
	const said = h("span", { class: "ck-note", role: "none" });
	const use = button("steps-use", "use it", signal, () => {
		const thought = written(area.value, prompt());
		if (!thought) return setText(said, "Nothing is written: a thought needs at least one step.");
		set({ thought, by: "given", draft: false });
		close();
	});
	const box = h("div", { class: "ck-step-box", hidden: true }, area, h("div", { class: "ck-inline" }, use, button("steps-cancel", "cancel", signal, close), said));
	const el = h("div", {}, h("div", { class: "ck-inline ck-sources" }, think, undo, own, task, write), box);
	listen(area, "keydown", (event) => {
		if (event.key !== "Escape") return;
		event.stopPropagation();
		close();
	}, signal);
	const draw = (steps: Steps | null, thinks: boolean) => {
		last = steps;
		setShown(undo, !!steps?.edited);
		setShown(own, !!steps && steps.source !== "model" && thinks);
		setShown(task, context.state.task !== null && steps?.source !== "task");
	};
	return { el, draw };
}
