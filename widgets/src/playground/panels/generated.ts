// What the model writes on, before and after, from the same dice: it appears as it is written, and differences are marked.
import { changes, repeats, type Word } from "../../lib/changes";
import { freshId, h, listen, setAttributes, setShown, setText, setValue } from "../../lib/dom";
import { focused } from "../../lib/keys";
import { visible } from "../../lib/words";
import type { Context, Panel } from "../context";
import type { Generated, Written } from "../types";

const WISHES = [
	{ name: "temperature", label: "temperature", min: 0, max: 5, step: 0.1, usual: 0.8, title: "0 always takes the likeliest token; higher is more chance" },
	{ name: "length", label: "tokens", min: 1, max: 400, step: 1, usual: 24, title: "at most so many" },
	{ name: "seed", label: "seed", min: 0, max: 1_000_000, step: 1, usual: 0, title: "both texts are drawn with the same dice, so that a difference is the switches'" },
] as const;

export function generated(context: Context): Panel {
	const { signal } = context;
	const [old, now] = [block("before"), block("after")];
	const stop = h("button", { type: "button", class: "ck-button ck-small", "data-test": "stop-writing", hidden: true }, "stop");
	const again = h("button", { type: "button", class: "ck-button ck-small", "data-test": "other-dice", title: "Write both again with the next seed" }, "other dice");
	const inputs = WISHES.map((wish) => h("input", { type: "number", id: freshId(wish.name), min: wish.min, max: wish.max, step: wish.step, value: wish.usual, title: wish.title, "data-test": `generated-${wish.name}` }));
	const tools = h("div", { class: "ck-written-tools" }, ...WISHES.map((wish, i) => h("label", { for: inputs[i]!.id }, wish.label, " ", inputs[i]!)), again, stop);
	const none = h("p", { class: "ck-note" }, "not written yet");
	const same = h("p", { class: "ck-note", "data-test": "generated-same" });
	const el = h("section", { class: "ck-band ck-generated", "aria-label": "Written on", "data-test": "generated" }, h("div", { class: "ck-inline" }, h("h3", {}, "What it writes on"), tools), none, old.el, now.el, same);

	const wish = (i: number, value: number) => {
		const { name, min, max } = WISHES[i]!;
		if (Number.isFinite(value)) context.setOptions("generated", { [name]: Math.max(min, Math.min(max, name === "temperature" ? value : Math.round(value))) });
	};
	inputs.forEach((input, i) => listen(input, "change", () => wish(i, input.valueAsNumber), signal));
	listen(again, "click", () => wish(2, (Number(context.options("generated").seed ?? 0)) + 1), signal);
	listen(stop, "click", () => context.send({ type: "stop" }), signal);

	let drawn: Generated | null = null;
	const results = () => {
		const found = context.model.get("generated");
		const own = context.options("generated");
		inputs.forEach((input, i) => focused(input) !== input && setValue(input, String(own[WISHES[i]!.name] ?? WISHES[i]!.usual)));
		const busy = context.model.get("status")?.busy.includes("generated") ?? false;
		setShown(stop, busy);
		setShown(none, !found);
		setShown(old.el, !!found);
		setShown(now.el, !!found?.after);
		setShown(same, !!found);
		if (!found) return;
		el.classList.toggle("ck-stale", context.old(found));
		if (found === drawn) return;
		drawn = found;
		const [a, b] = [textOf(found.before), textOf(found.after)];
		const [left, right] = found.after ? changes(a, b) : [changes(a, a)[0], []];
		old.fill(left, found.before);
		now.fill(right, found.after);
		setText(same, found.running ? "writing …" : summary(found, left, right));
	};
	return { el, results, hears: ["generated", "status", "options"] };
}

interface Block {
	el: HTMLElement;
	fill(words: Word[], written: Written | null): void;
}

function block(name: "before" | "after"): Block {
	const text = h("span", { class: "ck-written-text", dir: "auto", "data-test": `generated-${name}` });
	const note = h("span", { class: "ck-note" });
	const el = h("div", { class: `ck-written ck-written-${name}` }, h("span", { class: "ck-tag" }, name), text, note);
	const fill = (words: Word[], written: Written | null) => {
		text.replaceChildren(...words.map(({ text, own }) => (own ? h("mark", { class: `ck-differs ck-differs-${name}` }, visible(text)) : visible(text))).flatMap((part) => [part, " "]));
		setText(note, written ? guard(written) : "");
		setAttributes(text, { "aria-label": `${name}: ${words.map((word) => visible(word.text)).join(" ")}` });
	};
	return { el, fill };
}

/** What to say of a text that ends at once, is cut off or turns in a circle: it is not the tool that is broken. */
export function guard({ tokens, stopped }: Written): string {
	const times = repeats(tokens.join(""));
	if (stopped === "end" && tokens.join("").trim() === "") return "It ends at once: the end of the text is the likeliest next token.";
	if (times >= 3) return `It says the same ${times} times: small models turn in circles, more so at a low temperature.`;
	if (stopped === "end") return "Ended by itself.";
	if (stopped === "length") return "Cut off at this length.";
	if (stopped === "context") return "Cut off where the model's context ends.";
	return stopped === null ? "" : "Stopped.";
}

function textOf(written: Written | null): string {
	return written?.tokens.join("") ?? "";
}

function summary({ after, seed, temperature }: Generated, left: Word[], right: Word[]): string {
	const dice = temperature === 0 ? "Always the likeliest token." : `Same dice for both (seed ${seed}).`;
	if (!after) return `${dice} Flip a switch to see what it would write then.`;
	const own = right.filter((word) => word.own).length + left.filter((word) => word.own).length;
	return own === 0 ? `${dice} Both texts are the same.` : `${dice} Dashed: only before. Underlined: only after.`;
}
