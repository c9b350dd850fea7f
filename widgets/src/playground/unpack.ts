// Tensors of bytes as ctkit/ui/wire.py packs them: triangles of weights that are mostly 0, bits of masks. Pure.
import { bytes } from "../lib/bytes";
import type { Tensor } from "./types";

/** A [layer, head, query, key] tensor by plane; where it has one layer or head, that one stands for all. */
export interface Planes {
	layers: number;
	heads: number;
	at(layer: number, head: number): Uint8Array;
}

/** The planes of a tensor, opened when they are asked for. Raises an error where its bytes do not fit its shape. */
export function planes(tensor: Tensor, size: number, name: string): Planes {
	const [layers = 0, heads = 0, rows = 0, columns = 0] = tensor.shape.length === 2 ? [1, 1, ...tensor.shape] : tensor.shape;
	const packing = tensor.packing ?? "bytes";
	const sent = bytes(tensor.data);
	const data = packing === "triangle" ? squares(sent, layers * heads, size) : sent;
	const numbers = layers * heads * size * size;
	const all = { bytes: numbers, triangle: numbers, bits: Math.ceil(numbers / 8), causal: 0, differences: NaN }[packing];
	if (rows !== size || columns !== size || data.length !== all) {
		throw new Error(`${name} has shape [${tensor.shape.join(", ")}] and ${sent.length} bytes for ${size} tokens`);
	}
	const opened = new Map<number, Uint8Array>();
	const at = (layer: number, head: number) => {
		const plane = (layers === 1 ? 0 : layer) * heads + (heads === 1 ? 0 : head);
		if (packing === "bytes" || packing === "triangle") return data.subarray(plane * size * size, (plane + 1) * size * size);
		const known = opened.get(plane) ?? open[packing](data, plane, size);
		opened.set(plane, known);
		return known;
	};
	return { layers, heads, at };
}

/** Lower triangles, row by row: a bit for each byte says whether it is 0 or the next of those that follow. Nothing where
 * these are not as many as the bits say. */
function squares(data: Uint8Array, planes: number, size: number): Uint8Array {
	const found = new Uint8Array(planes * size * size);
	const places = new Int32Array((size * (size + 1)) / 2); // of a triangle, in its square
	for (let row = 0, at = 0; row < size; row++) for (let column = 0; column <= row; column++) places[at++] = row * size + column;
	let from = Math.ceil((planes * places.length) / 8);
	for (let plane = 0, bit = 0; plane < planes; plane++) {
		const [first, end, square] = [bit, bit + places.length, plane * size * size];
		while (bit < end) {
			const rest = data[bit >> 3]! >> (bit & 7);
			if (!rest) bit = (bit | 7) + 1;
			else {
				bit += 31 - Math.clz32(rest & -rest); // the next bit that is set
				if (bit < end) found[square + places[bit - first]!] = data[from++]!;
				bit++;
			}
		}
		bit = end;
	}
	return from === data.length ? found : new Uint8Array();
}

const open = {
	bits(data: Uint8Array, plane: number, size: number): Uint8Array {
		const first = plane * size * size;
		return Uint8Array.from({ length: size * size }, (_, i) => ((data[(first + i) >> 3] ?? 0) >> ((first + i) & 7)) & 1);
	},
	causal(_data: Uint8Array, _plane: number, size: number): Uint8Array {
		const square = new Uint8Array(size * size);
		for (let i = 0; i < size; i++) square.fill(1, i * size, i * size + i + 1);
		return square;
	},
	differences(data: Uint8Array): Uint8Array {
		return data;
	},
};
