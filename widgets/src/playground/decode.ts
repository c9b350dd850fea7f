// A frame as it crosses from Python (bytes in DataViews) to one that can be measured. Pure.
import { bytes } from "../lib/bytes";
import type { Frame, NextToken, Side, Span, Tensor } from "./types";

/** One run: its tokens and who read whom. Weights are bytes (255 = 1), masks bytes (0 = masked). */
export interface Reading {
	tokens: string[];
	pieces: Span[];
	unknown: boolean[];
	layers: number;
	heads: number;
	size: number;
	/** Weights of one head, [query][key] row by row. */
	weights(layer: number, head: number): Uint8Array;
	/** Who may attend to whom in one head, [query][key] row by row. */
	allowed(layer: number, head: number): Uint8Array;
}

export interface Decoded {
	seq: number;
	ms: number;
	before: Reading;
	after: Reading | null;
	align: number[];
	fold: number[];
	next: NextToken[];
	sentence: string;
}

/** A frame with its bytes opened. Raises an error where a tensor does not have the bytes that its shape says. */
export function decode(frame: Frame): Decoded {
	const { seq, ms, align, fold, next, sentence } = frame;
	return { seq, ms, align, fold, next, sentence, before: reading(frame.before), after: frame.after ? reading(frame.after) : null };
}

function reading(side: Side): Reading {
	const size = side.tokens.length;
	const weights = planes(side.attention, size, "attention");
	const allowed = planes(side.allowed, size, "allowed");
	const [layers = 0, heads = 0] = side.attention.shape;
	return { tokens: side.tokens, pieces: side.pieces, unknown: side.unknown, layers, heads, size, weights, allowed };
}

/** A [layer, head, query, key] tensor by plane; where it has one layer or head, that one stands for all. */
function planes(tensor: Tensor, size: number, name: string): (layer: number, head: number) => Uint8Array {
	const [layers = 0, heads = 0, rows = 0, columns = 0] = tensor.shape;
	const data = bytes(tensor.data);
	if (rows !== size || columns !== size || data.length !== layers * heads * size * size) {
		throw new Error(`${name} has shape [${tensor.shape.join(", ")}] and ${data.length} bytes for ${size} tokens`);
	}
	return (layer, head) => {
		const plane = (layers === 1 ? 0 : layer) * heads + (heads === 1 ? 0 : head);
		return data.subarray(plane * size * size, (plane + 1) * size * size);
	};
}
