// A frame in units: the same frame with words, sentences or pieces in the place of tokens. Pure.
import type { Decoded, Reading } from "./decode";
import { type Cut, isFine, unitsOf } from "./units";

/** Where a head's weights in units come from; null: not here (yet). */
export interface Head {
	weights: Uint8Array | Float32Array;
	allowed: Uint8Array;
}
export type Source = (side: "before" | "after", layer: number, head: number) => Head | null;

/** The frame in the units of a cut. `source`: the heads as they were asked for; left out, they are summed up here. */
export function coarse(frame: Decoded, { before, after }: Cut, source?: Source): Decoded {
	if (!source && isFine(before) && (!after || isFine(after))) return frame;
	const [old, now] = [unitsOf(before), after ? unitsOf(after) : []];
	const align = before.slice(0, -1).map((start, u) => {
		const last = frame.align.slice(start, before[u + 1]).filter((k) => k >= 0).pop();
		return last === undefined ? -1 : (now[last] ?? -1);
	});
	const fold = (after ?? [0]).slice(0, -1).map((start, u) => {
		const first = frame.fold.slice(start, after![u + 1]).find((i) => i >= 0);
		return first === undefined ? -1 : (old[first] ?? -1);
	});
	const side = (name: "before" | "after", reading: Reading, edges: number[], units: number[]) => inUnits(reading, edges, units, source ? (layer, head) => source(name, layer, head) : (layer, head) => summed(reading, units, edges, layer, head));
	return { ...frame, align: after ? align : [], fold, before: side("before", frame.before, before, old), after: frame.after && after ? side("after", frame.after, after, now) : null };
}

function inUnits(reading: Reading, edges: number[], units: number[], source: (layer: number, head: number) => Head | null): Reading {
	const size = edges.length - 1;
	const spaced = reading.tokens.some((token) => /^\s/.test(token));
	const within = <T,>(values: T[], u: number) => values.slice(edges[u], edges[u + 1]);
	const known = new Map<string, Head>();
	const at = (layer: number, head: number): Head | null => {
		const found = known.get(`${layer}.${head}`) ?? source(layer, head);
		if (found) known.set(`${layer}.${head}`, found);
		return found;
	};
	return {
		...reading,
		size,
		tokens: edges.slice(1).map((_, u) => within(reading.tokens, u).join(spaced ? "" : " ")),
		unknown: edges.slice(1).map((_, u) => within(reading.unknown, u).some(Boolean)),
		pieces: reading.pieces.map((piece) => ({ ...piece, start: units[piece.start] ?? size, stop: (units[piece.stop - 1] ?? size - 1) + 1 })),
		words: [],
		sentences: [],
		has: (layer, head) => at(layer, head) !== null,
		weights: (layer, head) => at(layer, head)?.weights ?? new Uint8Array(size * size),
		allowed: (layer, head) => at(layer, head)?.allowed ?? new Uint8Array(size * size).fill(1),
	};
}

/** One head in units: rows averaged, columns summed; open where any pair of tokens is. */
function summed(reading: Reading, units: number[], edges: number[], layer: number, head: number): Head {
	const size = edges.length - 1;
	const [from, may] = [reading.weights(layer, head), reading.allowed(layer, head)];
	const weights = new Float32Array(size * size);
	const allowed = new Uint8Array(size * size);
	for (let i = 0, at = 0; i < reading.size; i++) {
		const row = units[i]! * size;
		const share = 1 / ((edges[units[i]! + 1] ?? 0) - (edges[units[i]!] ?? 0));
		for (let j = 0; j < reading.size; j++, at++) {
			const cell = row + units[j]!;
			weights[cell] = (weights[cell] ?? 0) + (from[at] ?? 0) * share;
			if (may[at]) allowed[cell] = 1;
		}
	}
	return { weights, allowed };
}
