import { expect, test } from "vitest";
import { coarse } from "../src/playground/coarse";
import { decode, type Decoded } from "../src/playground/decode";
import { cells, reads } from "../src/playground/measure";
import { cut, MOST_UNITS, type Wish } from "../src/playground/units";
import { twoReadings } from "./readings";

const frame = decode(twoReadings());
const wish = (part: Partial<Wish>): Wish => ({ granularity: "token", open: null, hideFirst: false, ...part });
const near = (values: Iterable<number>, wanted: number[]) => {
	const all = [...values];
	expect(all).toHaveLength(wanted.length);
	all.forEach((value, i) => expect(value).toBeCloseTo(wanted[i]!, 5));
};

test("by token nothing is changed", () => {
	expect(coarse(frame, cut(frame, wish({})))).toBe(frame);
});

test("a sentence reads the mean of what its tokens read, and what is read in it is summed", () => {
	const made = cut(frame, wish({ granularity: "sentence" }));
	expect([made.before, made.after, made.joined]).toEqual([[0, 2], [0, 2, 3, 5], 1]);
	const large = coarse(frame, made);
	expect(large.after!.tokens).toEqual(["a b", "\n", "a b"]);
	// rows of the last unit: (51+51, 51, 102) and (51+0, 51, 51+102) in 255ths, averaged
	near([...large.after!.weights(0, 0)].slice(6).map((v) => v / 255), [0.3, 0.2, 0.5]);
	near(cells(large, "before", 0, 0, false).values, [1]);
	expect([large.align, large.fold]).toEqual([[2], [0, -1, 0]]);
	near(cells(large, "difference", 0, 0, false).values, [-0.2]); // a fifth went to the new line
	near(cells(large, "difference", 0, 0, false).dropped!, [0.2]);
	expect(reads(large.after!, 0, 0, 2, false).map((link) => link.index)).toEqual([2, 0, 1]);
	expect([...large.after!.allowed(0, 0)]).toEqual([1, 0, 0, 1, 1, 0, 1, 1, 1]);
	expect(large.after!.pieces.map(({ start, stop }) => [start, stop])).toEqual([[0, 1], [1, 2], [2, 3]]);
});

test("rows of units sum to what rows of tokens sum to", () => {
	for (const granularity of ["word", "sentence", "piece"] as const) {
		const { after } = coarse(frame, cut(frame, wish({ granularity })));
		const weights = after!.weights(0, 0);
		for (let row = 0; row < after!.size; row++) near([[...weights.subarray(row * after!.size, (row + 1) * after!.size)].reduce((a, b) => a + b, 0) / 255], [1]);
	}
});

test("the first token that is hidden is a unit of its own on both sides", () => {
	const made = cut(frame, wish({ granularity: "sentence", hideFirst: true }));
	expect([made.before, made.after]).toEqual([[0, 1, 2], [0, 1, 2, 3, 4, 5]]);
	near(cells(coarse(frame, made), "before", 0, 0, true).values, [0, 0, 0, 0.6]);
});

test("what is opened is seen token by token in all its readings", () => {
	const made = cut(frame, wish({ granularity: "piece", open: [3, 4] }));
	expect([made.before, made.after]).toEqual([[0, 1, 2], [0, 1, 2, 3, 4, 5]]);
	expect(cut(frame, wish({ granularity: "piece", open: [2, 3] })).before).toEqual([0, 2]); // new in the run after
});

test("a token before the first piece is a unit of its own, also in a long text", () => {
	const { before } = stretched(frame, 1400);
	const late = { ...before, pieces: [{ ...before.pieces[0]!, start: 1 }] }; // a model's own first token
	const made = cut({ ...frame, before: late, after: null }, wish({}));
	expect(made.before.slice(0, 4)).toEqual([0, 1, 4, 7]);
	expect(made.before[made.before.length - 1]).toBe(1400);
});

test("a long text is joined alike on both sides, within its pieces, until it can be drawn", () => {
	const long = stretched(frame, 1500);
	const made = cut(long, wish({}));
	expect(made.joined).toBe(Math.ceil(3000 / MOST_UNITS));
	expect(made.after!.length - 1).toBeLessThanOrEqual(MOST_UNITS);
	expect(made.after!.slice(0, made.before.length)).toEqual(made.before);
	expect(made.after!.slice(made.before.length - 1).map((at) => at - 1500)).toEqual(made.before);
	const opened = cut(long, wish({ open: [1600, 1700] }));
	expect(opened.after!.filter((at) => at >= 1600 && at < 1700)).toHaveLength(100);
	expect(opened.before.filter((at) => at >= 100 && at < 200)).toHaveLength(100);
	expect(opened.after!.length - 1).toBeLessThanOrEqual(MOST_UNITS);
	const large = coarse(long, opened, () => null);
	expect(large.align.every((to, u) => large.after!.tokens[to] === large.before.tokens[u])).toBe(true);
});

/** A text read twice, without weights: only its cut is asked for. */
function stretched(like: Decoded, size: number): Decoded {
	const words = Array.from({ length: size }, (_, i) => ` w${i}`);
	const piece = { name: "text", origin: "text", reading: 1, start: 0, stop: size };
	const side = { ...like.before, size, tokens: words, pieces: [piece], unknown: words.map(() => false) };
	const after = { ...side, size: 2 * size, tokens: [...words, ...words], pieces: [piece, { ...piece, name: "text (2)", reading: 2, start: size, stop: 2 * size }], unknown: [] };
	return { ...like, before: side, after, align: words.map((_, i) => size + i), fold: after.tokens.map((_, i) => i % size) };
}
