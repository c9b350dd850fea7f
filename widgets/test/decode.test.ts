import { expect, test } from "vitest";
import { tensor } from "../harness/fake";
import { bytes } from "../src/lib/bytes";
import { decode } from "../src/playground/decode";
import { byChange, rank, thumbnails } from "../src/playground/heads";
import { planes } from "../src/playground/unpack";
import { longReadings, twoReadings } from "./readings";

test("bytes of a view that starts anywhere in its buffer are those of the view", () => {
	const buffer = Uint8Array.from([9, 9, 9, 1, 2, 3, 9]).buffer;
	expect([...bytes(new DataView(buffer, 3, 3))]).toEqual([1, 2, 3]);
	expect([...bytes(buffer)]).toHaveLength(7);
});

test("planes of a frame are found at odd offsets, and one mask stands for all heads", () => {
	const frame = twoReadings();
	expect(frame.before.attention!.data.byteOffset).toBe(3);
	const decoded = decode(frame);
	expect([...decoded.before.weights(0, 0)]).toEqual([255, 0, 102, 153]);
	expect([...decoded.before.weights(0, 1)]).toEqual([255, 0, 0, 255]);
	expect([...decoded.before.allowed(0, 1)]).toEqual([1, 0, 1, 1]);
});

test("triangles and bits open to the squares they were packed from", () => {
	const triangle = planes({ ...tensor([1, 2, 3, 3], Uint8Array.from([0b11101111, 0b1101, 1, 2, 3, 4, 6, 7, 8, 9, 11, 12])), packing: "triangle" }, 3, "x");
	expect([...triangle.at(0, 0)]).toEqual([1, 0, 0, 2, 3, 0, 4, 0, 6]);
	expect([...triangle.at(0, 1)]).toEqual([7, 0, 0, 8, 9, 0, 0, 11, 12]);
	const bits = planes({ ...tensor([1, 2, 3, 3], Uint8Array.from([0b00000101, 0b00000111, 0b10])), packing: "bits" }, 3, "x"); // the first bit is the lowest
	expect([...bits.at(0, 0)]).toEqual([1, 0, 1, 0, 0, 0, 0, 0, 1]);
	expect([...bits.at(0, 1)]).toEqual([1, 1, 0, 0, 0, 0, 0, 0, 1]);
	const causal = planes({ ...tensor([3, 3], new Uint8Array()), packing: "causal" }, 3, "x");
	expect([...causal.at(7, 9)]).toEqual([1, 0, 0, 1, 1, 0, 1, 1, 1]);
	expect(() => planes({ ...tensor([1, 1, 3, 3], new Uint8Array(5)), packing: "triangle" }, 3, "x")).toThrow("5 bytes for 3 tokens");
});

test("a frame without weights has its small heads", () => {
	const decoded = decode(longReadings());
	expect([decoded.before.layers, decoded.before.heads]).toEqual([1, 2]);
	expect(decoded.overview?.squares("difference")[0]?.values[3]).toBeCloseTo(64 / 127, 6);
	expect(decoded.overview?.squares("before")[0]?.values[2]).toBeCloseTo(0.4, 6);
	expect(decoded.before.has(0, 0)).toBe(false);
	expect(byChange(rank(decoded, false)).map((one) => one.head)).toEqual([1, 0]);
	expect(byChange(rank(decoded, true)).map((one) => one.head)).toEqual([0, 1]);
	expect(thumbnails(decoded, "before", true, 9).squares[0]?.values[2]).toBe(0);
});

test("a tensor without the bytes of its shape is refused with both", () => {
	const frame = twoReadings();
	frame.before.attention = tensor([1, 2, 2, 2], new Uint8Array(7));
	expect(() => decode(frame)).toThrow("attention has shape [1, 2, 2, 2] and 7 bytes for 2 tokens");
});
