// A strip of layer boxes: click, drag or keys switch each on and off. All on is told as null.
import { h, setAttributes } from "../../lib/dom";
import type { Field, Json } from "../types";
import type { FieldControl, FieldOptions, Tell } from "./field";

export function layerStrip(field: Field, options: FieldOptions, tell: Tell): FieldControl {
	const { signal, layers } = options;
	const boxes = Array.from({ length: layers }, (_, layer) => h("button", { type: "button", class: "ck-layer", "data-layer": layer, "data-test": `field-${options.test}-${layer}`, "aria-label": `layer ${layer}`, tabindex: layer ? -1 : 0 }, String(layer)));
	const strip = h("div", { class: "ck-strip", role: "group", "aria-label": `${field.label}: arrow keys move, Space switches a layer` }, ...boxes);
	const el = h("div", { class: "ck-field ck-field-layers", title: field.hint }, h("span", { class: "ck-field-name" }, field.label), strip);
	let on = new Set<number>();
	let painting: boolean | null = null;
	let last = 0;

	const draw = () => boxes.forEach((box, layer) => setAttributes(box, { "aria-pressed": on.has(layer) ? "true" : "false" }));
	const paint = (layer: number, value: boolean) => {
		if (value) on.add(layer);
		else on.delete(layer);
		draw();
	};
	const done = () => {
		if (painting === null) return;
		painting = null;
		tell(on.size === layers ? null : [...on].sort((a, b) => a - b));
	};
	const layerOf = (target: EventTarget | null) => (target instanceof HTMLElement && target.dataset.layer !== undefined ? Number(target.dataset.layer) : null);

	strip.addEventListener("pointerdown", (event) => {
		const layer = layerOf(event.target);
		if (layer === null || event.button !== 0) return;
		painting = !on.has(layer);
		last = layer;
		paint(layer, painting);
		if (event.target instanceof HTMLElement && event.target.hasPointerCapture?.(event.pointerId)) event.target.releasePointerCapture(event.pointerId);
	}, { signal });
	strip.addEventListener("pointerover", (event) => {
		const layer = layerOf(event.target);
		if (painting === null || layer === null) return;
		for (let i = Math.min(last, layer); i <= Math.max(last, layer); i++) paint(i, painting); // a quick pointer skips boxes
		last = layer;
	}, { signal });
	window.addEventListener("pointerup", done, { signal });
	window.addEventListener("pointercancel", done, { signal });
	strip.addEventListener("click", (event) => {
		const layer = layerOf(event.target);
		if (layer === null || event.detail > 0) return; // a pointer was handled above; this is a key
		painting = !on.has(layer);
		paint(layer, painting);
		done();
	}, { signal });
	strip.addEventListener("keydown", (event) => {
		const layer = layerOf(event.target);
		const to: Record<string, number> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -layers, End: layers };
		const by = to[event.key];
		if (layer === null || by === undefined) return;
		event.preventDefault();
		const next = boxes[Math.max(0, Math.min(layers - 1, layer + by))];
		boxes.forEach((box) => setAttributes(box, { tabindex: box === next ? 0 : -1 }));
		next?.focus();
	}, { signal });

	const show = (value: Json) => {
		const list = Array.isArray(value) ? value.map(Number) : typeof value === "number" ? [value] : boxes.map((_, layer) => layer);
		on = new Set(list);
		draw();
	};
	return { el, show };
}
