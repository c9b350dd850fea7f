// Running text made of parts, and its colours: what a part reads is blue behind it, what reads it is orange under it.
import { freshId, h } from "../../lib/dom";
import { visible } from "../../lib/words";
import type { Reading } from "../decode";
import type { Link } from "../measure";

const SPECIAL = /^(<.+>|⟨.+⟩)$/; // tokens that stand for no text
const NONE = "0% 0%";
const THOUGHT = new Set(["thought", "generated"]); // pieces that the model wrote itself

const keys = new WeakMap<Element, string>(); // what a group was made of

/** The parts of a text as elements in `list`, in groups by piece. Groups that are there already stay. */
export function build(list: HTMLElement, side: Reading): HTMLElement[] {
	const spaced = side.tokens.some((token) => /^\s/.test(token));
	const gap = (i: number) => i > 0 && (!spaced || side.tokens[i]!.startsWith(" ") || SPECIAL.test(side.tokens[i - 1] ?? ""));
	list.id ||= freshId("tokens");
	const groups: Element[] = [];
	let done = 0;
	const take = (until: number, name: string, quiet: boolean, badge: string) => {
		if (until <= done) return;
		const parts = side.tokens.slice(done, until).map((token, n) => ({ token, i: done + n, unknown: !!side.unknown[done + n], gap: gap(done + n) }));
		const key = JSON.stringify([name, quiet, badge, parts]);
		const old = list.children[groups.length];
		groups.push(old && keys.get(old) === key ? old : group(parts, name, quiet, badge));
		keys.set(groups[groups.length - 1]!, key);
		done = until;
	};
	const group = (parts: Part[], name: string, quiet: boolean, badge: string) => {
		const made = h("span", { role: "group", "aria-label": name, class: quiet ? "ck-quiet" : null });
		if (badge) made.append(h("span", { class: "ck-again", "aria-hidden": "true" }, badge));
		for (const part of parts) made.append(...(part.gap ? [" "] : []), option(part, `${list.id}-${part.i}`));
		return made;
	};
	let reading = 1;
	for (const piece of [...side.pieces].sort((a, b) => a.start - b.start)) {
		take(piece.start, "between the pieces", true, "");
		const phrase = piece.origin === "phrase";
		take(piece.stop, piece.name, phrase, THOUGHT.has(piece.origin) ? "thinks" : !phrase && piece.reading > reading ? "read again" : "");
		if (!phrase) reading = Math.max(reading, piece.reading);
	}
	take(side.size, "rest", true, "");
	groups.forEach((one, n) => list.children[n] !== one && (list.children[n] ? list.children[n]!.replaceWith(one) : list.append(one)));
	while (list.children.length > groups.length) list.lastElementChild!.remove();
	return [...list.querySelectorAll<HTMLElement>("[role=option]")];
}

interface Part {
	token: string;
	i: number;
	unknown: boolean;
	gap: boolean;
}

function option({ token, i, unknown }: Part, id: string): HTMLElement {
	const span = h("span", { role: "option", id, "data-index": i, "aria-selected": "false", class: `ck-token${token.trim() === "" ? " ck-blank" : ""}${unknown ? " ck-unknown" : ""}` });
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
