// Which step changes what is written later: a square of cells with a number for the one that is pointed at.
import { bytes } from "../../lib/bytes";
import { h, setAttributes, setShown, setText } from "../../lib/dom";
import { moved } from "../../lib/keys";
import { signed, visible } from "../../lib/words";
import type { Context } from "../context";
import { drawMatrix } from "../draw/matrix";
import { drawKey, ramp } from "../draw/ramp";
import type { Window } from "../draw/window";
import type { Cells } from "../measure";
import type { Steps, Tensor } from "../types";

const [LARGEST, SMALLEST, MARGIN] = [22, 3, 26]; // CSS pixels of a cell, and of the room for numbers

export interface Grid {
	el: HTMLElement;
	draw(steps: Steps | null): void;
	paint(): void;
}

/** The numbers as cells: a row for each later step, a column for each that it may read. Raises where bytes are missing. */
export function cellsOf({ shape, data }: Tensor): Cells {
	const size = shape[0] ?? 0;
	const raw = bytes(data);
	if (shape[1] !== size || raw.length !== 4 * size * size) throw new Error(`a matrix of shape [${shape.join(", ")}] with ${raw.length} bytes`);
	const values = new Float32Array(size * size);
	const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
	const open = new Uint8Array(size * size);
	for (let i = 0; i < values.length; i++) {
		values[i] = view.getFloat32(4 * i, true);
		open[i] = i % size < Math.floor(i / size) ? 1 : 0;
	}
	return { size, values, open, dropped: null };
}

export function grid(context: Context): Grid {
	const { signal } = context;
	const canvas = h("canvas", { role: "img", "data-test": "step-matrix", "aria-label": "Steps and later steps; the numbers are in the table below" });
	const place = h("div", { class: "ck-grid-place", tabindex: 0, role: "group", "aria-label": "Step → later step. Arrow keys move from cell to cell." }, canvas);
	const words = h("div", { class: "ck-readout", "data-test": "step-readout" });
	const [low, high] = [h("span"), h("span")];
	const key = h("canvas", { class: "ck-ramp", "aria-hidden": "true" });
	const table = h("div", { class: "ck-table", tabindex: 0, role: "group", "aria-label": "Table of step and later step" });
	const more = h("details", { class: "ck-more", "data-test": "step-matrix-table" }, h("summary", {}, "Show the cells as a table"), table);
	const title = h("h4", {}, "Step → later step, when the step is not looked at");
	const el = h("div", { class: "ck-grid" }, title, place, words, h("div", { class: "ck-key" }, low, key, high, h("span", { class: "ck-hatched", "aria-hidden": "true" }), "not later"), more);
	let cells: Cells | null = null;
	let shownSteps: Steps | null = null;
	let end = 1;
	let at: { row: number; column: number } | null = null;

	const windowOf = (): Window => {
		const size = Math.max(1, cells?.size ?? 1);
		const room = Math.max(160, Math.min(460, el.clientWidth || 420)) - MARGIN - 2;
		const cell = Math.max(SMALLEST, Math.min(LARGEST, room / size));
		return { width: MARGIN + size * cell + 1, height: MARGIN + size * cell + 1, left: MARGIN, top: MARGIN, cell, x: 0, y: 0 };
	};
	const paint = () => {
		if (!cells) return;
		const labels = Array.from({ length: cells.size }, (_, i) => String(i + 1));
		drawMatrix(canvas, { square: cells, labels, pieces: [], hidden: false, end, row: at?.row ?? null, column: at?.column ?? null }, windowOf(), ramp(context.theme, false), context.theme);
		drawKey(key, ramp(context.theme, false), context.theme, true);
		setText(words, at ? said(cells, shownSteps, at) : "A row is a step, its columns the steps before it. Blue: it changes more than most when that step is not looked at. Orange: less.");
	};
	const point = (to: typeof at, aloud: boolean) => {
		at = to;
		paint();
		if (aloud) context.say(words.textContent ?? "");
	};
	canvas.addEventListener("pointermove", (event) => {
		const box = canvas.getBoundingClientRect();
		const { cell } = windowOf();
		const [row, column] = [event.clientY - box.top, event.clientX - box.left].map((far) => Math.floor((far - MARGIN) / cell)) as [number, number];
		const inside = cells && row >= 0 && column >= 0 && row < cells.size && column < cells.size;
		point(inside ? { row, column } : null, false);
	}, { signal });
	canvas.addEventListener("pointerleave", () => point(null, false), { signal });
	place.addEventListener("keydown", (event) => {
		const to = cells && !event.ctrlKey && !event.metaKey && moved(event.key, at ?? { row: 0, column: -1 }, cells.size, cells.size);
		if (to) point(to, true);
		else if (event.key === "Escape" && at) point(null, false);
		else return;
		event.preventDefault();
	}, { signal });
	more.addEventListener("toggle", () => fill(more, table, cells), { signal });

	const draw = (steps: Steps | null) => {
		const matrix = steps?.matrix ?? null;
		setShown(el, matrix !== null);
		shownSteps = steps;
		if (!matrix) return;
		cells = cellsOf(matrix);
		end = Math.max(1e-6, ...cells.values.map(Math.abs));
		if (at && at.row >= cells.size) at = null;
		setText(low, signed(-end));
		setText(high, signed(end));
		setAttributes(canvas, { "data-end": end.toFixed(4) });
		fill(more, table, cells);
		paint();
	};
	return { el, draw, paint };
}

function said(cells: Cells, steps: Steps | null, { row, column }: { row: number; column: number }): string {
	const name = (i: number) => `step ${i + 1} (${visible(steps?.steps[i]?.text ?? "").slice(0, 40)})`;
	if (column >= row) return `${name(column)} is not before ${name(row)}`;
	const value = cells.values[row * cells.size + column] ?? 0;
	return `${name(row)} without a look at ${name(column)}: ${signed(value)}, beside the mean of its row`;
}

function fill(more: HTMLDetailsElement, place: HTMLElement, cells: Cells | null): void {
	if (!more.open || !cells) return;
	const all = Array.from({ length: cells.size }, (_, i) => i);
	const head = h("tr", {}, h("th", { scope: "col" }, "later step"), ...all.map((i) => h("th", { scope: "col" }, String(i + 1))));
	const body = all.map((row) => h("tr", {}, h("th", { scope: "row" }, String(row + 1)), ...all.map((column) => h("td", {}, column < row ? signed(cells.values[row * cells.size + column] ?? 0) : ""))));
	place.replaceChildren(h("table", {}, h("caption", {}, "log KL of the later step's words when they may not look at the step, minus the mean of the row"), h("thead", {}, head), h("tbody", {}, ...body)));
}
