import { expect, test } from "vitest";
import { decode } from "../src/playground/decode";
import { byChange, rank, thumbnails } from "../src/playground/heads";
import { cells, change, extent, pool, readBy, reads, scaleEnd } from "../src/playground/measure";
import { readout, rowOf, textIndex } from "../src/playground/pointing";
import { type Look, View } from "../src/playground/view";
import { twoReadings } from "./readings";

const frame = decode(twoReadings());
const near = (values: Iterable<number>, wanted: number[]) => [...values].forEach((value, i) => expect(value).toBeCloseTo(wanted[i]!, 6));
const look = (part: Partial<Look>): Look => ({ ...new View().look, frame, ...part });

test("the difference folds both readings of a token together and drops what is new", () => {
	const square = cells(frame, "difference", 0, 0, false);
	near(square.values, [-0.4, 0.2, 0, -0.2]);
	near(square.dropped!, [0.2, 0.2]);
	expect([...square.open]).toEqual([1, 1, 1, 1]); // the second reading of "a" may see "b"
	expect(change(square)).toBeCloseTo((0.4 + 0.2 + 0.2 + 0.2 + 0.2) / 2 / 2, 6);
});

test("each row of a difference loses what it drops", () => {
	const square = cells(frame, "difference", 0, 0, false);
	for (const row of [0, 1]) expect(square.values[row * 2]! + square.values[row * 2 + 1]!).toBeCloseTo(-square.dropped![row]!, 6);
});

test("a token that is not in the run after has an empty row that is not called masked", () => {
	const square = cells({ ...frame, align: [-1, 4] }, "difference", 0, 0, false);
	expect([...square.values.subarray(0, 2), ...square.open.subarray(0, 2)]).toEqual([0, 0, 1, 1]);
	expect(readout(look({ wanted: "difference", frame: { ...frame, align: [-1, 4] } }), { ...frame, align: [-1, 4] }, 0, 0)).toBe("“a” is not in the text after");
});

test("hiding the first token takes its column out and nothing else", () => {
	near(cells(frame, "before", 0, 0, true).values, [0, 0, 0, 0.6]);
	near(cells(frame, "difference", 0, 0, true).values, [0, 0.2, 0, -0.2]);
});

test("a head that changed comes before one that did not", () => {
	expect(byChange(rank(frame, false))[0]).toMatchObject({ layer: 0, head: 0 });
	const idle = decode({ ...twoReadings(), after: null, align: [], fold: [] });
	expect(rank(idle, false).every((head) => head.change === 0)).toBe(true);
	expect(cells(idle, "difference", 0, 0, false).values).toEqual(cells(idle, "before", 0, 0, false).values);
});

test("pooling keeps the largest value by size, with its sign", () => {
	const square = { size: 3, values: Float32Array.from([0.1, -0.9, 0, 0.2, 0.3, 0, 0, 0, 0.5]), open: new Uint8Array(9).fill(1), dropped: null };
	near(pool(square, 2).values, [-0.9, 0, 0, 0.5]);
	expect(pool(square, 3)).toBe(square);
	expect(extent(square)).toBeCloseTo(0.9);
	expect([0.01, 0.34, 0.97].map(scaleEnd)).toEqual([0.02, 0.4, 1]);
});

test("thumbnails of many tokens are no larger than asked", () => {
	expect(thumbnails(frame, "after", false, 3).squares.every((square) => square.size <= 3)).toBe(true);
});

test("what a token reads and what reads it are the row and the column of its head", () => {
	expect(reads(frame.after!, 0, 0, 3, false).map((link) => link.index)).toEqual([3, 0, 1, 2]);
	expect(reads(frame.after!, 0, 0, 3, true).map((link) => link.index)).toEqual([3, 1, 2]);
	expect(readBy(frame.after!, 0, 0, 3).map((link) => link.index)).toEqual([3, 4]);
});

test("a cell of the difference stands for the last reading in the text, and is read out with both numbers", () => {
	const at = look({ wanted: "difference" });
	expect(textIndex(at, frame, 0)).toBe(3);
	expect(rowOf({ ...at, token: 4 })).toBe(1);
	expect(rowOf({ ...at, token: 2 })).toBeNull();
	expect(readout(at, frame, 0, 1)).toBe("“a” → “b” 0.00 → 0.20 (+0.20) · 0.20 on new tokens");
	expect(readout(look({ wanted: "before" }), frame, 0, 1)).toBe("“a” → “b” masked");
	expect(readout(look({ wanted: "after" }), frame, 3, 1)).toBe("“a” → “b” 0.20");
});
