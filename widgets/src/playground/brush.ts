// What a brush does to a painted mask, in the units on show (tokens, words, sentences, pieces). Pure.
import type { Paint } from "./paint";

/** How a cell is: as the causal mask has it (open, closed), closed or opened by hand, or by hand in a part of it. */
export type Cell = 0 | 1 | 2 | 3 | 4;
export const [OPEN, CLOSED, SHUT, OPENED, PARTLY] = [0, 1, 2, 3, 4] as const;
export const IN_WORDS = ["open", "closed, as it comes later", "closed by you", "opened by you", "changed by you in a part"] as const;
export type Target = "close" | "open" | "causal";
export type Tool = "cells" | "rectangle" | "row" | "column";
export interface Spot {
	row: number;
	column: number;
}

/** Every cell of units × units. */
export function cellStates({ size, other }: Paint, edges: number[]): Uint8Array {
	const units = edges.length - 1;
	const states = new Uint8Array(units * units);
	for (let r = 0; r < units; r++) {
		for (let c = 0; c < units; c++) {
			let [behind, ahead, shut, opened] = [0, 0, 0, 0];
			for (let i = edges[r]!; i < edges[r + 1]!; i++) {
				for (let j = edges[c]!; j < edges[c + 1]!; j++) {
					const by = other[i * size + j]!;
					if (j > i) [ahead, opened] = [ahead + 1, opened + by];
					else if (j < i || units === size) [behind, shut] = [behind + 1, shut + by]; // of larger units each token keeps itself
				}
			}
			states[r * units + c] = shut && opened ? PARTLY : shut ? (shut === behind ? SHUT : PARTLY) : opened ? (opened === ahead ? OPENED : PARTLY) : behind || r === c ? OPEN : CLOSED;
		}
	}
	return states;
}

/** What a stroke that begins at a cell does. Where cells lie on both sides of the diagonal: open all, close all, and back. */
export function targetOf(state: Cell, spot: Spot, fine: boolean): Target {
	if (!fine && spot.row === spot.column) return state === OPEN ? "open" : state === OPENED ? "close" : "causal";
	if (state === OPEN) return "close";
	return state === CLOSED ? "open" : "causal";
}

/** The paint after a stroke. */
export function stroke(paint: Paint, edges: number[], spots: Spot[], target: Target): Paint {
	const { size } = paint;
	const fine = edges.length - 1 === size;
	const other = paint.other.slice();
	for (const { row, column } of spots) {
		for (let i = edges[row]!; i < edges[row + 1]!; i++) {
			for (let j = edges[column]!; j < edges[column + 1]!; j++) {
				const kept = !fine && i === j; // a block closes the edges between its tokens, not those of a token to itself
				other[i * size + j] = target === "causal" || kept ? 0 : (target === "open") === j > i ? 1 : 0;
			}
		}
	}
	return { ...paint, other };
}

/** The cells that a tool paints from one cell to another. Rows and columns stay on their side of the diagonal. */
export function touched(tool: Tool, from: Spot, to: Spot, units: number): Spot[] {
	const range = (a: number, b: number) => Array.from({ length: Math.abs(a - b) + 1 }, (_, i) => Math.min(a, b) + i);
	if (tool === "cells") return path(from, to);
	const block = (rows: number[], columns: number[]) => rows.flatMap((row) => columns.map((column) => ({ row, column })));
	if (tool === "rectangle") return block(range(from.row, to.row), range(from.column, to.column));
	const ahead = from.column > from.row;
	const all = range(0, units - 1);
	const [rows, columns] = tool === "row" ? [range(from.row, to.row), all] : [all, range(from.column, to.column)];
	const own = from.row === from.column;
	return block(rows, columns).filter(({ row, column }) => (own ? column <= row : ahead ? column > row : column < row));
}

/** A line of cells: a quick pointer skips some. */
function path(from: Spot, to: Spot): Spot[] {
	const steps = Math.max(Math.abs(to.row - from.row), Math.abs(to.column - from.column), 1);
	return Array.from({ length: steps + 1 }, (_, i) => ({ row: Math.round(from.row + ((to.row - from.row) * i) / steps), column: Math.round(from.column + ((to.column - from.column) * i) / steps) }));
}
