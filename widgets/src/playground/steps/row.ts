// One step: its text, its bar with interval and outline, its number, its sentence.
import { h, setAttributes, setShown, setText } from "../../lib/dom";
import { visible } from "../../lib/words";
import type { Measured, Step } from "../types";
import { type Scale, share, shownScore } from "./scale";

/** Labels by word and shape. */
const SHAPES: Record<string, string> = { true: "●", decoy: "○", check: "◇" };

export interface Row {
	el: HTMLElement;
	pick: HTMLButtonElement;
	/** Where the text stands, or the field while it is edited. */
	place: HTMLElement;
	draw(step: Step, measured: Measured | null, scale: Scale): void;
	choose(on: boolean): void;
}

export function row(index: number): Row {
	const text = h("span", { class: "ck-step-words" });
	const tag = h("span", { class: "ck-tag" });
	const mark = h("span", { class: "ck-tag ck-edited" }, "✎ edited");
	const pick = h("button", { type: "button", class: "ck-step-text", "data-test": `step-${index}`, tabindex: -1, dir: "auto" }, text, tag, mark);
	const place = h("span", { class: "ck-step-place" }, pick);
	const [fill, ghost, span] = [h("b"), h("i"), h("u")];
	const track = h("span", { class: "ck-track", "aria-hidden": "true" }, fill, ghost, span);
	const value = h("em");
	const sentence = h("span", { class: "ck-step-sentence" });
	const el = h("li", { class: "ck-step" }, place, track, h("span", { class: "ck-value" }, value), sentence);

	const draw = (step: Step, measured: Measured | null, scale: Scale) => {
		setText(text, visible(step.text));
		setText(tag, step.label ? `${SHAPES[step.label] ?? "▫"} ${step.label}` : "");
		setShown(tag, step.label !== null);
		setShown(mark, step.edited);
		el.dataset.label = step.label ?? "none";
		const [score, low, high, before] = [measured?.scores[index] ?? null, measured?.low[index] ?? null, measured?.high[index] ?? null, measured?.before?.[index] ?? null];
		fill.style.width = `${share(Math.abs(score ?? 0), scale)}%`;
		fill.classList.toggle("ck-less", (score ?? 0) < 0);
		setShown(ghost, before !== null);
		ghost.style.width = `${share(Math.abs(before ?? 0), scale)}%`;
		setShown(span, low !== null && high !== null && high - low > 0.001);
		span.style.left = `${share(low ?? 0, scale)}%`;
		span.style.width = `${share(high ?? 0, scale) - share(low ?? 0, scale)}%`;
		setText(value, shownScore(score, scale));
		const said = measured?.sentences[index] ?? "";
		setText(sentence, said);
		const range = low !== null && high !== null ? `, between ${shownScore(low, scale)} and ${shownScore(high, scale)}` : "";
		const effect = score === null ? "" : `effect ${shownScore(score, scale)}${range}`;
		setAttributes(track, { title: effect || null });
		setAttributes(pick, { "aria-label": [`Step ${index + 1}: ${text.textContent}`, step.label, step.edited ? "edited" : null, effect, said].filter(Boolean).join("; ") });
	};
	const choose = (on: boolean) => {
		el.classList.toggle("ck-chosen", on);
		setAttributes(pick, { "aria-current": on ? "true" : null });
	};
	return { el, pick, place, draw, choose };
}
