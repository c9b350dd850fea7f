// One setting of a switch as a native control. What was chosen is told on change, not while a thumb is dragged.
import { freshId, h, listen, setText, setValue } from "../../lib/dom";
import { signed } from "../../lib/words";
import type { Place } from "../places";
import { same } from "../same";
import type { Choice, Command, Field, Json } from "../types";
import { directionField } from "./direction";
import { paintField } from "./paint";
import { pairField, piecesField, placeField } from "./place";
import { rangeStrip } from "./range";
import { codeStrip, headStrip, layerStrip } from "./strip";

export interface FieldControl {
	el: HTMLElement;
	show(value: Json): void;
}

export interface FieldOptions {
	/** The end of its data-test name. */
	test: string;
	layers: number;
	heads: number;
	signal: AbortSignal;
	/** The pieces and places of the prompt on show; `typed`: of the prompt before anything was switched on. */
	pieces(typed?: boolean): string[];
	places(): Place[];
	/** Calls back with the words selected in the running text. */
	onSelected(listener: (words: string) => void): void;
	send(command: Command): void;
	/** An id that no other element has. */
	id(): string;
}

export type Tell = (value: Json) => void;

/** The control for a field. */
export function fieldControl(field: Field, options: FieldOptions, tell: Tell): FieldControl {
	switch (field.type) {
		case "choice":
		case "way":
			return select(field, field.choices, options, tell);
		case "direction":
			return directionField(field, options, tell);
		case "int":
			return whole(field, field.min, field.max, options, tell);
		case "number":
			return slider(field, field, options, tell);
		case "text":
			return line(field, options, tell);
		case "layers":
			return layerStrip(field, options, tell);
		case "heads":
			return headStrip(field, options, tell);
		case "code":
			return codeStrip(field, options, tell);
		case "paint":
			return paintField(field);
		case "place":
			return placeField(field, options, tell);
		case "pair":
			return pairField(field, options, tell);
		case "places":
			return piecesField(field, options, tell);
		case "range":
			return rangeStrip(field, field.min ?? 0, field.max ?? options.layers, options, tell);
	}
}

function select(field: Field, choices: Choice[], options: FieldOptions, tell: Tell): FieldControl {
	const input = h("select", { "data-test": `field-${options.test}` }, ...choices.map((choice, i) => h("option", { value: i }, choice.label)));
	listen(input, "change", () => tell(choices[Number(input.value)]?.value ?? null), options.signal);
	const show = (value: Json) => {
		const at = choices.findIndex((choice) => same(choice.value, value));
		input.querySelector("[data-own]")?.remove();
		if (at < 0) input.append(h("option", { value: -1, "data-own": true, disabled: true }, "set in Python"));
		setValue(input, String(at));
	};
	return { el: labelled(field, input), show };
}

function whole(field: Field, min: number, max: number, options: FieldOptions, tell: Tell): FieldControl {
	const input = h("input", { type: "number", min, max, step: 1, "data-test": `field-${options.test}` });
	const optional = field.type === "int" && field.optional === true;
	if (optional) input.placeholder = "no limit";
	listen(input, "change", () => {
		const value = Math.round(Number(input.value));
		if (input.value === "" && optional) return tell(null);
		if (input.value === "" || Number.isNaN(value)) return;
		input.value = String(Math.max(min, Math.min(max, value)));
		tell(Number(input.value));
	}, options.signal);
	return { el: labelled(field, input), show: (value) => setValue(input, value === null ? "" : String(value)) };
}

function slider(field: Field, limits: { min: number; max: number; step: number }, options: FieldOptions, tell: Tell): FieldControl {
	const { min, max, step } = limits;
	const input = h("input", { type: "range", min, max, step, id: freshId("range"), "data-test": `field-${options.test}` });
	const thumb = h("output", { for: input.id, class: "ck-thumb", "aria-hidden": "true" });
	const track = h("span", { class: "ck-slider" }, input, thumb);
	if (min < 0 && max > 0) track.prepend(h("i", { class: "ck-zero", style: `--at:${-min / (max - min)}` }));
	const digits = step < 0.1 ? 2 : step < 1 ? 1 : 0;
	const follow = () => {
		const value = Number(input.value);
		track.style.setProperty("--at", String((value - min) / (max - min)));
		setText(thumb, min < 0 ? signed(value, digits) : value.toFixed(digits));
	};
	listen(input, "input", follow, options.signal);
	listen(input, "change", () => tell(Number(input.value)), options.signal);
	const show = (value: Json) => {
		setValue(input, String(value ?? 0));
		follow();
	};
	return { el: labelled(field, track), show };
}

function line(field: Field, options: FieldOptions, tell: Tell): FieldControl {
	const input = h("input", { type: "text", spellcheck: "false", dir: "auto", "data-test": `field-${options.test}` });
	listen(input, "change", () => tell(input.value), options.signal);
	return { el: labelled(field, input), show: (value) => setValue(input, value === null ? "" : String(value)) };
}

function labelled(field: Field, control: HTMLElement): HTMLElement {
	const className = `ck-field ck-field-${field.type}`;
	return h("label", { class: className, title: field.hint }, h("span", { class: "ck-field-name" }, field.label), control);
}
