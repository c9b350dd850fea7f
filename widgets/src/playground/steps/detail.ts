// The chosen step: what four measures say of it, and what it reads.
import { h, setShown, setText } from "../../lib/dom";
import { number, short, visible } from "../../lib/words";
import type { Measured, Steps } from "../types";

const FOUR = ["true-thinking", "early", "suppress", "mistake"];
const CORNERS = ["step intact, context intact", "step broken, context intact", "step intact, context broken", "step broken, context broken"];

export interface Detail {
	el: HTMLElement;
	draw(steps: Steps | null, index: number | null, busy: boolean): void;
}

export function detail(signal: AbortSignal, edit: () => void): Detail {
	const title = h("h4");
	const text = h("span", { class: "ck-step-words", dir: "auto" });
	const button = h("button", { type: "button", class: "ck-button ck-small", "data-test": "edit-step" }, "edit this step");
	const list = h("ul", { class: "ck-evaluations", "data-test": "evaluations" });
	const el = h("div", { class: "ck-detail", "data-test": "step-detail" }, h("div", { class: "ck-inline" }, title, text, button), list);
	button.addEventListener("click", edit, { signal });
	const draw = (steps: Steps | null, index: number | null, busy: boolean) => {
		const step = index === null ? undefined : steps?.steps[index];
		setShown(el, step !== undefined);
		if (!steps || !step || index === null) return;
		setText(title, `Step ${index + 1}`);
		setText(text, visible(step.text));
		list.replaceChildren(...FOUR.flatMap((name) => one(steps, name, index, busy)), ...reads(step.reads));
	};
	return { el, draw };
}

function one(steps: Steps, name: string, index: number, busy: boolean): HTMLElement[] {
	const method = steps.methods.find((each) => each.name === name);
	if (!method) return [];
	const found = steps.measures[name];
	const said = found ? found.sentences[index] || (found.scores[index] === null ? "" : `effect ${number(found.scores[index] ?? 0)}`) : "";
	const corners = name === "true-thinking" && found ? square(found, index) : null;
	return [line(method.label, method.hint, said || (busy ? "measuring…" : "not measured"), said ? "" : "ck-mute", corners)];
}

/** The early answer with the step and its context intact or broken: four probabilities. */
function square(found: Measured, index: number): HTMLElement | null {
	const values = CORNERS.map((name) => found.evaluations[name]?.[index] ?? null);
	if (values.some((value) => value === null)) return null;
	const [a, b, c, d] = values.map((value) => number(value ?? 0)) as [string, string, string, string];
	const pair = (name: string, left: string, right: string) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, left), h("td", {}, right));
	const head = h("tr", {}, h("td"), h("th", { scope: "col" }, "step intact"), h("th", { scope: "col" }, "step broken"));
	return h("table", { class: "ck-corners" }, h("caption", {}, `probability of “${visible(found.answer)}”`), h("thead", {}, head), h("tbody", {}, pair("context intact", a, b), pair("context broken", c, d)));
}

function reads(found: Steps["steps"][number]["reads"]): HTMLElement[] {
	if (!found.length) return [];
	const parts = found.map((one) => `${one.name.startsWith("step ") ? one.name : `“${short(one.text, 30)}”`} ${number(one.share)}`);
	return [line("its words read", "shares of its words' attention, the mean over all layers and heads", parts.join(" · "), "ck-reads")];
}

function line(name: string, hint: string, words: string, look: string, more: HTMLElement | null = null): HTMLElement {
	return h("li", {}, h("span", { class: "ck-mute", title: hint }, name), h("span", { class: look }, words, ...(more ? [more] : [])));
}
