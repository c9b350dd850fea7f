// From a value to a colour. Blue = more (or weight), orange = less; logarithmic by default, so that small values are seen.
import { css, mix, type Rgb, type Theme } from "../../lib/theme";
import type { Cells } from "../measure";

const STEPS = 255;

/** 511 colours: values from −end to +end. */
export interface Ramp {
	colors: string[];
	numbers: Rgb[];
	/** The same as pixels of a picture. */
	pixels: Uint32Array;
}

/** How much of a colour a share of the scale gets: nothing for nothing, 5 % for the least, all for the end. */
export function strength(share: number): number {
	return share <= 0 ? 0 : Math.min(1, 0.05 + 0.95 * Math.log10(1 + 9 * Math.min(1, share)));
}

const ramps = { log: new WeakMap<Theme, Ramp>(), linear: new WeakMap<Theme, Ramp>() };

/** The colours of a theme: opacity grows with the logarithm of a value, or with the value. */
export function ramp(theme: Theme, log: boolean): Ramp {
	const known = log ? ramps.log : ramps.linear;
	const made = known.get(theme) ?? mixed(theme, log ? strength : (share) => share);
	known.set(theme, made);
	return made;
}

function mixed(theme: Theme, opacity: (share: number) => number): Ramp {
	const colors = Array.from({ length: 2 * STEPS + 1 }, (_, i) => mix(theme.paper, i < STEPS ? theme.readBy : theme.reads, opacity(Math.abs(i - STEPS) / STEPS)));
	const numbers = colors.map((color) => (color.match(/\d+/g) ?? []).map(Number) as unknown as Rgb);
	return { colors, numbers, pixels: new Uint32Array(Uint8Array.from(numbers.flatMap((rgb) => [...rgb, 255])).buffer) };
}

/** A picture to write pixel by pixel, transparent at first; null where there is none to write, or no canvas. */
export function paper(width: number, height: number): { pixels: Uint32Array; whole(): HTMLCanvasElement } | null {
	const canvas = document.createElement("canvas");
	[canvas.width, canvas.height] = [width, height];
	const context = width && height ? canvas.getContext("2d") : null;
	if (!context) return null;
	const data = context.createImageData(width, height);
	const whole = () => {
		context.putImageData(data, 0, 0);
		return canvas;
	};
	return { pixels: new Uint32Array(data.data.buffer), whole };
}

/** Where a value stands on a ramp that ends at `end`. */
export function place(value: number, end: number): number {
	return STEPS + Math.round(STEPS * Math.max(-1, Math.min(1, value / (end || 1))));
}

/** A square as a picture of one pixel a cell; masked cells are transparent. Null where there is no canvas. */
export function image(square: Cells, colors: Ramp, end: number): HTMLCanvasElement | null {
	const picture = paper(square.size, square.size);
	if (!picture) return null;
	for (let i = 0; i < square.size * square.size; i++) {
		if (square.open[i]) picture.pixels[i] = colors.pixels[place(square.values[i] ?? 0, end)]!;
	}
	return picture.whole();
}

const keys = new WeakMap<HTMLCanvasElement, { colors: Ramp; both: boolean }>(); // as they are drawn

/** Draws the ramp itself: from −end (or 0) to +end. */
export function drawKey(canvas: HTMLCanvasElement, colors: Ramp, theme: Theme, both: boolean): void {
	const [width, height] = [110, 8];
	const old = keys.get(canvas);
	if (old?.colors === colors && old.both === both) return;
	keys.set(canvas, { colors, both });
	canvas.width = width;
	canvas.height = height;
	const context = canvas.getContext("2d");
	if (!context) return;
	for (let x = 0; x < width; x++) {
		const share = x / (width - 1);
		context.fillStyle = colors.colors[place(both ? 2 * share - 1 : share, 1)] ?? css(theme.paper);
		context.fillRect(x, 0, 1, height);
	}
}
