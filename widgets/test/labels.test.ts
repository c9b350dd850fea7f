import { expect, test } from "vitest";
import { drawMarked } from "../src/playground/draw/labels";
import type { Matrix, Window } from "../src/playground/draw/window";
import { readTheme } from "../src/lib/theme";

test("a marked label covers the whole place of a label: the end of a longer one would read as its own", () => {
	const filled: number[][] = [];
	const written: string[] = [];
	const context = { save() {}, restore() {}, translate() {}, rotate() {}, measureText: (text: string) => ({ width: 7 * text.length }), fillRect: (...box: number[]) => filled.push(box), fillText: (text: string) => written.push(text) };
	const [left, top] = [62, 80];
	const window: Window = { width: 400, height: 400, left, top, cell: 2, x: 0, y: 0 };
	const matrix = { square: { size: 100 }, labels: Array.from({ length: 100 }, () => "a"), pieces: [{ name: "context", start: 0 }], row: 3, column: 0 } as unknown as Matrix;
	drawMarked(context as unknown as CanvasRenderingContext2D, matrix, window, readTheme(document.body));
	expect(written).toEqual(["a", "a"]);
	const [row, column] = filled as [number[], number[]]; // x, y, width, height from where a label begins, 5 beside the cells
	expect(row[0]! + row[2]!).toBe(2);
	expect(row[2]).toBeGreaterThanOrEqual(left - 7);
	expect([column[0], column[2]! >= top - 7]).toEqual([-2, true]);
});
