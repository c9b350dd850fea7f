// The labels of a matrix.
import { css, type Theme } from "../../lib/theme";
import { type Matrix, visible, type Window } from "./window";

const FONT = '"DejaVu Sans Mono", ui-monospace, Menlo, Consolas, monospace';
const APART = 11; // CSS pixels between two labels, and the size of their type
export const WORDS = 5.2; // CSS pixels of a cell from which on words are labels, not the pieces

/** Words at the rows and columns, those that have room, or else the pieces by name. On a canvas of the page a font makes
 * the page lay itself out: this is for one beside it. */
export function drawLabels(context: CanvasRenderingContext2D, matrix: Matrix, window: Window, theme: Theme): void {
	const { rows, columns } = visible(window, matrix.square.size);
	const one = writer(context, matrix, window, theme);
	if (window.cell >= WORDS) {
		for (const i of withRoom(matrix.labels, window.cell)) {
			if (i >= rows[0] && i < rows[1]) one(i, false, false);
			if (i >= columns[0] && i < columns[1]) one(i, false, true);
		}
	} else pieceLabels(matrix, window).forEach((piece) => [false, true].forEach((vertical) => one(piece.start, false, vertical, piece.name)));
}

/** The words of the row and the column that are marked, over those of all. */
export function drawMarked(context: CanvasRenderingContext2D, matrix: Matrix, window: Window, theme: Theme): void {
	if (matrix.row === null && matrix.column === null) return;
	const one = writer(context, matrix, window, theme);
	if (matrix.row !== null) one(matrix.row, true, false);
	if (matrix.column !== null) one(matrix.column, true, true);
}

/** Which labels have room at cells of this side: all, or those with the most letters, as a word says more than a stop. */
export function withRoom(labels: string[], cell: number): number[] {
	const apart = Math.ceil(APART / cell);
	const letters = labels.map((label) => label.match(/[\p{L}\p{N}]/gu)?.length ?? 0);
	const taken = new Set<number>();
	const best = labels.map((_, i) => i).sort((a, b) => letters[b]! - letters[a]! || a - b);
	return best.filter((i) => {
		for (let near = i - apart + 1; near < i + apart; near++) if (taken.has(near)) return false;
		return taken.add(i);
	});
}

function writer(context: CanvasRenderingContext2D, matrix: Matrix, window: Window, theme: Theme): (i: number, marked: boolean, vertical: boolean, label?: string) => void {
	const size = matrix.square.size;
	const words = window.cell >= WORDS;
	context.textBaseline = "middle";
	context.direction = "ltr";
	return (i, marked, vertical, label = matrix.labels[i] ?? "") => {
		const end = size * window.cell - (words ? 0 : 6);
		const at = Math.min(end, Math.max((i + 0.5) * window.cell, words ? 0 : 5)) - (vertical ? window.x : window.y) + (vertical ? window.left : window.top);
		if (at < (vertical ? window.left : window.top) || at > (vertical ? window.width : window.height)) return;
		context.save();
		context.translate(vertical ? at : window.left - 5, vertical ? window.top - 5 : at);
		if (vertical) context.rotate(-Math.PI / 2);
		context.textAlign = vertical ? "left" : "right";
		context.font = `${marked ? "600 " : ""}${APART}px ${FONT}`;
		const room = (vertical ? window.top : window.left) - 7;
		if (marked) paperUnder(context, room, vertical, theme);
		context.fillStyle = css(marked ? theme.ink : theme.mute);
		context.fillText(cut(context, label, room), 0, 0.5);
		context.restore();
	};
}

/** Where words have no room: the names of the pieces, those that do not touch each other. */
function pieceLabels({ pieces }: Matrix, window: Window): { name: string; start: number }[] {
	let last = -Infinity;
	return pieces.filter(({ start }) => {
		const free = (start - last) * window.cell >= APART;
		if (free) last = start;
		return free;
	});
}

/** A marked label covers its neighbours, all of them: the end of a longer one would read as its own. */
function paperUnder(context: CanvasRenderingContext2D, room: number, vertical: boolean, theme: Theme): void {
	context.fillStyle = css(theme.paper);
	context.fillRect(vertical ? -2 : -room - 2, -7, room + 4, 14);
}

function cut(context: CanvasRenderingContext2D, label: string, room: number): string {
	if (context.measureText(label).width <= room) return label;
	let text = [...label];
	while (text.length > 1 && context.measureText(`${text.join("")}…`).width > room) text = text.slice(0, -1);
	return `${text.join("")}…`;
}
