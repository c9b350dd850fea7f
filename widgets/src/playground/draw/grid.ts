// All heads on one canvas: rows are layers, columns are heads. Written pixel by pixel into one picture.
import { pixelRatio, sized } from "../../lib/canvas";
import type { Rgb, Theme } from "../../lib/theme";
import type { Thumbnails } from "../heads";
import { type Cells, scaleEnd } from "../measure";
import { place, type Ramp } from "./ramp";

export interface GridSize {
	rows: number;
	columns: number;
	/** The side of a thumbnail, the space between two and the room for words under each, in CSS pixels. */
	tile: number;
	gap: number;
	caption: number;
}

const WIDTH = 280; // of heads that are sorted

/** Thumbnails as large as a model of so many heads allows; sorted ones have their names under them. */
export function gridSize(layers: number, heads: number, sorted: boolean): GridSize {
	const tile = heads <= 4 ? 50 : heads <= 8 ? 38 : heads <= 12 ? 22 : 16;
	if (!sorted) return { rows: layers, columns: heads, tile, gap: tile > 30 ? 4 : 2, caption: 0 };
	const large = Math.max(36, tile);
	const columns = Math.max(1, Math.min(Math.floor(WIDTH / (large + 4)), layers * heads));
	return { rows: Math.ceil((layers * heads) / columns), columns, tile: large, gap: 4, caption: 15 };
}

export function drawGrid(canvas: HTMLCanvasElement, size: GridSize, thumbnails: Thumbnails, colors: Ramp, theme: Theme): void {
	const { rows, columns, tile, gap, caption } = size;
	const context = sized(canvas, Math.max(1, columns * (tile + gap) - gap), Math.max(1, rows * (tile + gap + caption) - gap));
	if (!context) return;
	const end = scaleEnd(thumbnails.extent);
	const side = Math.floor(tile * pixelRatio());
	const picture = context.createImageData(side, side);
	thumbnails.squares.forEach((square, i) => {
		fill(picture.data, side, square, colors, end, theme);
		const [x, y] = [(i % columns) * (tile + gap), Math.floor(i / columns) * (tile + gap + caption)];
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
