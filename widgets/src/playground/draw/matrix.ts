// One head as a matrix: rows read columns. Draws the part that a window onto it shows.
import { pixelRatio, sized } from "../../lib/canvas";
import { css, type Theme } from "../../lib/theme";
import { type Cells, pool } from "../measure";
import { drawLabels, drawMarked } from "./labels";
import { image, paper, place, type Ramp } from "./ramp";
import { type Matrix, visible, type Window } from "./window";

export function drawMatrix(canvas: HTMLCanvasElement, matrix: Matrix, window: Window, colors: Ramp, theme: Theme): void {
	const context = sized(canvas, window.width, window.height);
	if (!context) return;
	context.drawImage(ground(canvas, matrix, window, colors, theme), 0, 0, window.width, window.height);
	context.save();
	clip(context, window);
	drawMarks(context, matrix, window, theme);
	context.restore();
	drawMarked(context, matrix, window, theme);
}

const grounds = new WeakMap<HTMLCanvasElement, { square: Cells; key: string; theme: Theme; colors: Ramp; canvas: HTMLCanvasElement }>();

/** What does not change while a pointer moves: hatch, cells, borders, words. Drawn once for a window. */
function ground(shown: HTMLCanvasElement, matrix: Matrix, window: Window, colors: Ramp, theme: Theme): HTMLCanvasElement {
	const key = [window.width, window.height, window.left, window.top, window.cell, window.x, window.y, matrix.end, matrix.hidden, pixelRatio()].join();
	const old = grounds.get(shown);
	if (old && old.square === matrix.square && old.key === key && old.theme === theme && old.colors === colors) return old.canvas;
	const canvas = old?.canvas ?? document.createElement("canvas");
	const context = sized(canvas, window.width, window.height);
	if (context) {
		context.save();
		clip(context, window);
		drawHatch(context, matrix.square, window, theme);
		if (matrix.hidden) drawHidden(context, matrix.square, window, theme);
		if (window.cell >= 4) drawCells(context, matrix, window, colors);
		else drawImage(context, matrix, window, colors);
		drawBorders(context, matrix, window, theme);
		context.restore();
		drawLabels(context, matrix, window, theme);
	}
	grounds.set(shown, { square: matrix.square, key, theme, colors, canvas });
	return canvas;
}

function clip(context: CanvasRenderingContext2D, window: Window): void {
	context.beginPath();
	context.rect(window.left, window.top, window.width - window.left, window.height - window.top);
	context.clip();
}

/** Where a cell begins, on whole device pixels. */
function snap(value: number): number {
	return Math.round(value * pixelRatio()) / pixelRatio();
}

/** Cells with a line of paper between them, written pixel by pixel: one picture is drawn sooner than thousands of squares. */
function drawCells(context: CanvasRenderingContext2D, { square, end }: Matrix, window: Window, colors: Ramp): void {
	const { rows, columns } = visible(window, square.size);
	const across = pixels(window.left - window.x, columns, window.cell);
	const down = pixels(window.top - window.y, rows, window.cell);
	const picture = paper(across.cells.length, down.cells.length);
	if (!picture) return;
	const width = across.cells.length;
	const row = new Uint32Array(square.size); // its colours
	down.cells.forEach((i, y) => {
		if (i < 0) return;
		if (i === down.cells[y - 1]) return void picture.pixels.copyWithin(y * width, (y - 1) * width, y * width);
		for (let j = columns[0]; j < columns[1]; j++) {
			const value = square.values[i * square.size + j]!;
			row[j] = value === 0 ? 0 : colors.pixels[place(value, end)]!;
		}
		for (let x = 0, at = y * width; x < width; x++, at++) {
			const j = across.cells[x]!;
			if (j >= 0) picture.pixels[at] = row[j]!;
		}
	});
	context.save();
	context.setTransform(1, 0, 0, 1, 0, 0);
	context.drawImage(picture.whole(), across.first, down.first);
	context.restore();
}

/** Along one side, in device pixels: where the first cell begins, and the cell of each pixel from there (-1: between two). */
function pixels(from: number, [first, last]: [number, number], cell: number): { first: number; cells: Int32Array } {
	const scale = pixelRatio();
	const gap = cell >= 7 ? Math.round(scale) : Math.floor(scale / 2);
	const edge = (i: number) => Math.round((from + i * cell) * scale);
	const start = edge(first);
	const cells = new Int32Array(Math.max(0, edge(last) - start)).fill(-1);
	for (let i = first; i < last; i++) cells.fill(i, edge(i) - start, edge(i + 1) - gap - start);
	return { first: start, cells };
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

/** Hatches what is not open. */
export function drawHatch(context: CanvasRenderingContext2D, square: Cells, window: Window, theme: Theme): void {
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

/** The first column, where it is hidden: dotted, so that it is neither empty nor masked. */
function drawHidden(context: CanvasRenderingContext2D, square: Cells, window: Window, theme: Theme): void {
	const [x, y] = [window.left - window.x, window.top - window.y];
	const width = Math.max(window.cell, 3);
	context.save();
	context.strokeStyle = css(theme.mute);
	context.lineWidth = Math.min(2, width);
	context.setLineDash([1.5, 4]);
	context.beginPath();
	context.moveTo(x + width / 2, y);
	context.lineTo(x + width / 2, y + square.size * window.cell);
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
