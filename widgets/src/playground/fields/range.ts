// A range of layers, [start, stop): two numbers, and a strip that shows them and takes a drag.
import { h, listen, setValue } from "../../lib/dom";
import type { Field, Json } from "../types";
import type { FieldControl, FieldOptions, Tell } from "./field";
import { drags } from "./strip";

export function rangeStrip(field: Field, min: number, max: number, options: FieldOptions, tell: Tell): FieldControl {
	const { signal } = options;
	const names = field.type === "range" && field.names ? field.names : ["start", "stop"];
	const number = (which: number) => h("input", { type: "number", min, max, step: 1, "aria-label": `${field.label}: ${names[which]}`, "data-test": `field-${options.test}-${names[which]}` });
	const [from, to] = [number(0), number(1)];
	const boxes = Array.from({ length: Math.max(0, max - min) }, (_, i) => h("i", { class: "ck-layer", "data-layer": min + i }, String(min + i)));
	const strip = h("div", { class: "ck-strip", "aria-hidden": "true" }, ...boxes);
	const numbers = h("span", { class: "ck-range" }, `${names[0]} `, from, ` ${names[1]} `, to);
	const el = h("div", { class: "ck-field ck-field-range", title: field.hint }, h("span", { class: "ck-field-name" }, field.label), strip, numbers);
	let range: [number, number] = [min, max];
	let anchor = 0;

	const draw = () => {
		setValue(from, String(range[0]));
		setValue(to, String(range[1]));
		boxes.forEach((box, i) => box.classList.toggle("ck-in", min + i >= range[0] && min + i < range[1]));
	};
	const within = (value: number) => Math.max(min, Math.min(max, Math.round(value)));
	const typed = () => {
		if (from.value === "" || to.value === "") return;
		const start = within(Number(from.value));
		range = [start, Math.max(start, within(Number(to.value)))];
		draw();
		tell([...range]);
	};
	listen(from, "change", typed, signal);
	listen(to, "change", typed, signal);

	const over = (layer: number) => {
		range = [Math.min(anchor, layer), Math.max(anchor, layer) + 1];
		draw();
	};
	drags(strip, signal, {
		begin: (layer) => {
			anchor = layer;
			over(layer);
		},
		over,
		end: () => tell([...range]),
	});

	const show = (value: Json) => {
		if (Array.isArray(value)) range = [Number(value[0] ?? min), Number(value[1] ?? max)];
		draw();
	};
	return { el, show };
}
