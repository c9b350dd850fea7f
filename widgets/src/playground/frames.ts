// Pictures that were on before, or that the kernel worked out ahead: a switch is flipped, a change undone, and its picture
// is there before the kernel has answered. The kernel answers all the same, and another picture then replaces it.
import type { Decoded } from "./decode";
import type { PlayState } from "./types";

const KEPT = 12;

export class Frames {
	private known = new Map<string, Decoded>();
	private asked: { seq: number; key: string } | null = null;

	/** The picture of a state, where it is known, as the answer to question number `seq`. */
	of(state: PlayState, seq: number): Decoded | null {
		const key = keyOf(state);
		this.asked = { seq, key };
		const found = this.known.get(key);
		return found ? Object.assign(found, { seq, ms: 0, model: 0 }) : null; // the same object: what was reckoned from it is known by it
	}

	/** Remembers the answer to the last question. Of a long text the kernel must still give the heads: that one is asked anew. */
	keep(frame: Decoded): Decoded {
		if (!frame.overview && frame.seq === this.asked?.seq) this.put(this.asked.key, frame);
		return frame;
	}

	/** Whether the picture of a state is known. */
	has(state: PlayState): boolean {
		return this.known.has(keyOf(state));
	}

	/** Remembers the picture of a state that was not on yet. */
	foresee(state: PlayState, frame: Decoded): void {
		this.put(keyOf(state), frame);
	}

	/** Forgets all: another model is there. */
	clear(): void {
		this.known.clear();
	}

	private put(key: string, frame: Decoded): void {
		this.known.delete(key);
		this.known.set(key, frame);
		if (this.known.size > KEPT) this.known.delete(this.known.keys().next().value!);
	}
}

function keyOf({ prompt, setup, against }: PlayState): string {
	return JSON.stringify([prompt, setup, against]);
}
