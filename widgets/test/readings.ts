// Two words, read once and then twice with a phrase between: small enough to reckon by hand. One layer, two heads.
import { tensor } from "../harness/fake";
import { bytes } from "../src/lib/bytes";
import type { Command, Detail, Frame } from "../src/playground/types";

const piece = (name: string, origin: string, reading: number, start: number, stop: number) => ({ name, origin, reading, start, stop });
const causal = (size: number) => Uint8Array.from({ length: size * size }, (_, i) => (i % size <= Math.floor(i / size) ? 1 : 0));

export function twoReadings(seq = 1): Frame {
	const now = [
		[255, 0, 0, 0, 0],
		[102, 153, 0, 0, 0],
		[51, 102, 102, 0, 0],
		[51, 51, 51, 102, 0],
		[51, 0, 51, 51, 102],
	].flat();
	const self = [0, 1, 2, 3, 4].flatMap((i) => [0, 1, 2, 3, 4].map((j) => (i === j ? 255 : 0)));
	return {
		seq,
		run: `run ${seq}`,
		ms: 12.4,
		before: { tokens: ["a", " b"], pieces: [piece("text", "text", 1, 0, 2)], words: [0, 1], sentences: [0], unknown: [false, false], attention: tensor([1, 2, 2, 2], Uint8Array.from([255, 0, 102, 153, 255, 0, 0, 255])), allowed: tensor([1, 1, 2, 2], causal(2)) },
		after: {
			tokens: ["a", " b", "\n", "a", " b"],
			pieces: [piece("text", "text", 1, 0, 2), piece("phrase (2)", "phrase", 2, 2, 3), piece("text (2)", "text", 2, 3, 5)],
			words: [0, 1, 2, 3, 4],
			sentences: [0, 2, 3],
			unknown: [false, false, false, false, true],
			attention: tensor([1, 2, 5, 5], Uint8Array.from([...now, ...self])),
			allowed: tensor([1, 1, 5, 5], causal(5)),
		},
		align: [3, 4],
		fold: [0, 1, -1, 0, 1],
		next: [
			{ token: " c", before: 0.2, after: 0.7 },
			{ token: "\n", before: 0.6, after: 0.1 },
		],
		sentence: "Read twice.",
		heads: null,
	};
}

/** The same, as it comes where the weights are too many: all heads small, and each to be asked for. */
export function longReadings(seq = 1): Frame {
	const frame = twoReadings(seq);
	const small = (values: number[]) => tensor([1, 2, 2, 2], Uint8Array.from(values));
	const heads = { before: small([255, 0, 102, 153, 255, 0, 0, 255]), after: small([255, 0, 51, 204, 255, 0, 0, 255]), difference: { ...small([128, 128, 64, 192, 128, 128, 128, 128]), packing: "differences" as const }, change: [0.1, 0.3], change_hidden: [0.2, 0.1], interest: [0, 0] };
	return { ...frame, before: { ...frame.before, attention: null, allowed: null }, after: { ...frame.after!, attention: null, allowed: null }, heads };
}

/** What Python answers to a question for a head of these readings: the weights of the first head. */
export function answer(question: Command, seq: number): Detail {
	if (question.type !== "head") throw new Error(`not a question for a head: ${question.type}`);
	const { layer, head, side, key } = question;
	const from = twoReadings()[side]!;
	const size = from.tokens.length;
	const plane = tensor([size, size], bytes(from.attention!.data).slice(0, size * size));
	return { seq, layer, head, side, key, weights: plane, allowed: { ...tensor([size, size], new Uint8Array()), packing: "causal" } };
}
