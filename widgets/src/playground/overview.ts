// All heads of a long text, made small in Python: a square of cells each, and how much each changed. Pure.
import { bytes } from "../lib/bytes";
import type { Cells, Tab } from "./measure";
import type { Heads, Tensor } from "./types";

export interface Overview {
	layers: number;
	heads: number;
	/** Every head's square, by layer and head; the first row and column are the first token. */
	squares(tab: Tab): Cells[];
	change(hideFirst: boolean): number[];
	interest: number[];
}

/** The small pictures of a frame, opened. */
export function overview(heads: Heads): Overview {
	const [layers = 0, count = 0] = heads.before.shape;
	const made = new Map<Tab, Cells[]>();
	const squares = (tab: Tab) => {
		const known = made.get(tab) ?? opened(heads[tab] ?? heads.before);
		made.set(tab, known);
		return known;
	};
	return { layers, heads: count, squares, interest: heads.interest, change: (hideFirst) => (hideFirst ? heads.change_hidden : heads.change) };
}

/** Bytes as values: weights from 0 to 1, or differences around 128. */
function opened(tensor: Tensor): Cells[] {
	const [layers = 0, heads = 0, size = 0] = tensor.shape;
	const data = bytes(tensor.data);
	if (data.length !== layers * heads * size * size) throw new Error(`small heads of shape [${tensor.shape.join(", ")}] have ${data.length} bytes`);
	const value = tensor.packing === "differences" ? (byte: number) => (byte - 128) / 127 : (byte: number) => byte / 255;
	const open = new Uint8Array(size * size).fill(1); // what is masked has no weight
	return Array.from({ length: layers * heads }, (_, i) => ({ size, open, dropped: null, values: Float32Array.from(data.subarray(i * size * size, (i + 1) * size * size), value) }));
}
