// A mask as it is painted: open, closed by causality (hatched), closed by hand (crossed), opened by hand (filled).
import { sized } from "../../lib/canvas";
import { css, mix, type Theme } from "../../lib/theme";
import { OPEN, OPENED, PARTLY, SHUT, type Spot } from "../brush";
import { drawLabels, drawMarked } from "./labels";
import { drawHatch } from "./matrix";
import { type Matrix, visible, type Window } from "./window";

export interface PaintPicture extends Matrix {
	states: Uint8Array;
	/** Two corners of what keys have chosen. */
	chosen: [Spot, Spot] | null;
}

const SIGNS = 7; // CSS pixels a cell needs for a sign

export function drawPaint(canvas: HTMLCanvasElement, picture: PaintPicture, window: Window, theme: Theme): void {
	const context = sized(canvas, window.width, window.height);
	if (!context) return;
	context.save();
	context.beginPath();
	context.rect(window.left, window.top, window.width - window.left, window.height - window.top);
	context.clip();
	drawHatch(context, picture.square, window, theme);
	const { rows, columns } = visible(window, picture.square.size);
	for (let i = rows[0]; i < rows[1]; i++) for (let j = columns[0]; j < columns[1]; j++) drawCell(context, picture.states[i * picture.square.size + j] ?? 0, box(window, i, j), theme);
	drawChosen(context, picture, window, theme);
	context.restore();
	drawLabels(context, picture, window, theme);
	drawMarked(context, picture, window, theme);
}

type Box = [x: number, y: number, side: number];

function box(window: Window, row: number, column: number): Box {
	return [window.left + column * window.cell - window.x, window.top + row * window.cell - window.y, window.cell];
}

function drawCell(context: CanvasRenderingContext2D, state: number, [x, y, side]: Box, theme: Theme): void {
	const gap = side >= 7 ? 1 : side >= 3 ? 0.5 : 0;
	const fill = state === OPEN ? mix(theme.paper, theme.reads, 0.16) : state === OPENED ? css(theme.reads) : state === SHUT ? mix(theme.paper, theme.readBy, 0.22) : state === PARTLY ? mix(theme.paper, theme.readBy, 0.1) : null;
	if (!fill) return;
	context.fillStyle = fill;
	context.fillRect(x, y, side - gap, side - gap);
	if (side < SIGNS) return;
	context.strokeStyle = css(state === OPENED ? theme.paper : theme.readBy);
	context.lineWidth = 1.4;
	const [low, high] = [side * 0.25, side * 0.75 - gap];
	context.beginPath();
	if (state === SHUT || state === PARTLY) {
		context.moveTo(x + low, y + low);
		context.lineTo(x + high, y + high);
	}
	if (state === SHUT) {
		context.moveTo(x + high, y + low);
		context.lineTo(x + low, y + high);
	}
	if (state === OPENED) context.arc(x + (side - gap) / 2, y + (side - gap) / 2, side * 0.18, 0, 2 * Math.PI);
	context.stroke();
}

function drawChosen(context: CanvasRenderingContext2D, { row, column, chosen }: PaintPicture, window: Window, theme: Theme): void {
	const spots: [Spot, Spot] | null = chosen ?? (row !== null && column !== null ? [{ row, column }, { row, column }] : null);
	if (!spots) return;
	const [top, bottom] = [Math.min(spots[0].row, spots[1].row), Math.max(spots[0].row, spots[1].row)];
	const [left, right] = [Math.min(spots[0].column, spots[1].column), Math.max(spots[0].column, spots[1].column)];
	const [x, y] = box(window, top, left);
	context.strokeStyle = css(theme.ink);
	context.lineWidth = 2;
	context.strokeRect(x - 0.5, y - 0.5, Math.max(3, (right - left + 1) * window.cell), Math.max(3, (bottom - top + 1) * window.cell));
}
