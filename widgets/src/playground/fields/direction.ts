// A direction to steer along: one of the list, or one between two texts of the reader's own, fitted by Python.
import { freshId, h, listen, setShown } from "../../lib/dom";
import { same } from "../same";
import type { Field, Json } from "../types";
import type { FieldControl, FieldOptions, Tell } from "./field";

const OWN = "own";

export function directionField(field: Field & { type: "direction" }, options: FieldOptions, tell: Tell): FieldControl {
	const { signal, test } = options;
	const { choices } = field;
	const input = h("select", { "data-test": `field-${test}` }, ...choices.map((choice, i) => h("option", { value: i }, choice.label)), h("option", { value: OWN }, "two texts of your own…"));
	const side = (name: string, words: string) => {
		const box = h("textarea", { rows: 2, id: freshId(name), spellcheck: "false", dir: "auto", "data-test": `own-${name}`, placeholder: "one a line" });
		return { box, label: h("label", { for: box.id }, words) };
	};
	const [plus, minus] = [side("positive", "towards: texts that show it"), side("negative", "away from: texts that do not")];
	const layer = h("input", { type: "number", id: freshId("layer"), min: 0, max: options.layers, step: 1, value: field.layer, "data-test": "own-layer" });
	const fit = h("button", { type: "button", class: "ck-button ck-small", "data-test": "own-fit" }, "find the direction");
	const form = h("div", { class: "ck-own", role: "group", "aria-label": "Two texts of your own", hidden: true }, plus.label, plus.box, minus.label, minus.box, h("span", { class: "ck-inline" }, h("label", { for: layer.id }, "at layer"), layer, fit));
	const el = h("div", { class: "ck-field ck-field-direction", title: field.hint }, h("label", { class: "ck-field-pick" }, h("span", { class: "ck-field-name" }, field.label), input), form);
	let now: Json = null;

	const told = (value: Json) => {
		const at = choices.findIndex((choice) => same(choice.value, value));
		input.querySelector("[data-own]")?.remove();
		const name = value && typeof value === "object" && !Array.isArray(value) && typeof value.name === "string" ? value.name : "set in Python";
		if (at < 0 && value !== null) input.prepend(h("option", { value: -1, "data-own": true, disabled: true }, name));
		input.value = String(at);
	};
	listen(input, "change", () => {
		setShown(form, input.value === OWN);
		if (input.value === OWN) plus.box.focus();
		else tell(choices[Number(input.value)]?.value ?? null);
	}, signal);
	listen(fit, "click", () => {
		options.send({ type: "fit", positive: plus.box.value, negative: minus.box.value, layer: Math.max(0, Math.min(options.layers, Math.round(Number(layer.value)))) });
	}, signal);
	const show = (value: Json) => {
		const fresh = !same(value, now);
		now = value;
		if (input.value === OWN && !fresh) return; // the texts are being written
		told(value);
	};
	return { el, show };
}
