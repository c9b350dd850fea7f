// A panel of the second script: a quiet line until the script is here, then the panel itself in its place.
import { h, setShown, setText } from "../../lib/dom";
import type { Context, Panel } from "../context";
import { atHand, inWords, more, type More } from "../second";

/** A panel that is fetched when it is wanted for the first time, and is told everything from then on. */
export function later(wanted: (context: Context) => boolean, which: (more: More) => (context: Context) => Panel): (context: Context) => Panel {
	return (context) => {
		const present = atHand();
		if (present) return which(present)(context);
		const words = h("p", { class: "ck-note", "data-test": "later" }, "loading this panel from the kernel …");
		const el = h("section", { class: "ck-band", hidden: true }, words);
		let real: Panel | null = null;
		let asked = false;
		const arrived = (script: More) => {
			if (context.signal.aborted) return;
			real = which(script)(context);
			el.replaceWith(real.el);
			for (const name of ["catalog", "state", "results", "theme", "resized"] as const) real[name]?.();
		};
		const want = () => {
			const shown = wanted(context);
			setShown(el, shown);
			if (!shown || asked) return;
			asked = true;
			more(context).then(arrived).catch((error: unknown) => setText(words, `This panel could not be loaded: ${inWords(error)}.`));
		};
		const told = (name: "catalog" | "theme" | "resized") => () => real?.[name]?.();
		const toldOrWanted = (name: "state" | "results") => () => (real ? real[name]?.() : want());
		return { el, catalog: told("catalog"), state: toldOrWanted("state"), results: toldOrWanted("results"), theme: told("theme"), resized: told("resized") };
	};
}
