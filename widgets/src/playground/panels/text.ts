// The prompt as the model reads it: running text, in which a token says what it reads and what reads it.
import { h, setShown, setText } from "../../lib/dom";
import { number, quoted, shown } from "../../lib/words";
import type { Context, Panel } from "../context";
import type { Decoded, Reading } from "../decode";
import { type Link, readBy, reads } from "../measure";
import { type Look, textSide } from "../view";

const MOST = 3; // links that are said in words
const LEAST = 0.005; // weights below it would read 0.00
const SPECIAL = /^(<.+>|⟨.+⟩)$/; // tokens that stand for no text
const NONE = "0% 0%";
const THOUGHT = new Set(["thought", "generated"]); // pieces that the model wrote itself

export function text(context: Context, edit: HTMLElement): Panel {
	const { view, signal } = context;
	const list = h("div", { class: "ck-tokens", role: "listbox", tabindex: 0, dir: "auto", "data-test": "tokens", "aria-label": "Tokens as the model reads them. Arrow keys choose one, Enter locks it, Escape frees it." });
	const plain = h("p", { class: "ck-tokens ck-mute", dir: "auto" });
	const words = h("span", { class: "ck-words", "data-test": "reads" });
	const el = h("section", { class: "ck-text", "aria-label": "Text" }, plain, list, h("div", { class: "ck-annotation" }, words, edit));
	let spans: HTMLElement[] = [];

	const index = (event: Event): number => (event.target instanceof HTMLElement ? spans.indexOf(event.target.closest<HTMLElement>("[role=option]") ?? el) : -1);
	list.addEventListener("pointermove", (event) => {
		const at = index(event);
		if (at >= 0) view.point(at);
	}, { signal });
	list.addEventListener("pointerleave", () => view.point(null), { signal });
	list.addEventListener("click", (event) => {
		const at = index(event);
		if (at >= 0) view.lock(at);
	}, { signal });
	list.addEventListener("keydown", (event) => onKey(event, context, list, spans.length), { signal });

	view.on((look, changed) => {
		if (!look.frame) return;
		setShown(plain, false);
		setShown(list, true);
		if (changed("frame")) spans = build(list, textSide(look.frame));
		if (["frame", "layer", "head", "token", "locked", "hideFirst"].some((name) => changed(name as keyof Look))) mark(look, look.frame, list, spans, words, context);
	});
	setShown(list, false);
	const results = () => {
		if (view.look.frame) return;
		setText(plain, context.state.prompt.map((piece) => piece.text).join(" "));
		setText(words, context.model.get("error") ? "This text was not run: see the message above." : "running…");
	};
	return { el, results };
}

function onKey(event: KeyboardEvent, context: Context, list: HTMLElement, size: number): void {
	const { view } = context;
	const at = view.look.token;
	const forward = getComputedStyle(list).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
	const back = forward === "ArrowRight" ? "ArrowLeft" : "ArrowRight";
	const steps: Record<string, number> = { [forward]: (at ?? -1) + 1, [back]: (at ?? 1) - 1, Home: 0, End: size - 1 };
	const to = steps[event.key];
	if ((event.key === "Enter" || event.key === " ") && at !== null && !event.shiftKey) view.lock(at);
	else if (to !== undefined && !event.ctrlKey && !event.metaKey) view.set({ token: Math.max(0, Math.min(size - 1, to)) });
	else return;
	event.preventDefault();
}

function build(list: HTMLElement, side: Reading): HTMLElement[] {
	const spaced = side.tokens.some((token) => /^\s/.test(token));
	const spans = side.tokens.map((token, i) => option(token, i, !!side.unknown[i], i > 0 && (!spaced || token.startsWith(" ") || SPECIAL.test(side.tokens[i - 1] ?? ""))));
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

function option(token: string, i: number, unknown: boolean, gap: boolean): HTMLElement {
	const blank = token.trim() === "";
	const label = shown(token);
	const span = h("span", { role: "option", id: `${ids}-${(made += 1)}`, "data-index": i, "data-gap": gap, "aria-selected": "false", class: `ck-token${blank ? " ck-blank" : ""}${unknown ? " ck-unknown" : ""}` }, label);
	if (unknown) span.title = "a part that the model never met as a word";
	if (/\n/.test(token)) span.append(h("br"));
	return span;
}

const ids = `ctkit-token-${Math.random().toString(36).slice(2, 8)}`;
let made = 0;

function mark(look: Look, frame: Decoded, list: HTMLElement, spans: HTMLElement[], words: HTMLElement, context: Context): void {
	const side = textSide(frame);
	const token = look.token !== null && look.token < side.size ? look.token : null;
	const read = token === null ? [] : reads(side, look.layer, look.head, token, look.hideFirst);
	const by = token === null ? [] : readBy(side, look.layer, look.head, token).filter((link) => link.index !== token);
	const blue = new Map(read.map((link) => [link.index, link.weight]));
	const orange = new Map(by.map((link) => [link.index, link.weight]));
	spans.forEach((span, i) => {
		paint(span, share(blue.get(i)), share(orange.get(i)));
		const chosen = i === token;
		if ((span.getAttribute("aria-selected") === "true") !== chosen) span.setAttribute("aria-selected", String(chosen));
		span.classList.toggle("ck-locked", chosen && look.locked);
	});
	const active = token === null ? undefined : spans[token];
	if (active) list.setAttribute("aria-activedescendant", active.id);
	else list.removeAttribute("aria-activedescendant");
	if (token === null || !active) return void words.replaceChildren(...hint(context, side));
	words.replaceChildren(...said(side, token, read, by, look.locked));
	active.setAttribute("aria-label", words.textContent ?? "");
}

/** Colours a token, and leaves it alone where it has these colours. */
function paint(span: HTMLElement, reads: string, readBy: string): void {
	const key = `${reads} ${readBy}`;
	if ((span.dataset.share ?? NONE) === key) return;
	span.dataset.share = key;
	span.style.setProperty("--reads", reads);
	span.style.setProperty("--readby", readBy);
}

function said(side: Reading, token: number, read: Link[], by: Link[], locked: boolean): (Node | string)[] {
	const list = (links: Link[]) => links.filter((link) => link.weight >= LEAST).slice(0, MOST).map((link) => `${shown(side.tokens[link.index] ?? "")} ${number(link.weight)}`).join(" · ") || "nothing";
	return [
		`${quoted(side.tokens[token] ?? "")} reads `,
		h("b", { class: "ck-reads" }, list(read)),
		" · is read by ",
		h("b", { class: "ck-readby" }, list(by)),
		...(locked ? [h("span", { class: "ck-mute" }, " · locked, Esc frees")] : []),
	];
}

function hint(context: Context, side: Reading): string[] {
	const note = context.catalog.examples.find((one) => one.pieces.every((piece, i) => context.state.prompt[i]?.text === piece.text))?.note;
	const parts = ["Point at a word to see what it reads and what reads it."];
	if (side.unknown.some(Boolean)) parts.push("Dotted: parts that the model never met as a word.");
	return [[note?.replace(/[^.!?…]$/, "$&."), ...parts].filter(Boolean).join(" ")];
}

/** How strongly a link is coloured, in per cent: logarithmic, so that weak links are seen and strong ones leave the text legible. */
function share(weight: number | undefined): string {
	return weight ? `${Math.round(100 * (0.05 + 0.95 * Math.log10(1 + 9 * weight)))}%` : "0%";
}
