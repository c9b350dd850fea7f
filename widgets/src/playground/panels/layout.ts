// How large the matrix of the chosen head is drawn in the room there is.
import { WORDS } from "../draw/labels";
import type { Matrix, Window } from "../draw/window";

const LARGEST = 22; // CSS pixels a cell
const ZOOMED = 16;
const TALLEST = 560; // of the window onto a zoomed matrix
const LETTER = 7; // CSS pixels of a letter of a label

export interface LaidOut extends Window {
	/** The side of a cell at which the whole matrix is seen. */
	fit: number;
}

/** Room for the longest label. */
export function labelRoom(labels: string[]): number {
	const longest = Math.max(1, ...labels.map((label) => [...label].length));
	return Math.round(Math.min(12, longest) * LETTER) + 10;
}

/** The width there is. Reading it makes the page lay itself out: once for every size of the view is enough. */
export function roomOf(scroll: HTMLElement): number {
	return Math.max(160, scroll.parentElement?.clientWidth || 420);
}

/** Sizes the place that scrolls, and gives the window onto it. */
export function layOut(scroll: HTMLElement, spacer: HTMLElement, matrix: Matrix, zoomed: boolean, room = roomOf(scroll)): LaidOut {
	const size = Math.max(1, matrix.labels.length);
	const fitRoom = (left: number) => (room - left - 2) / size;
	const few = fitRoom(labelRoom(matrix.labels)) >= WORDS || zoomed;
	const left = few ? labelRoom(matrix.labels) : 62; // no labels but that of the marked row and column
	const fit = Math.min(LARGEST, fitRoom(left));
	const cell = zoomed ? Math.max(ZOOMED, fit) : fit;
	const top = left;
	const [whole, tall] = [left + size * cell, top + size * cell];
	const scrolls = whole > room + 1;
	scroll.style.maxHeight = scrolls ? `${TALLEST}px` : "";
	spacer.style.width = `${scrolls ? whole : Math.min(whole, room)}px`;
	spacer.style.height = `${tall}px`;
	const still = { width: 0, height: 0, left, top, cell, x: 0, y: 0 };
	return { ...(scrolls ? windowOf(scroll, still) : still), width: scrolls ? room - 14 : whole, height: scrolls ? Math.min(TALLEST - 14, tall) : tall, fit };
}

/** The window where it is scrolled to now. */
export function windowOf<T extends Window>(scroll: HTMLElement, window: T): T {
	return { ...window, x: scroll.scrollLeft, y: scroll.scrollTop };
}

/** The cell under a pointer, or null. */
export function cellUnder(event: MouseEvent, canvas: HTMLElement, window: Window, size: number): { row: number; column: number } | null {
	const box = canvas.getBoundingClientRect();
	const [x, y] = [event.clientX - box.left - window.left, event.clientY - box.top - window.top];
	const [row, column] = [Math.floor((y + window.y) / window.cell), Math.floor((x + window.x) / window.cell)];
	return x >= 0 && y >= 0 && row < size && column < size ? { row, column } : null;
}

/** Scrolls so that a cell is seen. */
export function bring(scroll: HTMLElement, window: Window, cell: { row: number; column: number }): void {
	const room = { x: window.width - window.left, y: window.height - window.top };
	const left = cell.column * window.cell;
	const top = cell.row * window.cell;
	if (left < window.x || left + window.cell > window.x + room.x) scroll.scrollLeft = left - room.x / 2;
	if (top < window.y || top + window.cell > window.y + room.y) scroll.scrollTop = top - room.y / 2;
}
