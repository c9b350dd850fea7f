// All heads of a frame, summed up: a thumbnail each, and how much each changed. Pure.
import type { Decoded, Reading } from "./decode";
import { type Cells, type Tab, cells, change, extent, pool } from "./measure";

export interface Head {
	layer: number;
	head: number;
	/** The share of its reading that a token moves, from before to after; 0 where there is no after. */
	change: number;
	/** The weight that goes to earlier tokens but the first one: how much there is to see. */
	interest: number;
}

export interface Thumbnails {
	squares: Cells[];
	/** The largest value in any of them. */
	extent: number;
}

const ranked = new WeakMap<Decoded, Map<boolean, Head[]>>(); // it is asked for often and reads every weight

/** Every head with its change and its interest, by layer and head. */
export function rank(frame: Decoded, hideFirst: boolean): Head[] {
	const known = ranked.get(frame) ?? new Map<boolean, Head[]>();
	ranked.set(frame, known);
	const heads = known.get(hideFirst) ?? measured(frame, hideFirst);
	known.set(hideFirst, heads);
	return heads;
}

function measured(frame: Decoded, hideFirst: boolean): Head[] {
	const { overview } = frame;
	if (overview) return everyHead(frame).map((one, i) => ({ ...one, change: overview.change(hideFirst)[i] ?? 0, interest: overview.interest[i] ?? 0 }));
	return everyHead(frame).map(({ layer, head }, i) => ({
		layer,
		head,
		change: frame.after ? change(cells(frame, "difference", layer, head, hideFirst)) : 0,
		interest: interest(frame, i),
	}));
}

/** Heads in the order in which a reader wants them: most changed first, or most to see where nothing changed. */
export function byChange(heads: Head[]): Head[] {
	const changed = heads.some((head) => head.change > 0.005);
	return [...heads].sort((a, b) => (changed ? b.change - a.change : b.interest - a.interest) || a.layer - b.layer || a.head - b.head);
}

/** Every head's square for a tab, at most `to` cells wide. */
export function thumbnails(frame: Decoded, tab: Tab, hideFirst: boolean, to: number): Thumbnails {
	const { overview } = frame;
	const whole = overview ? overview.squares(tab).map((square) => (hideFirst ? withoutFirst(square) : square)) : everyHead(frame).map(({ layer, head }) => cells(frame, tab, layer, head, hideFirst));
	const squares = whole.map((square) => pool(square, to));
	return { squares, extent: Math.max(0, ...squares.map(extent)) };
}

function withoutFirst(square: Cells): Cells {
	return { ...square, values: square.values.map((value, i) => (i % square.size ? value : 0)) };
}

function everyHead(frame: Decoded): { layer: number; head: number }[] {
	const { layers, heads } = frame.before;
	return Array.from({ length: layers * heads }, (_, i) => ({ layer: Math.floor(i / heads), head: i % heads }));
}

const interests = new WeakMap<Reading, number[]>(); // a run before belongs to many frames

function interest({ before }: Decoded, i: number): number {
	const known = interests.get(before) ?? Array.from({ length: before.layers * before.heads }, (_, n) => seen(before, Math.floor(n / before.heads), n % before.heads));
	interests.set(before, known);
	return known[i] ?? 0;
}

function seen(side: Reading, layer: number, head: number): number {
	const { size } = side;
	const weights = side.weights(layer, head);
	let sum = 0;
	for (let i = 0; i < size; i++) {
		for (let j = 1; j < i; j++) sum += weights[i * size + j]!;
	}
	return size ? sum / 255 / size : 0;
}
