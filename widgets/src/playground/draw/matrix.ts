// One head as a matrix: rows read columns. Draws the part that a window onto it shows.
import { pixelRatio, sized } from "../../lib/canvas";
import { css, type Theme } from "../../lib/theme";
import { type Cells, pool } from "../measure";
import { image, place, type Ramp } from "./ramp";

export interface Window {
	width: number;
	height: number;
	/** Room for the labels. */
	left: number;
	top: number;
	/** The side of a cell, in CSS pixels. */
	cell: number;
	/** How far it is scrolled. */
	x: number;
	y: number;
}

export interface Matrix {
	square: Cells;
	labels: string[];
	/** Pieces of the text, and the token at which each begins. */
	pieces: { name: string; start: number }[];
	end: number;
	row: number | null;
	column: number | null;
}

const FONT = '"DejaVu Sans Mono", ui-monospace, Menlo, Consolas, monospace';
const ALL_LABELS = 8.6; // CSS pixels a cell needs for a label of its own
const HALF_LABELS = 5.4;

export function drawMatrix(canvas: HTMLCanvasElement, matrix: Matrix, window: Window, colors: Ramp, theme: Theme): void {
	const context = sized(canvas, window.width, window.height);
	if (!context) return;
	context.save();
	context.beginPath();
	context.rect(window.left, window.top, window.width - window.left, window.height - window.top);
	context.clip();
	drawHatch(context, matrix.square, window, theme);
	if (window.cell >= 4) drawCells(context, matrix, window, colors);
	else drawImage(context, matrix, window, colors);
	drawBorders(context, matrix, window, theme);
	drawMarks(context, matrix, window, theme);
	context.restore();
	drawLabels(context, matrix, window, theme);
}

/** Where a cell begins, on whole device pixels. */
function snap(value: number): number {
	return Math.round(value * pixelRatio()) / pixelRatio();
}

function visible(window: Window, size: number): { rows: [number, number]; columns: [number, number] } {
	const range = (from: number, room: number): [number, number] => [Math.max(0, Math.floor(from / window.cell)), Math.min(size, Math.ceil((from + room) / window.cell))];
	return { rows: range(window.y, window.height - window.top), columns: range(window.x, window.width - window.left) };
}

function drawCells(context: CanvasRenderingContext2D, { square, end }: Matrix, window: Window, colors: Ramp): void {
	const { rows, columns } = visible(window, square.size);
	const gap = window.cell >= 7 ? 1 : 0.5;
	for (let i = rows[0]; i < rows[1]; i++) {
		const y = snap(window.top + i * window.cell - window.y);
		const height = snap(window.top + (i + 1) * window.cell - window.y) - y - gap;
		for (let j = columns[0]; j < columns[1]; j++) {
			const value = square.values[i * square.size + j] ?? 0;
			if (value === 0) continue;
			const x = snap(window.left + j * window.cell - window.x);
			context.fillStyle = colors.colors[place(value, end)] ?? "";
			context.fillRect(x, y, snap(window.left + (j + 1) * window.cell - window.x) - x - gap, height);
		}
	}
}

function drawImage(context: CanvasRenderingContext2D, { square, end }: Matrix, window: Window, colors: Ramp): void {
	const side = square.size * window.cell;
	const pooled = pool(square, Math.floor(side * pixelRatio()));
	const picture = image(pooled, colors, end);
	if (!picture) return;
	const factor = Math.ceil(square.size / pooled.size) || 1;
	context.imageSmoothingEnabled = false;
	context.drawImage(picture, window.left - window.x, window.top - window.y, pooled.size * factor * window.cell, pooled.size * factor * window.cell);
}

function drawHatch(context: CanvasRenderingContext2D, square: Cells, window: Window, theme: Theme): void {
	const { rows, columns } = visible(window, square.size);
	const masked = new Path2D();
	for (let i = rows[0]; i < rows[1]; i++) {
		for (let j = columns[0]; j < columns[1]; j++) {
			if (square.open[i * square.size + j]) continue;
			const from = j;
			while (j + 1 < columns[1] && !square.open[i * square.size + j + 1]) j++;
			masked.rect(window.left + from * window.cell - window.x, window.top + i * window.cell - window.y, (j + 1 - from) * window.cell, window.cell);
		}
	}
	context.save();
	context.clip(masked);
	context.strokeStyle = css(theme.line);
	context.lineWidth = 1;
	context.beginPath();
	const step = 8;
	for (let k = -window.height; k < window.width; k += step) {
		const x = k - ((window.x + window.y) % step);
		context.moveTo(x, window.height);
		context.lineTo(x + window.height, 0);
	}
	context.stroke();
	context.restore();
}

function drawBorders(context: CanvasRenderingContext2D, { pieces, square }: Matrix, window: Window, theme: Theme): void {
	context.strokeStyle = css(theme.mute);
	context.globalAlpha = 0.55;
	context.lineWidth = 1;
	context.setLineDash([2, 3]);
	context.beginPath();
	const far = square.size * window.cell;
	for (const { start } of pieces) {
		if (start === 0) continue;
		const x = snap(window.left + start * window.cell - window.x) - 0.5;
		const y = snap(window.top + start * window.cell - window.y) - 0.5;
		context.moveTo(x, window.top);
		context.lineTo(x, Math.min(window.height, window.top + far - window.y));
		context.moveTo(window.left, y);
		context.lineTo(Math.min(window.width, window.left + far - window.x), y);
	}
	context.stroke();
	context.setLineDash([]);
	context.globalAlpha = 1;
}

function drawMarks(context: CanvasRenderingContext2D, { row, column, square }: Matrix, window: Window, theme: Theme): void {
	context.strokeStyle = css(theme.ink);
	context.lineWidth = 1.5;
	const far = square.size * window.cell;
	const [x, y] = [window.left - window.x, window.top - window.y];
	const side = Math.max(window.cell, 3);
	if (row !== null && column === null) context.strokeRect(x + 0.75, y + row * window.cell - 0.25, far - 1.5, side);
	if (row === null || column === null) return;
	context.globalAlpha = 0.35;
	context.strokeRect(x + 0.75, y + row * window.cell - 0.25, far - 1.5, side);
	context.strokeRect(x + column * window.cell - 0.25, y + 0.75, side, far - 1.5);
	context.globalAlpha = 1;
	context.strokeRect(x + column * window.cell - 0.5, y + row * window.cell - 0.5, side + 0.5, side + 0.5);
}

function drawLabels(context: CanvasRenderingContext2D, matrix: Matrix, window: Window, theme: Theme): void {
	const size = matrix.square.size;
	const { rows, columns } = visible(window, size);
	const every = window.cell >= ALL_LABELS ? 1 : window.cell >= HALF_LABELS ? 2 : 0;
	const font = every ? Math.min(11.5, Math.max(8.5, window.cell * 0.98)) : 10;
	context.textBaseline = "middle";
	context.direction = "ltr";
	const one = (i: number, marked: boolean, vertical: boolean, label = matrix.labels[i] ?? "") => {
		const at = Math.max((i + 0.5) * window.cell, every ? 0 : 5) - (vertical ? window.x : window.y) + (vertical ? window.left : window.top);
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
	if (every) {
		for (let i = rows[0]; i < rows[1]; i++) if (i % every === 0 && i !== matrix.row) one(i, false, false);
		for (let j = columns[0]; j < columns[1]; j++) if (j % every === 0 && j !== matrix.column) one(j, false, true);
	}
	if (!every) pieceLabels(matrix, window).forEach((piece) => [false, true].forEach((vertical) => one(piece.start, false, vertical, piece.name)));
	if (matrix.row !== null) one(matrix.row, true, false);
	if (matrix.column !== null) one(matrix.column, true, true);
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
