// The labels of a matrix.
import { css, type Theme } from "../../lib/theme";
import { type Matrix, visible, type Window } from "./window";

const FONT = '"DejaVu Sans Mono", ui-monospace, Menlo, Consolas, monospace';
const ALL_LABELS = 9.4; // CSS pixels a cell needs for a label of its own
export const HALF_LABELS = 5.2;

/** Words at the rows and columns: all where there is room, every second, or else the pieces by name. On a canvas of the
 * page a font makes the page lay itself out: this is for one beside it. */
export function drawLabels(context: CanvasRenderingContext2D, matrix: Matrix, window: Window, theme: Theme): void {
	const { rows, columns } = visible(window, matrix.square.size);
	const every = everyNth(window);
	const one = writer(context, matrix, window, theme);
	if (every) {
		for (let i = rows[0]; i < rows[1]; i++) if (i % every === 0) one(i, false, false);
		for (let j = columns[0]; j < columns[1]; j++) if (j % every === 0) one(j, false, true);
	} else pieceLabels(matrix, window).forEach((piece) => [false, true].forEach((vertical) => one(piece.start, false, vertical, piece.name)));
}

/** The words of the row and the column that are marked, over those of all. */
export function drawMarked(context: CanvasRenderingContext2D, matrix: Matrix, window: Window, theme: Theme): void {
	if (matrix.row === null && matrix.column === null) return;
	const one = writer(context, matrix, window, theme);
	if (matrix.row !== null) one(matrix.row, true, false);
	if (matrix.column !== null) one(matrix.column, true, true);
}

/** One of so many words is written. */
function everyNth(window: Window): number {
	return window.cell >= ALL_LABELS ? 1 : window.cell >= HALF_LABELS ? 2 : 0;
}

function writer(context: CanvasRenderingContext2D, matrix: Matrix, window: Window, theme: Theme): (i: number, marked: boolean, vertical: boolean, label?: string) => void {
	const size = matrix.square.size;
	const every = everyNth(window);
	const font = every ? Math.min(11.5, Math.max(9.2, every * window.cell * 0.96)) : 10;
	context.textBaseline = "middle";
	context.direction = "ltr";
	return (i, marked, vertical, label = matrix.labels[i] ?? "") => {
		const end = size * window.cell - (every ? 0 : 6);
		const at = Math.min(end, Math.max((i + 0.5) * window.cell, every ? 0 : 5)) - (vertical ? window.x : window.y) + (vertical ? window.left : window.top);
		if (at < (vertical ? window.left : window.top) || at > (vertical ? window.width : window.height)) return;
		context.save();
		context.translate(vertical ? at : window.left - 5, vertical ? window.top - 5 : at);
		if (vertical) context.rotate(-Math.PI / 2);
		context.textAlign = vertical ? "left" : "right";
		context.font = `${marked ? "600 11" : font}px ${FONT}`;
		if (marked) paperUnder(context, label, vertical, theme);
		context.fillStyle = css(marked ? theme.ink : theme.mute);
		context.fillText(cut(context, label, (vertical ? window.top : window.left) - 7), 0, 0.5);
		context.restore();
	};
}

/** Where words have no room: the names of the pieces, those that do not touch each other. */
function pieceLabels({ pieces }: Matrix, window: Window): { name: string; start: number }[] {
	let last = -Infinity;
	return pieces.filter(({ start }) => {
		const free = (start - last) * window.cell >= 11;
		if (free) last = start;
		return free;
	});
}

/** A marked label may cover its neighbours. */
function paperUnder(context: CanvasRenderingContext2D, label: string, vertical: boolean, theme: Theme): void {
	const width = context.measureText(label).width + 4;
	context.fillStyle = css(theme.paper);
	context.fillRect(vertical ? -2 : -width + 2, -7, width, 14);
}

function cut(context: CanvasRenderingContext2D, label: string, room: number): string {
	if (context.measureText(label).width <= room) return label;
	let text = [...label];
	while (text.length > 1 && context.measureText(`${text.join("")}…`).width > room) text = text.slice(0, -1);
	return `${text.join("")}…`;
}
