// The next token: outline = before, filled = after, numbers beside.
import { h, setAttributes, setShown, setText } from "../../lib/dom";
import { number, shown, unwordly } from "../../lib/words";
import type { Context, Panel } from "../context";
import type { NextToken } from "../types";

export function nextTokens(context: Context): Panel {
	const bars = h("div", { class: "ck-bars", role: "img", "data-test": "next-tokens" });
	const word = h("p", { class: "ck-note", "data-test": "next-note", hidden: true });
	const now = [h("span", { class: "ck-swatch" }), h("span", {}, "after")];
	const key = h("div", { class: "ck-key", "aria-hidden": "true" }, h("span", { class: "ck-swatch ck-outline" }), "before", ...now);
	const table = h("div", { class: "ck-table", tabindex: 0, role: "group", "aria-label": "Table of next tokens" });
	const more = h("details", { class: "ck-more", "data-test": "next-table" }, h("summary", {}, "Show as table"), table);
	const el = h("section", { class: "ck-panel ck-next", "aria-label": "Next token" }, h("h3", {}, "Next token"), h("p", { class: "ck-none" }, "no numbers yet"), bars, key, word, more);
	const made: Bar[] = []; // they stay: to lay out new ones takes the page longer than to change these
	context.view.on((look, changed) => {
		if (!look.frame || !changed("frame")) return;
		const { next, after } = look.frame;
		const idle = after === null;
		while (made.length < next.length) bars.append(made[made.push(bar()) - 1]!.el);
		while (made.length > next.length) made.pop()!.el.remove();
		made.forEach((one, i) => one.draw(next[i]!, idle));
		bars.setAttribute("aria-label", `Next token: ${next.slice(0, 5).map((one) => `${shown(one.token)} ${numbers(one, idle)}`).join(", ")}`);
		now.forEach((part) => setShown(part, !idle));
		const note = guardrail(next, idle);
		setText(word, note);
		setShown(word, note !== "");
		table.replaceChildren(build(next, idle));
	});
	return { el };
}

interface Bar {
	el: HTMLElement;
	draw(one: NextToken, idle: boolean): void;
}

function bar(): Bar {
	const [word, filled, ghost, old, value] = [h("span", { class: "ck-word" }), h("b"), h("i"), h("span"), h("em")];
	const el = h("div", { class: "ck-bar" }, word, h("span", { class: "ck-track" }, filled, ghost), h("span", { class: "ck-value" }, old, value));
	const draw = (one: NextToken, idle: boolean) => {
		if (el.dataset.token !== one.token) word.replaceChildren(...spaced(one.token));
		setAttributes(el, { "data-token": one.token });
		setAttributes(word, { title: shown(one.token) });
		setAttributes(filled, { style: `width:${100 * (one.after ?? 0)}%`, hidden: idle });
		setAttributes(ghost, { style: `width:${100 * one.before}%`, class: idle ? "ck-only" : null });
		setText(old, idle ? "" : `${number(one.before)} → `);
		setText(value, number(idle ? one.before : (one.after ?? 0)));
	};
	return { el, draw };
}

/** A word; the space that belongs to it is a quiet dot. */
function spaced(token: string): (Node | string)[] {
	const inner = token.length > 1 && token.startsWith(" ");
	return inner ? [h("span", { class: "ck-dot" }, "·"), shown(token)] : [shown(token)];
}

function numbers(one: NextToken, idle: boolean): string {
	return idle ? number(one.before) : `${number(one.before)} → ${number(one.after ?? 0)}`;
}

/** What to say where the likeliest token is no word: it is not the tool that is broken. */
function guardrail(next: NextToken[], idle: boolean): string {
	const value = (one: NextToken) => (idle ? one.before : (one.after ?? 0));
	const top = [...next].sort((a, b) => value(b) - value(a))[0];
	const what = top ? unwordly(top.token) : null;
	return what ? `The likeliest next token is ${what}. That is the model's answer, not a fault.` : "";
}

function build(next: NextToken[], idle: boolean): HTMLTableElement {
	const names = ["token", "before", ...(idle ? [] : ["after"])];
	const rows = next.map((one) => h("tr", {}, h("th", { scope: "row" }, shown(one.token)), h("td", {}, one.before.toFixed(4)), ...(idle ? [] : [h("td", {}, (one.after ?? 0).toFixed(4))])));
	return h("table", {}, h("caption", {}, "Probability of the next token"), h("thead", {}, h("tr", {}, ...names.map((name) => h("th", { scope: "col" }, name)))), h("tbody", {}, ...rows));
}
