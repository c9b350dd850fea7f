// One step: its text, its bar with interval and outline, its number, its sentence.
import { h, setAttributes, setShown, setText } from "../../lib/dom";
import { tell } from "../../lib/parts";
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
	choose(on: boolean, tab: boolean): void;
}

export function row(index: number): Row {
	const [text, tag, mark] = [h("span", { class: "ck-step-words" }), h("span", { class: "ck-tag" }), h("span", { class: "ck-tag ck-edited" })];
	const pick = h("button", { type: "button", class: "ck-step-text", "data-test": `step-${index}`, dir: "auto" }, text, tag, mark);
	const place = h("span", {}, pick);
	const [fill, ghost, span, value, sentence] = [h("b"), h("i"), h("u"), h("em"), h("span", { class: "ck-step-sentence" })];
	const track = h("span", { class: "ck-track", "aria-hidden": "true" }, fill, ghost, span);
	const el = h("li", { class: "ck-step" }, place, track, h("span", { class: "ck-value" }, value), sentence);

	const draw = (step: Step, measured: Measured | null, scale: Scale) => {
		const at = (values: (number | null)[] | null | undefined) => values?.[index] ?? null;
		const [score, low, high, before] = [at(measured?.scores), at(measured?.low), at(measured?.high), at(measured?.before)];
		const width = (element: HTMLElement, value: number | null) => (element.style.width = `${share(Math.abs(value ?? 0), scale)}%`);
		const bounded = low !== null && high !== null;
		setText(text, visible(step.text));
		tell(tag, step.label ? `${SHAPES[step.label] ?? "▫"} ${step.label}` : "");
		tell(mark, changed(step, "✎ edited", "⋯ written on"));
		el.dataset.label = step.label ?? "";
		width(fill, score);
		fill.classList.toggle("ck-less", (score ?? 0) < 0);
		setShown(ghost, before !== null);
		width(ghost, before);
		setShown(span, bounded && high - low > 0.001);
		span.style.left = `${share(low ?? 0, scale)}%`;
		span.style.width = `${share(high ?? 0, scale) - share(low ?? 0, scale)}%`;
		setText(value, shownScore(score, scale));
		const said = measured?.sentences[index] ?? "";
		setText(sentence, said);
		const effect = score === null ? "" : `effect ${shownScore(score, scale)}${bounded ? `, between ${shownScore(low, scale)} and ${shownScore(high, scale)}` : ""}`;
		track.title = effect;
		setAttributes(pick, { "aria-label": [`Step ${index + 1}: ${text.textContent}`, step.label, changed(step), effect, said].filter(Boolean).join("; ") });
	};
	const choose = (on: boolean, tab: boolean) => {
		el.classList.toggle("ck-chosen", on);
		setAttributes(pick, { "aria-current": on && "true", tabindex: tab ? 0 : -1 });
	};
	return { el, pick, place, draw, choose };
}

/** Who changed a step: a person, or the model, which wrote it behind a beginning; nothing where it is as it was. */
export function changed(step: Step, edited = "edited", written = "written on"): string {
	return step.written ? written : step.edited ? edited : "";
}
