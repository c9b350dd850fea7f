// Tensors of bytes as ctkit/ui/wire.py packs them: triangles of weights, bits of masks. Pure.
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
	const data = bytes(tensor.data);
	const all = { bytes: layers * heads * size * size, triangle: (layers * heads * size * (size + 1)) / 2, bits: Math.ceil((layers * heads * size * size) / 8), causal: 0, differences: NaN }[packing];
	if (rows !== size || columns !== size || data.length !== all) {
		throw new Error(`${name} has shape [${tensor.shape.join(", ")}] and ${data.length} bytes for ${size} tokens`);
	}
	const opened = new Map<number, Uint8Array>();
	const at = (layer: number, head: number) => {
		const plane = (layers === 1 ? 0 : layer) * heads + (heads === 1 ? 0 : head);
		if (packing === "bytes") return data.subarray(plane * size * size, (plane + 1) * size * size);
		const known = opened.get(plane) ?? open[packing](data, plane, size);
		opened.set(plane, known);
		return known;
	};
	return { layers, heads, at };
}

const open = {
	triangle(data: Uint8Array, plane: number, size: number): Uint8Array {
		const square = new Uint8Array(size * size);
		for (let i = 0, from = (plane * size * (size + 1)) / 2; i < size; from += ++i) square.set(data.subarray(from, from + i + 1), i * size);
		return square;
	},
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
