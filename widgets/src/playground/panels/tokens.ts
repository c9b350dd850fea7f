// Running text made of parts, and its colours: what a part reads is blue behind it, what reads it is orange under it.
import { freshId, h } from "../../lib/dom";
import { visible } from "../../lib/words";
import type { Reading } from "../decode";
import type { Link } from "../measure";

const SPECIAL = /^(<.+>|⟨.+⟩)$/; // tokens that stand for no text
const NONE = "0% 0%";
const THOUGHT = new Set(["thought", "generated"]); // pieces that the model wrote itself

/** The parts of a text as elements in `list`, in groups by piece. */
export function build(list: HTMLElement, side: Reading): HTMLElement[] {
	const spaced = side.tokens.some((token) => /^\s/.test(token));
	const ids = freshId("token");
	const spans = side.tokens.map((token, i) => option(token, `${ids}-${i}`, i, !!side.unknown[i], i > 0 && (!spaced || token.startsWith(" ") || SPECIAL.test(side.tokens[i - 1] ?? ""))));
	const groups: HTMLElement[] = [];
	let done = 0;
	const take = (until: number, name: string, quiet: boolean, badge: string) => {
		if (until <= done) return;
		const group = h("span", { role: "group", "aria-label": name, class: quiet ? "ck-quiet" : null });
		for (const span of spans.slice(done, until)) group.append(...(span.dataset.gap !== undefined ? [" ", span] : [span]));
		if (badge) group.prepend(h("span", { class: "ck-again", "aria-hidden": "true" }, badge));
		groups.push(group);
		done = until;
	};
	let reading = 1;
	for (const piece of [...side.pieces].sort((a, b) => a.start - b.start)) {
		take(piece.start, "between the pieces", true, "");
		const phrase = piece.origin === "phrase";
		take(piece.stop, piece.name, phrase, THOUGHT.has(piece.origin) ? "thinks" : !phrase && piece.reading > reading ? "read again" : "");
		if (!phrase) reading = Math.max(reading, piece.reading);
	}
	take(side.size, "rest", true, "");
	list.replaceChildren(...groups);
	return spans;
}

function option(token: string, id: string, i: number, unknown: boolean, gap: boolean): HTMLElement {
	const span = h("span", { role: "option", id, "data-index": i, "data-gap": gap, "aria-selected": "false", class: `ck-token${token.trim() === "" ? " ck-blank" : ""}${unknown ? " ck-unknown" : ""}` });
	visible(token).split("⏎").forEach((line, n) => span.append(...(n ? ["⏎", h("br"), line] : [line])));
	if (unknown) span.title = "a part that the model never met as a word";
	return span;
}

/** Colours the parts by what the chosen one reads and what reads it. */
export function mark(spans: HTMLElement[], read: Link[], by: Link[], token: number | null, locked: boolean): void {
	const blue = new Map(read.map((link) => [link.index, link.weight]));
	const orange = new Map(by.map((link) => [link.index, link.weight]));
	spans.forEach((span, i) => {
		paint(span, share(blue.get(i)), share(orange.get(i)));
		const chosen = i === token;
		if ((span.getAttribute("aria-selected") === "true") !== chosen) span.setAttribute("aria-selected", String(chosen));
		span.classList.toggle("ck-locked", chosen && locked);
	});
}

/** Colours a part, and leaves it alone where it has these colours. */
function paint(span: HTMLElement, reads: string, readBy: string): void {
	const key = `${reads} ${readBy}`;
	if ((span.dataset.share ?? NONE) === key) return;
	span.dataset.share = key;
	span.style.setProperty("--reads", reads);
	span.style.setProperty("--readby", readBy);
}

/** How strongly a link is coloured, in per cent: logarithmic, so that weak links are seen and strong ones leave the text legible. */
function share(weight: number | undefined): string {
	return weight ? `${Math.round(100 * (0.05 + 0.95 * Math.log10(1 + 9 * weight)))}%` : "0%";
}
