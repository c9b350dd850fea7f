// Asks Python for the heads of a long text that are shown and not here: one question at a time, the newest counts.
import type { Command } from "./types";
import type { Look, View } from "./view";

/** Asks whenever something is missing. */
export function askForHeads(view: View, send: (command: Command) => void): void {
	let asked = "";
	view.on((look, changed) => {
		const next = missing(look);
		const question = next && look.base ? `${look.base.seq}|${JSON.stringify(next)}` : "";
		// the same question again where what arrived was for another view of this model: ours may have been dropped for it
		if (next && (question !== asked || changed("arrived"))) send(next);
		asked = question;
	});
}

/** What to ask for: the side of the chosen head that is not here, in the units of the cut. */
export function missing({ base, frame, cut, layer, head }: Look): (Command & { type: "head" }) | null {
	if (!base?.overview || !frame || !cut) return null;
	const side = frame.after && !frame.after.has(layer, head) ? "after" : frame.before.has(layer, head) ? null : "before";
	const edges = side === "after" ? cut.after : cut.before;
	return side && edges ? { type: "head", seq: base.seq, layer, head, side, key: cut.key, edges } : null;
}
