// What the population is made of: a task, a difficulty, how many problems, from which one on.
import { h, listen, setShown, setValue } from "../../lib/dom";
import type { Context, Panel } from "../context";
import { same } from "../same";

const MOST = 5_000;

export function measured(context: Context): Panel {
	const { signal } = context;
	const task = h("select", { "data-test": "task" });
	const difficulty = h("select", { "data-test": "difficulty" });
	const n = h("input", { type: "number", min: 1, max: MOST, step: 1, "data-test": "n" });
	const seed = h("input", { type: "number", min: 0, step: 1, "data-test": "seed", title: "Problems seed, seed + 1, …" });
	const level = field("difficulty", difficulty);
	const el = h("div", { class: "ck-inline ck-measured", role: "group", "aria-label": "Fresh problems" }, field("task", task), level, field("n", n), field("seed", seed));

	const measure = (name: string | null, level: number | null) => {
		// Python sets text, task and difficulty together: a message of its own could overtake a state still on its way
		if (name === null) context.commit({ task: null, difficulty: null });
		else context.send({ type: "new_problem", task: name, difficulty: level });
	};
	listen(task, "change", () => {
		const chosen = context.catalog.tasks.find((one) => one.name === task.value);
		const levels = chosen?.difficulties ?? [];
		const kept = levels.find((one) => one === context.state.difficulty) ?? levels[Math.floor((levels.length - 1) / 2)];
		measure(chosen?.name ?? null, kept ?? null);
	}, signal);
	listen(difficulty, "change", () => measure(context.state.task, Number(difficulty.value)), signal);
	const whole = (input: HTMLInputElement, name: "n" | "seed", least: number, most: number) =>
		listen(input, "change", () => {
			const value = Math.round(Number(input.value));
			if (input.value !== "" && Number.isFinite(value)) context.commit({ [name]: Math.max(least, Math.min(most, value)) });
			input.value = String(context.state[name]);
		}, signal);
	whole(n, "n", 1, MOST);
	whole(seed, "seed", 0, Number.MAX_SAFE_INTEGER);

	let offered: number[] = [];
	const state = () => {
		const { state, catalog } = context;
		const levels = catalog.tasks.find((one) => one.name === state.task)?.difficulties ?? [];
		setValue(task, state.task ?? "");
		if (!same(levels, offered)) difficulty.replaceChildren(...levels.map((one) => h("option", { value: one }, String(one))));
		offered = levels;
		setValue(difficulty, String(state.difficulty ?? ""));
		setValue(n, String(state.n));
		setValue(seed, String(state.seed));
		setShown(level, levels.length > 1);
		setShown(el, catalog.tasks.length > 0);
	};
	const catalog = () => {
		task.replaceChildren(...context.catalog.tasks.map((one) => h("option", { value: one.name }, one.title)), h("option", { value: "" }, "no task"));
		state();
	};
	return { el, catalog, state };
}

function field(name: string, control: HTMLElement): HTMLElement {
	return h("label", { class: "ck-inline" }, h("span", { class: "ck-mute" }, name), control);
}
