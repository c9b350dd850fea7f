import { expect, test } from "vitest";
import { tensor } from "../harness/fake";
import { bytes } from "../src/lib/bytes";
import { decode } from "../src/playground/decode";
import { twoReadings } from "./readings";

test("bytes of a view that starts anywhere in its buffer are those of the view", () => {
	const buffer = Uint8Array.from([9, 9, 9, 1, 2, 3, 9]).buffer;
	expect([...bytes(new DataView(buffer, 3, 3))]).toEqual([1, 2, 3]);
	expect([...bytes(buffer)]).toHaveLength(7);
});

test("planes of a frame are found at odd offsets, and one mask stands for all heads", () => {
	const frame = twoReadings();
	expect(frame.before.attention.data.byteOffset).toBe(3);
	const decoded = decode(frame);
	expect([...decoded.before.weights(0, 0)]).toEqual([255, 0, 102, 153]);
	expect([...decoded.before.weights(0, 1)]).toEqual([255, 0, 0, 255]);
	expect([...decoded.before.allowed(0, 1)]).toEqual([1, 0, 1, 1]);
});

test("a tensor without the bytes of its shape is refused with both", () => {
	const frame = twoReadings();
	frame.before.attention = tensor([1, 2, 2, 2], new Uint8Array(7));
	expect(() => decode(frame)).toThrow("attention has shape [1, 2, 2, 2] and 7 bytes for 2 tokens");
});
