// Heads of a long text come when they are asked for: what is here, and the one question that is open.
import type { Head, Source } from "./coarse";
import type { Detail } from "./types";
import { type Cut } from "./units";
import { planes } from "./unpack";

const MOST = 48; // heads that are remembered

export class Heads {
	private known = new Map<string, Head>();
	private seq = -1;

	/** Takes an answer; whether it belongs to the frame on show. */
	take(detail: Detail | null, seq: number): boolean {
		if (this.seq !== seq) this.known.clear();
		this.seq = seq;
		if (!detail || detail.seq !== seq) return false;
		const size = detail.weights.shape[0] ?? 0;
		const head = { weights: planes(detail.weights, size, "attention").at(0, 0), allowed: planes(detail.allowed, size, "allowed").at(0, 0) };
		this.known.set(name(detail), head);
		const oldest = this.known.keys().next().value;
		if (this.known.size > MOST && oldest !== undefined) this.known.delete(oldest);
		return true;
	}

	/** The heads in the units of a cut, as far as they are here. */
	source(cut: Cut): Source {
		return (side, layer, head) => this.known.get(name({ side, layer, head, key: cut.key })) ?? null;
	}
}

function name({ side, layer, head, key }: Pick<Detail, "side" | "layer" | "head" | "key">): string {
	return [side, layer, head, key].join("|");
}
