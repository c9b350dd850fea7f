// A painted mask as data: which cells differ from the causal mask, and of which pieces its tokens are. Pure.
// The mirror of ctkit/masks/painted.py: paint belongs to pieces, and rests where a piece has another number of tokens.
import type { Reading } from "./decode";
import type { Entry, Json } from "./types";

export interface Paint {
	size: number;
	/** 1 where a cell is not as in the causal mask, [query][key] row by row. */
	other: Uint8Array;
	/** Each piece with its number of tokens, in order; "" are those that the tokenizer puts in front. */
	pieces: [string, number][];
}

const MASKS = ["Mask", "Knockout", "MaskGroups"];
const WRITTEN = new Set(["thought", "generated"]); // pieces that the model wrote, which are not painted

/** The prompt's pieces with their numbers of tokens, up to what the model wrote. */
export function layoutOf(side: Reading): [string, number][] {
	const layout: [string, number][] = [];
	let done = 0;
	for (const piece of [...side.pieces].sort((a, b) => a.start - b.start)) {
		if (WRITTEN.has(piece.origin) || piece.name === "answer cue") break;
		if (piece.start > done && done === 0) layout.push(["", piece.start]);
		layout.push([piece.name, piece.stop - piece.start]);
		done = piece.stop;
	}
	return layout;
}

/** Nothing painted: the causal mask of the prompt. */
export function blank(side: Reading): Paint {
	const pieces = layoutOf(side);
	const size = pieces.reduce((sum, [, count]) => sum + count, 0);
	return { size, other: new Uint8Array(size * size), pieces };
}

/** The mask of one head as if it had been painted. */
export function copied(side: Reading, layer: number, head: number): Paint {
	const paint = blank(side);
	const allowed = side.allowed(layer, head);
	const { size, other } = paint;
	if (allowed.length < size * side.size) return paint; // of a long text the masks are not sent
	for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) other[i * size + j] = (allowed[i * side.size + j] ? 1 : 0) === (j <= i ? 1 : 0) ? 0 : 1;
	return paint;
}

/** What a rule of a setup has painted; null for any other rule. */
export function readPaint(kind: Json): Paint | null {
	if (!Array.isArray(kind) || kind[0] !== "painted" || typeof kind[1] !== "string") return null;
	const [size = 0, ...runs] = kind[1].split(/[:,]/).map(Number);
	const other = new Uint8Array(size * size);
	let at = 0;
	runs.forEach((run, i) => {
		if (i % 2) other.fill(1, at, at + run);
		at += run;
	});
	return { size, other, pieces: (kind[2] ?? []) as [string, number][] };
}

/** The rule of a setup that is this paint. */
export function writePaint({ size, other, pieces }: Paint): Json {
	const runs: number[] = [];
	let [value, from] = [0, 0];
	for (let i = 0; i <= other.length; i++) {
		if (i < other.length && other[i] === value) continue;
		runs.push(i - from);
		[value, from] = [1 - value, i];
	}
	return ["painted", `${size}:${runs.join(",")}`, pieces];
}

/** Paint on the tokens of another run: what stays where it is, and the pieces whose paint rests. */
export function fitted(paint: Paint, side: Reading): { paint: Paint; resting: string[] } {
	const now = blank(side);
	if (!paint.pieces.length) return paint.size === now.size ? { paint: { ...now, other: paint.other }, resting: [] } : { paint: now, resting: ["all"] };
	const from = new Int32Array(now.size).fill(-1);
	const starts = new Map<string, [number, number]>();
	let start = 0;
	for (const [name, count] of now.pieces) {
		starts.set(name, [start, count]);
		start += count;
	}
	const resting: string[] = [];
	start = 0;
	for (const [name, count] of paint.pieces) {
		const here = starts.get(name);
		if (here && here[1] === count) for (let i = 0; i < count; i++) from[here[0] + i] = start + i;
		else if (count) resting.push(name);
		start += count;
	}
	for (let i = 0; i < now.size; i++) {
		for (let j = 0; from[i]! >= 0 && j < now.size; j++) if (from[j]! >= 0) now.other[i * now.size + j] = paint.other[from[i]! * paint.size + from[j]!] ?? 0;
	}
	return { paint: now, resting };
}

/** How many cells were closed, and how many opened. */
export function counts({ size, other }: Paint): { closed: number; opened: number } {
	let [closed, opened] = [0, 0];
	for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) if (other[i * size + j]) j <= i ? (closed += 1) : (opened += 1);
	return { closed, opened };
}

/** The first token that would see nothing, or −1. */
export function emptyRow({ size, other }: Paint): number {
	for (let i = 0; i < size; i++) {
		let sees = false;
		for (let j = 0; j < size && !sees; j++) sees = (j <= i) !== !!other[i * size + j];
		if (!sees) return i;
	}
	return -1;
}

/** Where a setup's mask stands: the painted one, else the first one, else −1. */
export function maskAt(setup: Entry[]): number {
	const painted = setup.findIndex((entry) => entry.intervention === "Mask" && readPaint(entry.kind ?? null));
	return painted >= 0 ? painted : setup.findIndex((entry) => MASKS.includes(entry.intervention));
}

/** Whether a setup's mask is one that was painted. */
export function isPainted(setup: Entry[]): boolean {
	return readPaint(setup[maskAt(setup)]?.kind ?? null) !== null;
}

/** The setup with a mask painted so, in the place of the one it has; null takes the mask out. */
export function withPaint(setup: Entry[], paint: Paint | null, target: { layers: Json; heads: Json }): Entry[] {
	const at = maskAt(setup);
	const entry: Entry[] = paint ? [{ intervention: "Mask", kind: writePaint(paint), ...target }] : [];
	return at < 0 ? [...entry, ...setup] : [...setup.slice(0, at), ...entry, ...setup.slice(at + 1)];
}
