// Numbers from a decoded frame: one head as a square of cells, the difference of two runs, who reads whom. Pure.
import { type Decoded, type Reading, ready } from "./decode";

export type Tab = "before" | "after" | "difference";

/** One head as a square. Values are weights (0 to 1) or differences of weights (−1 to 1), [query][key] row by row. */
export interface Cells {
	size: number;
	values: Float32Array;
	/** 0 where a query may not attend to a key, 1 elsewhere. */
	open: Uint8Array;
	/** Per query: the weight that goes to tokens which the square does not show. */
	dropped: Float32Array | null;
}

export interface Link {
	index: number;
	weight: number;
}

const RECENT = 1_500_000; // cells of a frame's squares that are not reckoned again: of a short text all, of a long one those on show
const recent = new WeakMap<Decoded, Map<string, Cells>>();

/** The cells that a tab shows for one head. `hideFirst` takes the first token out of the picture as a key. */
export function cells(frame: Decoded, tab: Tab, layer: number, head: number, hideFirst: boolean): Cells {
	if (!ready(frame, layer, head)) return reckoned(frame, tab, layer, head, hideFirst);
	const known = recent.get(frame) ?? new Map<string, Cells>();
	recent.set(frame, known);
	const key = [tab, layer, head, hideFirst].join();
	const square = known.get(key) ?? reckoned(frame, tab, layer, head, hideFirst);
	known.delete(key);
	known.set(key, square);
	if (known.size > Math.max(4, RECENT / (square.size * square.size || 1))) known.delete(known.keys().next().value!);
	return square;
}

function reckoned(frame: Decoded, tab: Tab, layer: number, head: number, hideFirst: boolean): Cells {
	if (tab === "before" || !frame.after) return weightCells(frame.before, layer, head, hideFirst);
	if (tab === "after") return weightCells(frame.after, layer, head, hideFirst);
	return differenceCells(frame, frame.after, layer, head, hideFirst);
}

function weightCells(side: Reading, layer: number, head: number, hideFirst: boolean): Cells {
	const { size } = side;
	const weights = side.weights(layer, head);
	const values = new Float32Array(size * size);
	for (let i = 0; i < values.length; i++) values[i] = (weights[i] ?? 0) / 255;
	if (hideFirst) for (let i = 0; i < size; i++) values[i * size] = 0;
	return { size, values, open: side.allowed(layer, head), dropped: null };
}

/**
 * After minus before, in the tokens of before. A token's row is that of its last reading; what that reading gives to
 * several readings of one token is summed; what it gives to tokens that are new is dropped, and said.
 */
function differenceCells(frame: Decoded, after: Reading, layer: number, head: number, hideFirst: boolean): Cells {
	const { size } = frame.before;
	const old = frame.before.weights(layer, head);
	const now = after.weights(layer, head);
	const values = new Float32Array(size * size);
	const dropped = new Float32Array(size);
	const { runs, open } = pairs(frame, after, frame.before.allowed(layer, head), after.allowed(layer, head));
	for (let i = 0; i < size; i++) {
		const row = frame.align[i] ?? -1;
		if (row < 0) continue;
		const [at, from] = [i * size, row * after.size];
		for (let j = 0; j < size; j++) values[at + j] = 0 - old[at + j]!; // no −0
		for (const [start, stop, to] of runs) {
			if (to < 0) for (let k = start; k < stop; k++) dropped[i]! += now[from + k]! / 255;
			else for (let k = from + start, j = at + to; k < from + stop; k++, j++) values[j]! += now[k]!;
		}
		for (let j = 0; j < size; j++) values[at + j]! /= 255;
		if (hideFirst) values[at] = 0;
	}
	return { size, values, open, dropped };
}

interface Pairs {
	/** Tokens after from and up to but without, and where they stand in those before, one behind the other; -1: new. */
	runs: [number, number, number][];
	/** Of these masks, which are mostly those of all heads. */
	mayOld: Uint8Array;
	mayNow: Uint8Array;
	open: Uint8Array;
}
const paired = new WeakMap<Decoded, Pairs>();

/** Where the tokens after stand in those before, and which cells of a difference are open: where either run may look. */
function pairs(frame: Decoded, after: Reading, mayOld: Uint8Array, mayNow: Uint8Array): Pairs {
	const known = paired.get(frame);
	if (known && known.mayOld === mayOld && known.mayNow === mayNow) return known;
	const { size } = frame.before;
	const runs = known?.runs ?? inRuns(frame.fold, after.size);
	const open = new Uint8Array(size * size).fill(1); // a row that is not there is not masked
	for (let i = 0; i < size; i++) {
		const row = frame.align[i] ?? -1;
		if (row < 0) continue;
		const [at, from] = [i * size, row * after.size];
		for (let j = 0; j < size; j++) open[at + j] = mayOld[at + j]!;
		for (const [start, stop, to] of runs) for (let k = start; k < stop && to >= 0; k++) if (mayNow[from + k]) open[at + to + k - start] = 1;
	}
	const found = { runs, mayOld, mayNow, open };
	paired.set(frame, found);
	return found;
}

function inRuns(fold: number[], size: number): Pairs["runs"] {
	const found: Pairs["runs"] = [];
	for (let k = 0; k < size; k++) {
		const [to, last] = [fold[k] ?? -1, found[found.length - 1]];
		if (last && (to < 0 ? last[2] < 0 : last[2] >= 0 && to === last[2] + k - last[0])) last[1] = k + 1;
		else found.push([k, k + 1, to]);
	}
	return found;
}

/** The largest value, by size. */
export function extent(square: Cells): number {
	let most = 0;
	for (let i = 0; i < square.values.length; i++) {
		const value = Math.abs(square.values[i] ?? 0);
		if (value > most) most = value;
	}
	return most;
}

/** A round number at or above a value: where a colour scale ends. */
export function scaleEnd(value: number): number {
	return [0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8].find((end) => end >= value) ?? 1;
}

/** The share of its reading that a query moves elsewhere, on average over the queries. */
export function change(difference: Cells): number {
	let sum = 0;
	for (let i = 0; i < difference.values.length; i++) sum += Math.abs(difference.values[i]!);
	difference.dropped?.forEach((value) => (sum += value));
	return difference.size ? sum / 2 / difference.size : 0;
}

/** A smaller square: of the cells that share a new one, the value that is largest by size stays. */
export function pool(square: Cells, to: number): Cells {
	const factor = Math.ceil(square.size / Math.max(1, to));
	if (factor <= 1) return square;
	const size = Math.ceil(square.size / factor);
	const values = new Float32Array(size * size);
	const open = new Uint8Array(size * size);
	for (let i = 0, from = 0; i < square.size; i++) {
		const row = Math.floor(i / factor) * size;
		for (let j = 0, at = row; j < square.size; at++) {
			for (const end = Math.min(j + factor, square.size); j < end; j++, from++) {
				if (!square.open[from]) continue;
				const value = square.values[from]!;
				open[at] = 1;
				if (Math.abs(value) > Math.abs(values[at]!)) values[at] = value;
			}
		}
	}
	return { size, values, open, dropped: null };
}

/** What a token reads, most first. */
export function reads(side: Reading, layer: number, head: number, query: number, hideFirst: boolean): Link[] {
	const row = side.weights(layer, head).subarray(query * side.size, (query + 1) * side.size);
	return links(row, hideFirst);
}

/** What reads a token, most first. */
export function readBy(side: Reading, layer: number, head: number, key: number): Link[] {
	const plane = side.weights(layer, head);
	return links(Float32Array.from({ length: side.size }, (_, query) => plane[query * side.size + key] ?? 0), false);
}

function links(row: Uint8Array | Float32Array, hideFirst: boolean): Link[] {
	const found: Link[] = [];
	row.forEach((byte, index) => {
		if (byte > 0 && !(hideFirst && index === 0)) found.push({ index, weight: byte / 255 });
	});
	return found.sort((a, b) => b.weight - a.weight || a.index - b.index);
}
