// A matrix that can be larger than the window onto it.
import type { Cells } from "../measure";

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
	/** Whether the first column is left out of the picture. */
	hidden: boolean;
	/** Pieces of the text, and the token at which each begins. */
	pieces: { name: string; start: number }[];
	end: number;
	row: number | null;
	column: number | null;
}

/** The rows and columns that a window shows: from, and up to but without. */
export function visible(window: Window, size: number): { rows: [number, number]; columns: [number, number] } {
	const range = (from: number, room: number): [number, number] => [Math.max(0, Math.floor(from / window.cell)), Math.min(size, Math.ceil((from + room) / window.cell))];
	return { rows: range(window.y, window.height - window.top), columns: range(window.x, window.width - window.left) };
}
