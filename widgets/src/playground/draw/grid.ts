// All heads on one canvas: rows are layers, columns are heads. Written pixel by pixel into one picture.
import { pixelRatio, sized } from "../../lib/canvas";
import type { Theme } from "../../lib/theme";
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
	const pixels = new Uint32Array(picture.data.buffer);
	const [paper, line] = new Uint32Array(Uint8Array.from([...theme.paper, 255, ...theme.line, 255]).buffer);
	thumbnails.squares.forEach((square, i) => {
		fill(pixels, side, colored(square, colors, end, paper!), square.size, line!);
		const [x, y] = [(i % columns) * (tile + gap), Math.floor(i / columns) * (tile + gap + caption)];
		context.putImageData(picture, Math.round(x * pixelRatio()), Math.round(y * pixelRatio()));
	});
}

/** The colour of each cell as a pixel. */
function colored(square: Cells, colors: Ramp, end: number, paper: number): Uint32Array {
	const found = new Uint32Array(square.size * square.size);
	for (let i = 0; i < found.length; i++) found[i] = square.open[i] ? colors.pixels[place(square.values[i]!, end)]! : paper;
	return found;
}

/** One thumbnail with its frame. A pixel that lies over the border of two cells gets some of both. */
function fill(pixels: Uint32Array, side: number, cells: Uint32Array, size: number, line: number): void {
	const inner = side - 2;
	const axis = Array.from({ length: inner }, (_, x) => over(x, inner, size));
	pixels.fill(line);
	axis.forEach((row, y) => {
		const [upper, lower] = [row.from * size, row.to * size];
		axis.forEach((column, x) => {
			const top = mixed(cells[upper + column.from]!, cells[upper + column.to]!, column.share);
			pixels[(y + 1) * side + x + 1] = row.share ? mixed(top, mixed(cells[lower + column.from]!, cells[lower + column.to]!, column.share), row.share) : top;
		});
	});
}

/** Between two pixels, byte by byte. */
function mixed(a: number, b: number, share: number): number {
	if (share === 0 || a === b) return a;
	let sum = 0;
	for (let shift = 0; shift < 32; shift += 8) {
		const from = (a >>> shift) & 255;
		sum |= Math.round(from + (((b >>> shift) & 255) - from) * share) << shift;
	}
	return sum >>> 0;
}

/** The cells that pixel x of `pixels` lies over (no more than two, as there are no fewer pixels than cells). */
function over(x: number, pixels: number, cells: number): { from: number; to: number; share: number } {
	const left = (x * cells) / pixels;
	const right = ((x + 1) * cells) / pixels;
	const from = Math.min(cells - 1, Math.floor(left));
	const to = Math.min(cells - 1, Math.ceil(right) - 1);
	return { from, to, share: to > from ? (right - to) / (right - left) : 0 };
}
