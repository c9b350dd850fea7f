// All heads on one canvas: rows are layers, columns are heads. Written pixel by pixel into one picture.
import { pixelRatio, sized } from "../../lib/canvas";
import type { Rgb, Theme } from "../../lib/theme";
import type { Thumbnails } from "../heads";
import { type Cells, scaleEnd } from "../measure";
import { place, type Ramp } from "./ramp";

export interface GridSize {
	layers: number;
	heads: number;
	/** The side of a thumbnail and the space between two, in CSS pixels. */
	tile: number;
	gap: number;
}

/** Thumbnails as large as a model of so many heads allows. */
export function gridSize(layers: number, heads: number): GridSize {
	const tile = heads <= 4 ? 50 : heads <= 8 ? 38 : heads <= 12 ? 22 : 16;
	return { layers, heads, tile, gap: tile > 30 ? 4 : 2 };
}

export function drawGrid(canvas: HTMLCanvasElement, size: GridSize, thumbnails: Thumbnails, colors: Ramp, theme: Theme): void {
	const { layers, heads, tile, gap } = size;
	const context = sized(canvas, heads * (tile + gap) - gap, layers * (tile + gap) - gap);
	if (!context) return;
	const end = scaleEnd(thumbnails.extent);
	const side = Math.floor(tile * pixelRatio());
	const picture = context.createImageData(side, side);
	thumbnails.squares.forEach((square, i) => {
		fill(picture.data, side, square, colors, end, theme);
		const [x, y] = [(i % heads) * (tile + gap), Math.floor(i / heads) * (tile + gap)];
		context.putImageData(picture, Math.round(x * pixelRatio()), Math.round(y * pixelRatio()));
	});
}

/** One thumbnail with its frame. A pixel that lies over the border of two cells gets some of both. */
function fill(data: Uint8ClampedArray, side: number, square: Cells, colors: Ramp, end: number, theme: Theme): void {
	const inner = side - 2;
	const axis = Array.from({ length: inner }, (_, x) => over(x, inner, square.size));
	const color = (i: number, j: number): Rgb => {
		const at = i * square.size + j;
		return square.open[at] ? colors.numbers[place(square.values[at] ?? 0, end)]! : theme.paper;
	};
	for (let y = 0, at = 0; y < side; y++) {
		for (let x = 0; x < side; x++, at += 4) {
			const [row, column] = [axis[y - 1], axis[x - 1]];
			data[at + 3] = 255;
			if (!row || !column) {
				for (let c = 0; c < 3; c++) data[at + c] = theme.line[c]!;
				continue;
			}
			const [a, b, e, f] = [color(row.from, column.from), color(row.from, column.to), color(row.to, column.from), color(row.to, column.to)];
			for (let c = 0; c < 3; c++) {
				const top = a[c]! + (b[c]! - a[c]!) * column.share;
				const bottom = e[c]! + (f[c]! - e[c]!) * column.share;
				data[at + c] = top + (bottom - top) * row.share;
			}
		}
	}
}

/** The cells that pixel x of `pixels` lies over (no more than two, as there are no fewer pixels than cells). */
function over(x: number, pixels: number, cells: number): { from: number; to: number; share: number } {
	const left = (x * cells) / pixels;
	const right = ((x + 1) * cells) / pixels;
	const from = Math.min(cells - 1, Math.floor(left));
	const to = Math.min(cells - 1, Math.ceil(right) - 1);
	return { from, to, share: to > from ? (right - to) / (right - left) : 0 };
}
