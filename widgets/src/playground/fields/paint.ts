// What was painted, in words; it is painted in the matrix of the painter.
import { h, setText } from "../../lib/dom";
import { counts, readPaint } from "../paint";
import type { Field, Json } from "../types";
import type { FieldControl } from "./field";

export function paintField(field: Field): FieldControl {
	const words = h("span", { "data-test": "paint-words" });
	const el = h("div", { class: "ck-field ck-field-paint", title: field.hint }, words);
	const show = (value: Json) => {
		const paint = readPaint(value);
		setText(words, `${paint ? painted(counts(paint)) : "nothing painted yet"} · paint in the matrix below`);
	};
	return { el, show };
}

/** Numbers of cells in words. */
export function painted({ closed, opened }: { closed: number; opened: number }): string {
	if (!closed && !opened) return "nothing painted yet";
	const cells = (count: number) => `${count} ${count === 1 ? "cell" : "cells"}`;
	return [closed ? `${cells(closed)} closed` : "", opened ? `${cells(opened)} opened` : ""].filter(Boolean).join(", ");
}
