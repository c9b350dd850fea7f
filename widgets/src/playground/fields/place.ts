// A place in the prompt as a native control: a piece, a reading or a sentence from a list, or words of one's own.
import { h, listen, setShown, setValue } from "../../lib/dom";
import { same } from "../same";
import type { Field, Json } from "../types";
import type { FieldControl, FieldOptions, Tell } from "./field";

const OWN = "\u0000own";
const NONE = "\u0000none";

/** One place. */
export function placeField(field: Field, options: FieldOptions, tell: Tell): FieldControl {
	const optional = field.type === "place" && field.optional === true;
	const whole = field.type === "place" && field.whole === true;
	const one = chooser(options.test, field.label, { optional, whole }, options, tell);
	const el = h("div", { class: "ck-field ck-field-place", title: field.hint }, h("label", { class: "ck-field-name", for: one.input.id }, field.label), one.input, one.own);
	if (field.type === "place" && field.select) el.append(selection(options, tell));
	return { el, show: one.show };
}

/** Two places. */
export function pairField(field: Field, options: FieldOptions, tell: Tell): FieldControl {
	const labels = field.type === "pair" ? field.labels : ["", ""];
	let value: Json[] = [null, null];
	const both = labels.map((label, i) => chooser(`${options.test}-${i}`, label, {}, options, (place) => tell(value.map((old, at) => (at === i ? place : old)))));
	const el = h("div", { class: "ck-field ck-field-place", title: field.hint }, ...both.flatMap((one, i) => [h("label", { class: "ck-field-name", for: one.input.id }, labels[i]!), one.input, one.own]));
	const show = (now: Json) => {
		value = Array.isArray(now) ? now : [now, null];
		both.forEach((one, i) => one.show(value[i] ?? null));
	};
	return { el, show };
}

/** Some of the pieces. */
export function piecesField(field: Field, options: FieldOptions, tell: Tell): FieldControl {
	const boxes = h("span", { class: "ck-pieces", role: "group", "aria-label": field.label });
	const el = h("div", { class: "ck-field ck-field-place", title: field.hint }, h("span", { class: "ck-field-name" }, field.label), boxes);
	let on: Json[] = [];
	listen(boxes, "change", (event) => {
		if (!(event.target instanceof HTMLInputElement)) return;
		const name = event.target.value;
		const names = options.pieces();
		on = [...names.filter((one) => (one === name ? (event.target as HTMLInputElement).checked : on.includes(one)))];
		tell(on);
	}, options.signal);
	let names: string[] = [];
	const show = (value: Json) => {
		on = Array.isArray(value) ? value : value === null ? [] : [value];
		const now = options.pieces();
		if (!same(now, names)) boxes.replaceChildren(...now.map((name) => h("label", { class: "ck-check" }, h("input", { type: "checkbox", value: name, "data-test": `field-${options.test}-${name}` }), name)));
		names = now;
		for (const box of boxes.querySelectorAll("input")) box.checked = on.includes(box.value);
	};
	return { el, show };
}

/** A list of places. `optional`: or none. `whole`: pieces only. */
function chooser(test: string, label: string, { optional = false, whole = false }, options: FieldOptions, tell: Tell) {
	const { signal } = options;
	const input = h("select", { id: options.id(), "data-test": `field-${test}` });
	const own = h("input", { type: "text", spellcheck: "false", dir: "auto", "aria-label": `${label}: words of the text`, "data-test": `field-${test}-words`, hidden: true });
	let now: Json = null;
	listen(input, "change", () => {
		setShown(own, input.value === OWN);
		if (input.value === OWN) own.focus();
		else tell(input.value === NONE ? null : input.value);
	}, signal);
	listen(own, "change", () => own.value.trim() && tell(own.value.trim()), signal);
	let listed: unknown = null;
	const show = (value: Json) => {
		const places = whole ? options.pieces(true).map((name) => ({ label: name, value: name })) : options.places();
		if (!same(listed, places)) {
			const none = optional ? [h("option", { value: NONE }, "the whole prompt")] : [];
			const words = whole ? [] : [h("option", { value: OWN }, "words of the text…")];
			input.replaceChildren(...none, ...places.map((place) => h("option", { value: place.value }, place.label)), ...words);
			listed = places;
		}
		now = value;
		const known = typeof now === "string" && places.some((place) => place.value === now);
		const nothing = now === null && optional;
		setValue(input, known ? String(now) : nothing ? NONE : OWN);
		setShown(own, !known && !nothing);
		setValue(own, known || now === null ? "" : typeof now === "string" ? now : JSON.stringify(now));
	};
	return { input, own, show };
}

/** A button that takes the words selected in the running text. */
function selection(options: FieldOptions, tell: Tell): HTMLElement {
	const button = h("button", { type: "button", class: "ck-button ck-small", "data-test": `field-${options.test}-selected`, disabled: true }, "select words in the text");
	let words = "";
	options.onSelected((now) => {
		words = now;
		button.disabled = !now;
		button.textContent = now ? `take “${now.length > 22 ? `${now.slice(0, 21)}…` : now}”` : "select words in the text";
	});
	listen(button, "click", () => words && tell(words), options.signal);
	return button;
}
