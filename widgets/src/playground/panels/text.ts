// The prompt as the model reads it: running text, in which a token (or a word, a sentence, a piece) says what it reads
// and what reads it.
import { freshId, h, listen, setAttributes, setShown, setText } from "../../lib/dom";
import { number, short } from "../../lib/words";
import type { Context, Panel } from "../context";
import { ready, type Reading } from "../decode";
import { type Link, readBy, reads } from "../measure";
import { GRANULARITIES, type Granularity, MOST_OPEN } from "../units";
import { type Look, textSide } from "../view";
import { selectionIn } from "../selecting";
import { build, mark } from "./tokens";

const MOST = 5; // links that are said in words
const COLOURED = 64; // links of each kind that are coloured
const LEAST = 0.005; // weights below it would read 0.00
const MEANING = "A word, sentence or piece reads the mean of what its tokens read; what is read in it is summed.";

export function text(context: Context, edit: HTMLElement): Panel {
	const { view, signal } = context;
	const list = h("div", { class: "ck-tokens", role: "listbox", tabindex: 0, dir: "auto", "data-test": "tokens", "aria-label": "The text as the model reads it. Arrow keys choose a part, Enter locks it, Escape frees it." });
	const plain = h("p", { class: "ck-tokens ck-mute", dir: "auto" });
	const words = h("span", { class: "ck-words", "data-test": "reads" });
	const open = h("button", { type: "button", class: "ck-button ck-small", "data-test": "open-unit", hidden: true });
	const el = h("section", { class: "ck-text", "aria-label": "Text" }, plain, list, h("div", { class: "ck-annotation" }, words, h("span", { class: "ck-text-tools" }, open, grain(context), edit)));
	let spans: HTMLElement[] = [];

	const index = (event: Event): number => Number((event.target instanceof HTMLElement ? event.target.closest<HTMLElement>("[role=option]") : null)?.dataset.index ?? -1);
	listen(list, "pointermove", (event) => {
		const at = index(event);
		if (at >= 0 && event.pointerType !== "touch") view.point(at);
	}, signal);
	listen(list, "pointerleave", (event) => event.pointerType !== "touch" && view.point(null), signal);
	listen(list, "click", (event) => {
		const at = index(event);
		if (at >= 0) view.lock(at);
	}, signal);
	listen(list, "keydown", (event) => {
		const from = view.look.token;
		if (onKey(event, context, list, spans.length)) selectTo(event.shiftKey, spans, from, view.look.token);
	}, signal);
	listen(open, "click", () => view.set({ open: view.look.open ? null : opening(view.look) }), signal);

	view.on((look, changed) => {
		if (!look.frame) return;
		setShown(plain, false);
		setShown(list, true);
		if (changed("frame")) spans = build(list, textSide(look.frame));
		if ((["frame", "layer", "head", "token", "locked", "hideFirst", "arrived"] as const).some(changed)) draw(look, list, spans, words);
		const range = opening(look);
		setShown(open, look.open !== null || range !== null);
		setText(open, look.open ? "close the tokens" : `open its ${range ? range[1] - range[0] : 0} tokens`);
	});
	setShown(list, false);
	const results = () => {
		if (view.look.frame) return;
		setText(plain, context.state.prompt.map((piece) => piece.text).join(" "));
		setText(words, context.model.get("error") ? "This text was not run: see the message above." : "running…");
	};
	return { el, results, hears: ["frame", "error"] };
}

/** The choice of what counts as one part of the text. */
function grain(context: Context): HTMLElement {
	const id = freshId("grain");
	const select = h("select", { id, "data-test": "granularity", title: MEANING }, ...GRANULARITIES.map((one) => h("option", { value: one }, `by ${one}`)));
	listen(select, "change", () => {
		context.view.set({ granularity: select.value as Granularity, open: null });
		context.say(select.value === "token" ? "One part a token." : MEANING);
	}, context.signal);
	context.view.on((look, changed) => {
		if (changed("granularity")) select.value = look.granularity;
		const joined = look.cut?.joined ?? 1;
		if (changed("cut")) setAttributes(select, { title: joined > 1 ? `The text is long: ${joined} at a time. ${MEANING}` : MEANING });
		if (changed("cut")) select.options[GRANULARITIES.indexOf(look.granularity)]!.text = `by ${look.granularity}${joined > 1 ? ` × ${joined}` : ""}`;
	});
	return h("span", {}, h("label", { for: id, class: "ck-unseen" }, "Parts of the text"), select);
}

/** The tokens of the part that is locked, where it has several: these can be opened. */
function opening({ token, locked, frame, cut }: Look): [number, number] | null {
	if (token === null || !locked || !frame || !cut) return null;
	const edges = cut.after ?? cut.before;
	const [from, to] = [edges[token] ?? 0, edges[token + 1] ?? 0];
	return to - from > 1 ? [from, Math.min(to, from + MOST_OPEN)] : null;
}

/** Shift and an arrow select the words in between, as a pointer that is dragged does. */
function selectTo(more: boolean, spans: HTMLElement[], from: number | null, to: number | null): void {
	const selection = selectionIn(spans[0]);
	const [first, last] = [spans[from ?? 0], spans[to ?? 0]];
	if (!selection || !first || !last) return;
	const begun = spans.find((span) => span.contains(selection.anchorNode));
	if (!more) return begun && selection.removeAllRanges();
	const anchor = begun && !selection.isCollapsed ? begun : first;
	const forward = spans.indexOf(anchor) <= spans.indexOf(last);
	selection.setBaseAndExtent(anchor, forward ? 0 : anchor.childNodes.length, last, forward ? last.childNodes.length : 0);
}

/** Whether another token is pointed at. */
function onKey(event: KeyboardEvent, context: Context, list: HTMLElement, size: number): boolean {
	const { view } = context;
	const at = view.look.token;
	const forward = getComputedStyle(list).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
	const back = forward === "ArrowRight" ? "ArrowLeft" : "ArrowRight";
	const steps: Record<string, number> = { [forward]: (at ?? -1) + 1, [back]: (at ?? 1) - 1, Home: 0, End: size - 1 };
	const to = steps[event.key];
	if ((event.key === "Enter" || event.key === " ") && at !== null && !event.shiftKey) view.lock(at);
	else if (to !== undefined && !event.ctrlKey && !event.metaKey) {
		view.set({ token: Math.max(0, Math.min(size - 1, to)) });
		list.querySelector("[aria-selected=true]")?.scrollIntoView?.({ block: "nearest" });
	} else return false;
	event.preventDefault();
	return to !== undefined;
}

function draw(look: Look, list: HTMLElement, spans: HTMLElement[], words: HTMLElement): void {
	const side = textSide(look.frame!);
	const token = look.token !== null && look.token < side.size ? look.token : null;
	const there = side.has(look.layer, look.head);
	const read = token === null || !there ? [] : reads(side, look.layer, look.head, token, look.hideFirst);
	const by = token === null || !there ? [] : readBy(side, look.layer, look.head, token).filter((link) => link.index !== token);
	mark(spans, read.slice(0, COLOURED), by.slice(0, COLOURED), token, look.locked);
	const active = token === null ? undefined : spans[token];
	const before = list.querySelector(`[id="${list.getAttribute("aria-activedescendant") ?? ""}"]`);
	if (before) setAttributes(before, { "aria-label": null });
	setAttributes(list, { "aria-activedescendant": active?.id });
	if (!ready(look.frame!, look.layer, look.head) && side.layers > 0) return void setText(words, `loading head ${look.layer}.${look.head} …`);
	if (token === null || !active) return void words.replaceChildren(...hint(side));
	words.replaceChildren(...said(side, token, read, by, look.locked));
	setAttributes(active, { "aria-label": words.textContent });
}

function said(side: Reading, token: number, read: Link[], by: Link[], locked: boolean): (Node | string)[] {
	const list = (links: Link[]) => links.filter((link) => link.weight >= LEAST).slice(0, MOST).map((link) => `${short(side.tokens[link.index] ?? "")} ${number(link.weight)}`).join(" · ") || "nothing";
	return [
		`“${short(side.tokens[token] ?? "")}” reads `,
		h("b", { class: "ck-reads" }, list(read)),
		" · is read by ",
		h("b", { class: "ck-readby" }, list(by)),
		...(locked ? [h("span", { class: "ck-mute" }, " · locked, Esc frees")] : []),
	];
}

function hint(side: Reading): string[] {
	const parts = ["Point at a word to see what it reads and what reads it."];
	if (side.unknown.some(Boolean)) parts.push("Dotted: parts that the model never met as a word.");
	return [parts.join(" ")];
}
