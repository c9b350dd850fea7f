// The answer after the thought: outline = what it is compared with, filled = now, numbers beside.
import { h, setAttributes, setShown, setText } from "../../lib/dom";
import { number, shown, unwordly, visible } from "../../lib/words";
import type { Answers, Steps } from "../types";

interface Bar {
	el: HTMLElement;
	draw(name: string, before: number | null, after: number): void;
}

export function answerBars(): { el: HTMLElement; draw(steps: Steps | null): void } {
	const bars: Bar[] = [];
	const list = h("div", { class: "ck-bars", role: "img", "data-test": "answers" });
	const outline = h("span");
	const key = h("div", { class: "ck-key", "aria-hidden": "true" }, h("span", { class: "ck-swatch ck-outline" }), outline, h("span", { class: "ck-swatch" }), "now");
	const note = h("p", { class: "ck-note" });
	const el = h("div", { class: "ck-answers" }, h("h4", {}, "Answer after the thought"), list, key, note);

	const draw = (steps: Steps | null) => {
		const answers = steps?.answers ?? null;
		setShown(el, answers !== null);
		if (!steps || !answers) return;
		const values = rowsOf(answers);
		while (bars.length < values.length) bars.push(bar());
		list.replaceChildren(...bars.slice(0, values.length).map((one) => one.el));
		values.forEach((one, i) => bars[i]?.draw(one.name, one.before, one.after));
		setAttributes(list, { "aria-label": `Answer after the thought: ${values.map((one) => `${one.name} ${moves(one.before, one.after)}`).join(", ")}` });
		setText(outline, steps.outline);
		setShown(key, steps.outline !== "");
		const top = answers.tokens.reduce((most, one) => (one.after > most.after ? one : most), { token: "x", before: null, after: 0 } as Answers["tokens"][number]);
		const what = unwordly(top.token);
		setText(note, what ? `The likeliest answer is ${what}. That is the model's answer, not a fault.` : "");
		setShown(note, what !== null);
	};
	return { el, draw };
}

/** The bars: the whole answer first where it is more than one token, then the likeliest tokens. */
function rowsOf(answers: Answers): { name: string; before: number | null; after: number }[] {
	const tokens = answers.tokens.map((one) => ({ name: shown(one.token), before: one.before, after: one.after }));
	if (answers.tokens.some((one) => one.token.trim() === answers.answer)) return tokens;
	return [{ name: `“${visible(answers.answer)}”`, before: answers.before, after: answers.after }, ...tokens];
}

function bar(): Bar {
	const [word, fill, ghost, old, now] = [h("span", { class: "ck-word" }), h("b"), h("i"), h("span"), h("em")];
	const el = h("div", { class: "ck-bar" }, word, h("span", { class: "ck-track" }, fill, ghost), h("span", { class: "ck-value" }, old, now));
	const draw = (name: string, before: number | null, after: number) => {
		setText(word, name);
		word.title = name;
		fill.style.width = `${100 * after}%`;
		setShown(ghost, before !== null);
		ghost.style.width = `${100 * (before ?? 0)}%`;
		setText(old, before === null ? "" : `${number(before)} → `);
		setText(now, number(after));
		el.dataset.after = String(after);
	};
	return { el, draw };
}

function moves(before: number | null, after: number): string {
	return before === null ? number(after) : `${number(before)} → ${number(after)}`;
}
