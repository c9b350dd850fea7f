// Pictures that were on before: a switch is flipped back, a change undone, and its picture is there before the kernel has
// answered. The kernel answers all the same, and a picture that is another one then replaces it.
import type { Decoded } from "./decode";
import type { PlayState } from "./types";

const KEPT = 8;

export class Frames {
	private known = new Map<string, Decoded>();
	private asked: { seq: number; key: string } | null = null;

	/** The picture of a state, where it is known, as the answer to question number `seq`. */
	of({ prompt, setup, against }: PlayState, seq: number): Decoded | null {
		const key = JSON.stringify([prompt, setup, against]);
		this.asked = { seq, key };
		const found = this.known.get(key);
		return found ? Object.assign(found, { seq, ms: 0, model: 0 }) : null; // the same object: what was reckoned from it is known by it
	}

	/** Remembers the answer to the last question. Of a long text the kernel must still give the heads: that one is asked anew. */
	keep(frame: Decoded): Decoded {
		if (frame.overview || frame.seq !== this.asked?.seq) return frame;
		this.known.delete(this.asked.key);
		this.known.set(this.asked.key, frame);
		if (this.known.size > KEPT) this.known.delete(this.known.keys().next().value!);
		return frame;
	}

	/** Forgets all: another model is there. */
	clear(): void {
		this.known.clear();
	}
}
