// Which step changes what is written later: a square of cells with a number for the one that is pointed at.
import { bytes } from "../../lib/bytes";
import { h, listen, setShown, setText } from "../../lib/dom";
import { more, table } from "../../lib/parts";
import { moved } from "../../lib/keys";
import { short, signed } from "../../lib/words";
import type { Context, Panel } from "../context";
import { drawMatrix } from "../draw/matrix";
import { drawKey, ramp } from "../draw/ramp";
import type { Window } from "../draw/window";
import type { Cells } from "../measure";
import type { StepsOptions, Tensor } from "../types";

const [LARGEST, SMALLEST, MARGIN] = [22, 3, 26]; // CSS pixels of a cell, and of the room for numbers
const HINT = "A row is a step, its columns the steps before it. Blue: it changes more than most when that step is not looked at. Orange: less.";

/** The numbers as cells: a row for each later step, a column for each that it may read. Raises where bytes are missing. */
export function cellsOf({ shape, data }: Tensor): Cells {
	const size = shape[0] ?? 0;
	const raw = bytes(data);
	if (raw.length !== 4 * size * size) throw new Error(`a matrix of ${size} steps with ${raw.length} bytes`);
	const values = new Float32Array(raw.slice().buffer);
	return { size, values, open: Uint8Array.from(values, (_, i) => (i % size < Math.floor(i / size) ? 1 : 0)), dropped: null };
}

export function grid(context: Context): Panel {
	const { signal } = context;
	const canvas = h("canvas", { role: "img", "data-test": "step-matrix", "aria-label": "Steps and later steps; the numbers are in the table below" });
	const place = h("div", { class: "ck-grid-place", tabindex: 0, role: "group", "aria-label": "Step → later step. Arrow keys move from cell to cell." }, canvas);
	const words = h("div", { class: "ck-readout", "data-test": "step-readout" });
	const [low, key, high] = [h("span"), h("canvas", { class: "ck-ramp", "aria-hidden": "true" }), h("span")];
	const cellTable = more("step-matrix-table", "Show the cells as a table", signal, () => tableOf(cells));
	const el = h("div", { class: "ck-grid" }, h("h4", {}, "Step → later step, when the step is not looked at"), place, words, h("div", { class: "ck-key" }, low, key, high, h("span", { class: "ck-hatched", "aria-hidden": "true" }), "not later"), cellTable.el);
	let cells: Cells = { size: 0, values: new Float32Array(), open: new Uint8Array(), dropped: null };
	let names: string[] = [];
	let end = 1;
	let at: { row: number; column: number } | null = null;

	const windowOf = (): Window => {
		const room = Math.max(160, Math.min(460, el.clientWidth || 420)) - MARGIN;
		const cell = Math.max(SMALLEST, Math.min(LARGEST, room / (cells.size || 1)));
		const side = MARGIN + cells.size * cell + 1;
		return { width: side, height: side, left: MARGIN, top: MARGIN, cell, x: 0, y: 0 };
	};
	const paint = () => {
		const colors = ramp(context.theme, false);
		drawMatrix(canvas, { square: cells, labels: names.map((_, i) => `${i + 1}`), pieces: [], hidden: false, end, row: at?.row ?? null, column: at?.column ?? null }, windowOf(), colors, context.theme);
		drawKey(key, colors, context.theme, true);
		setText(words, at ? said(at.row, at.column) : HINT);
	};
	const said = (row: number, column: number) => (column < row ? `${names[row]} without a look at ${names[column]}: ${signed(cells.values[row * cells.size + column] ?? 0)}, beside the mean of its row` : `${names[column]} is not before ${names[row]}`);
	const point = (to: typeof at) => {
		at = to;
		paint();
	};
	listen(canvas, "pointermove", (event) => {
		const box = canvas.getBoundingClientRect();
		const [row, column] = [event.clientY - box.top, event.clientX - box.left].map((far) => Math.floor((far - MARGIN) / windowOf().cell)) as [number, number];
		point(Math.min(row, column) >= 0 && Math.max(row, column) < cells.size ? { row, column } : null);
	}, signal);
	listen(canvas, "pointerleave", () => point(null), signal);
	listen(place, "keydown", (event) => {
		const to = event.key === "Escape" ? null : moved(event.key, at ?? { row: 0, column: -1 }, cells.size, cells.size);
		if (event.ctrlKey || event.metaKey || (!to && !at)) return;
		if (!to && event.key !== "Escape") return;
		point(to);
		context.say(words.textContent ?? "");
		event.preventDefault();
	}, signal);

	const results = () => {
		const steps = (context.options("steps") as StepsOptions).matrix ? context.model.get("steps") : null;
		setShown(el, !!steps?.matrix);
		if (!steps?.matrix) return;
		cells = cellsOf(steps.matrix);
		names = steps.steps.map((step, i) => `step ${i + 1} (${short(step.text, 40)})`);
		end = cells.values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
		if (at && at.row >= cells.size) at = null;
		setText(low, signed(-end));
		setText(high, signed(end));
		cellTable.draw();
		paint();
	};
	return { el, results, theme: paint, resized: paint };
}

function tableOf({ size, values }: Cells): HTMLTableElement {
	const all = Array.from({ length: size }, (_, i) => i);
	const rows = all.map((row) => [`${row + 1}`, ...all.map((column) => (column < row ? signed(values[row * size + column] ?? 0) : ""))]);
	return table("log KL of the later step's words when they may not look at the step, less the mean of the row", ["later step", ...all.map((i) => `${i + 1}`)], rows);
}
