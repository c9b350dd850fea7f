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
const TWO = 0xff00ff; // every other byte of a pixel

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
	const { from, to, share } = axis(side - 2, size);
	pixels.fill(line);
	for (let y = 0, at = side + 1; y < from.length; y++, at += 2) {
		const [upper, lower, down] = [from[y]! * size, to[y]! * size, share[y]!];
		for (let x = 0; x < from.length; x++, at++) {
			const [left, right, across] = [from[x]!, to[x]!, share[x]!];
			const top = mixed(cells[upper + left]!, cells[upper + right]!, across);
			pixels[at] = down ? mixed(top, mixed(cells[lower + left]!, cells[lower + right]!, across), down) : top;
		}
	}
}

/** Between two pixels, `part` of 256 of the way; two bytes at a time. */
function mixed(a: number, b: number, part: number): number {
	if (part === 0 || a === b) return a;
	const rest = 256 - part;
	const even = (((a & TWO) * rest + (b & TWO) * part) >>> 8) & TWO;
	const odd = (((a >>> 8) & TWO) * rest + ((b >>> 8) & TWO) * part) & ~TWO;
	return (even | odd) >>> 0;
}

/** The cells that each pixel lies over, and how much of it, of 256, over the second: no more than two, as there are no
 * fewer pixels than cells. */
function axis(pixels: number, cells: number): { from: Int32Array; to: Int32Array; share: Int32Array } {
	const found = { from: new Int32Array(pixels), to: new Int32Array(pixels), share: new Int32Array(pixels) };
	for (let x = 0; x < pixels; x++) {
		const [left, right] = [(x * cells) / pixels, ((x + 1) * cells) / pixels];
		const from = (found.from[x] = Math.min(cells - 1, Math.floor(left)));
		const to = (found.to[x] = Math.min(cells - 1, Math.ceil(right) - 1));
		if (to > from) found.share[x] = Math.round((256 * (right - to)) / (right - left));
	}
	return found;
}
