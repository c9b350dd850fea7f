// The answer after the thought: outline = what it is compared with, filled = now, numbers beside.
import { h, setShown, setText } from "../../lib/dom";
import { tell } from "../../lib/parts";
import { number, shown, unwordly, visible } from "../../lib/words";
import type { Answers, Steps } from "../types";

const MOST = 6;

export function answerBars(): { el: HTMLElement; draw(steps: Steps | null): void } {
	const bars = Array.from({ length: MOST }, bar);
	const list = h("div", { role: "img", "data-test": "answers" }, ...bars.map((one) => one.el));
	const outline = h("span");
	const key = h("div", { class: "ck-key", "aria-hidden": "true" }, h("span", { class: "ck-swatch ck-outline" }), outline, h("span", { class: "ck-swatch" }), "now");
	const note = h("p", { class: "ck-note" });
	const el = h("div", { class: "ck-answers" }, h("h4", {}, "Answer after the thought"), list, key, note);
	const draw = (steps: Steps | null) => {
		const answers = steps?.answers;
		setShown(el, !!answers);
		if (!steps || !answers) return;
		const rows = rowsOf(answers);
		bars.forEach((one, i) => one.draw(rows[i]));
		list.setAttribute("aria-label", `Answer after the thought: ${rows.map((row) => `${row[0]} ${moves(row)}`).join(", ")}`);
		setText(outline, steps.outline);
		setShown(key, steps.outline !== "");
		const top = [...answers.tokens].sort((a, b) => b.after - a.after)[0];
		const what = top ? unwordly(top.token) : null;
		tell(note, what ? `The likeliest answer is ${what}. That is the model's answer, not a fault.` : "");
	};
	return { el, draw };
}

type Bar = [name: string, before: number | null, after: number];

/** The bars: the whole answer first where it is more than one token, then the likeliest tokens. */
function rowsOf({ answer, before, after, tokens }: Answers): Bar[] {
	const bars = tokens.map((one): Bar => [shown(one.token), one.before, one.after]);
	return tokens.some((one) => one.token.trim() === answer) ? bars : [[`“${visible(answer)}”`, before, after], ...bars];
}

function bar(): { el: HTMLElement; draw(row: Bar | undefined): void } {
	const [word, fill, ghost, value] = [h("span", { class: "ck-word" }), h("b"), h("i"), h("span", { class: "ck-value" })];
	const el = h("div", { class: "ck-bar" }, word, h("span", { class: "ck-track" }, fill, ghost), value);
	const draw = (row: Bar | undefined) => {
		setShown(el, !!row);
		if (!row) return;
		const [name, before, after] = row;
		setText(word, name);
		word.title = name;
		fill.style.width = `${100 * after}%`;
		setShown(ghost, before !== null);
		ghost.style.width = `${100 * (before ?? 0)}%`;
		value.replaceChildren(...(before === null ? [] : [`${number(before)} → `]), h("em", {}, number(after)));
	};
	return { el, draw };
}

function moves([, before, after]: Bar): string {
	return (before === null ? "" : `${number(before)} → `) + number(after);
}
