// All heads on one canvas: rows are layers, columns are heads.
import { pixelRatio, sized } from "../../lib/canvas";
import type { Theme } from "../../lib/theme";
import { css } from "../../lib/theme";
import type { Thumbnails } from "../heads";
import { scaleEnd } from "../measure";
import { image, type Ramp } from "./ramp";

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
	const scratch = document.createElement("canvas");
	scratch.width = scratch.height = Math.round(tile * pixelRatio() * 4);
	const pen = scratch.getContext("2d");
	if (!pen) return;
	pen.imageSmoothingEnabled = false;
	context.imageSmoothingQuality = "high";
	thumbnails.squares.forEach((square, i) => {
		const x = (i % heads) * (tile + gap);
		const y = Math.floor(i / heads) * (tile + gap);
		const picture = image(square, colors, end);
		pen.clearRect(0, 0, scratch.width, scratch.height);
		if (picture) pen.drawImage(picture, 0, 0, scratch.width, scratch.height);
		context.fillStyle = css(theme.paper);
		context.fillRect(x, y, tile, tile);
		context.drawImage(scratch, x + 1, y + 1, tile - 2, tile - 2);
		context.strokeStyle = css(theme.line);
		context.strokeRect(x + 0.5, y + 0.5, tile - 1, tile - 1);
	});
}
