// A frame as it crosses from Python (bytes in DataViews) to one that can be measured. Pure.
import { type Overview, overview } from "./overview";
import type { NextToken, Sent, Side, Span } from "./types";
import { type Planes, planes } from "./unpack";

/** One run: its tokens (or larger units of them) and who read whom. Weights are in steps of 1/255, masks 0 or 1. */
export interface Reading {
	tokens: string[];
	pieces: Span[];
	unknown: boolean[];
	/** The tokens with which a word, a sentence begins. */
	words: number[];
	sentences: number[];
	layers: number;
	heads: number;
	size: number;
	/** Whether the weights of a head are here. */
	has(layer: number, head: number): boolean;
	/** Weights of one head, [query][key] row by row. */
	weights(layer: number, head: number): Uint8Array | Float32Array;
	/** Who may attend to whom in one head, [query][key] row by row. */
	allowed(layer: number, head: number): Uint8Array;
}

export interface Decoded {
	seq: number;
	/** Names the runs that it shows: the same name, the same picture. */
	run: string;
	ms: number;
	model: number;
	before: Reading;
	after: Reading | null;
	align: number[];
	fold: number[];
	next: NextToken[];
	sentence: string;
	/** All heads made small, where the weights themselves are too many: then each head is asked for. */
	overview: Overview | null;
}

const readings = new WeakMap<Side, Reading>(); // a run before belongs to many frames
const NO_PLANES: Planes = { layers: 0, heads: 0, at: () => new Uint8Array() };

/** A frame with its bytes opened. Raises an error where a tensor does not have the bytes that its shape says. `before`: its
 * run before, where it does not hold that itself. */
export function decode(frame: Sent, before: Side | null = null): Decoded {
	const { seq, run, ms, model = 0, align, fold, next, sentence } = frame;
	const small = frame.heads ? overview(frame.heads) : null;
	const first = frame.before ?? before;
	if (!first) throw new Error("the run before was not sent");
	const known = small ? undefined : readings.get(first);
	const sides = { before: known ?? reading(first, small), after: frame.after ? reading(frame.after, small) : null };
	if (!small) readings.set(first, sides.before);
	return { seq, run, ms, model, align, fold, next, sentence, overview: small, ...sides };
}

/** Whether all weights of a head are here. */
export function ready({ before, after }: Decoded, layer: number, head: number): boolean {
	return before.has(layer, head) && (after === null || after.has(layer, head));
}

function reading(side: Side, small: Overview | null): Reading {
	const { tokens, pieces, unknown } = side;
	const size = tokens.length;
	const weights = side.attention ? planes(side.attention, size, "attention") : NO_PLANES;
	const allowed = side.allowed ? planes(side.allowed, size, "allowed") : NO_PLANES;
	const { layers, heads } = small ?? weights;
	return { tokens, pieces, unknown, words: side.words, sentences: side.sentences, layers, heads, size, has: () => small === null, weights: weights.at, allowed: allowed.at };
}
