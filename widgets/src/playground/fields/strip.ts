// A strip of boxes (layers, heads, groups of blocks): click, drag or keys switch each on and off.
import { h, listen, setAttributes, setShown, setText } from "../../lib/dom";
import type { Field, Json } from "../types";
import type { FieldControl, FieldOptions, Tell } from "./field";

type StripOptions = Pick<FieldOptions, "test" | "layers" | "heads" | "signal">;

interface Kind {
	count: number;
	/** What a box is, in words. */
	word: string;
	/** Which boxes a value switches on; words where no strip can show it. */
	read(value: Json): number[] | string;
	write(on: number[]): Json;
}

const numbers = (value: Json, all: number): number[] => (Array.isArray(value) ? value.map(Number) : typeof value === "number" ? [value] : Array.from({ length: all }, (_, i) => i));

/** Layers: all on is told as null, unless every one of them is to be named. */
export function layerStrip(field: Field, options: StripOptions, tell: Tell): FieldControl {
	const count = options.layers;
	const every = field.type === "layers" && field.every === true;
	return strip(field, { count, word: "layer", read: (value) => (value === null && every ? [] : numbers(value, count)), write: (on) => (on.length === count && !every ? null : on) }, options, tell);
}

/** Heads, meant in each of the layers. Single heads of single layers are said in words. */
export function headStrip(field: Field, options: StripOptions, tell: Tell): FieldControl {
	const count = options.heads;
	const read = (value: Json) => (Array.isArray(value) && value.some(Array.isArray) ? `single heads: ${value.map((pair) => String(pair).replace(",", ".")).join(", ")}` : numbers(value, count));
	return strip(field, { count, word: "head", read, write: (on) => (on.length === count ? null : on) }, options, tell);
}

/** A digit for each group of blocks, the lowest first. */
export function codeStrip(field: Field, options: StripOptions, tell: Tell): FieldControl {
	const count = String(field.value).length;
	const read = (value: Json) => [...String(value ?? "")].flatMap((digit, i) => (digit === "1" ? [i] : []));
	return strip(field, { count, word: "group", read, write: (on) => Array.from({ length: count }, (_, i) => (on.includes(i) ? "1" : "0")).join("") }, options, tell);
}

function strip(field: Field, kind: Kind, options: StripOptions, tell: Tell): FieldControl {
	const { signal } = options;
	const { count, word } = kind;
	const boxes = Array.from({ length: count }, (_, i) => h("button", { type: "button", class: "ck-layer", "data-layer": i, "data-test": `field-${options.test}-${i}`, "aria-label": `${word} ${i}`, tabindex: i ? -1 : 0 }, String(i)));
	const row = h("div", { class: "ck-strip", role: "group", "aria-label": `${field.label}: arrow keys move, Space switches a ${word}` }, ...boxes);
	const words = h("span", { hidden: true });
	const el = h("div", { class: "ck-field ck-field-layers", title: field.hint }, h("span", { class: "ck-field-name" }, field.label), row, words);
	let on = new Set<number>();
	let painting: boolean | null = null;
	let last = 0;

	const draw = () => boxes.forEach((box, i) => setAttributes(box, { "aria-pressed": on.has(i) ? "true" : "false" }));
	const paint = (i: number, value: boolean) => {
		if (value) on.add(i);
		else on.delete(i);
		draw();
	};
	const done = () => {
		if (painting === null) return;
		painting = null;
		tell(kind.write([...on].sort((a, b) => a - b)));
	};

	drags(row, signal, {
		begin: (at) => {
			painting = !on.has(at);
			last = at;
			paint(at, painting);
		},
		over: (at) => {
			for (let i = Math.min(last, at); i <= Math.max(last, at); i++) paint(i, painting === true); // a quick pointer skips boxes
			last = at;
		},
		end: done,
	});
	listen(row, "click", (event) => {
		const at = boxOf(event);
		if (at === null || event.detail > 0) return; // a pointer was handled above; this is a key
		painting = !on.has(at);
		paint(at, painting);
		done();
	}, signal);
	listen(row, "keydown", (event) => {
		const at = boxOf(event);
		const to: Record<string, number> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -count, End: count };
		const by = to[event.key];
		if (at === null || by === undefined) return;
		event.preventDefault();
		const next = boxes[Math.max(0, Math.min(count - 1, at + by))];
		boxes.forEach((box) => setAttributes(box, { tabindex: box === next ? 0 : -1 }));
		next?.focus();
	}, signal);

	const show = (value: Json) => {
		const read = kind.read(value);
		on = new Set(typeof read === "string" ? [] : read);
		setText(words, typeof read === "string" ? read : "");
		setShown(words, typeof read === "string");
		draw();
	};
	return { el, show };
}

/** The number of the box that an event is for, or null. */
function boxOf(event: Event): number | null {
	const { target } = event;
	return target instanceof HTMLElement && target.dataset.layer !== undefined ? Number(target.dataset.layer) : null;
}

/** A pointer that is pressed on a box and drawn over others, until it is let go anywhere. */
export function drags(row: HTMLElement, signal: AbortSignal, to: { begin(box: number): void; over(box: number): void; end(): void }): void {
	let busy = false;
	listen(row, "pointerdown", (event) => {
		const at = boxOf(event);
		if (at === null || event.button !== 0) return;
		busy = true;
		if (event.target instanceof HTMLElement && event.target.hasPointerCapture?.(event.pointerId)) event.target.releasePointerCapture(event.pointerId);
		to.begin(at);
	}, signal);
	listen(row, "pointerover", (event) => {
		const at = boxOf(event);
		if (busy && at !== null) to.over(at);
	}, signal);
	const end = () => {
		if (busy) to.end();
		busy = false;
	};
	listen(window, "pointerup", end, signal);
	listen(window, "pointercancel", end, signal);
}
