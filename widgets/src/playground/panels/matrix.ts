// The chosen head in detail: a window onto its matrix, with a number for the cell that is pointed at.
import { h, listen, setAttributes, setShown, setText, watchSize } from "../../lib/dom";
import { moved } from "../../lib/keys";
import { hueNames } from "../../lib/theme";
import { short } from "../../lib/words";
import type { Context, Panel } from "../context";
import { type Decoded, ready } from "../decode";
import { drawMatrix } from "../draw/matrix";
import { drawKey, ramp } from "../draw/ramp";
import type { Matrix } from "../draw/window";
import { cells, extent, scaleEnd, type Tab } from "../measure";
import { readout, rowOf, sideOf, textIndex } from "../pointing";
import { type Look, tabOf } from "../view";
import { bring, cellUnder, type LaidOut, layOut, roomOf, windowOf } from "./layout";

export function matrix(context: Context): Panel {
	const { view, signal } = context;
	const canvas = h("canvas", { role: "img", "data-test": "matrix" });
	const spacer = h("div", { class: "ck-spacer" }, canvas);
	const scroll = h("div", { class: "ck-scroll", tabindex: 0, role: "group", "aria-label": "Attention of the chosen head. Arrow keys move from cell to cell." }, spacer);
	const words = h("div", { class: "ck-readout", "data-test": "readout" });
	const [low, high] = [h("span"), h("span")];
	const key = h("canvas", { class: "ck-ramp", "aria-hidden": "true" });
	const zoom = h("button", { type: "button", class: "ck-button ck-small", "data-test": "zoom", "aria-pressed": "false" }, "zoom");
	const log = h("input", { type: "checkbox", "data-test": "log" });
	const hidden = h("span", { class: "ck-inline", hidden: true }, h("span", { class: "ck-hidden-key", "aria-hidden": "true" }), "hidden");
	const el = h("div", { class: "ck-matrix" }, scroll, words, h("div", { class: "ck-key" }, low, key, high, h("span", { class: "ck-hatched", "aria-hidden": "true" }), "masked", hidden, h("label", { class: "ck-check", title: "Opacity grows with the logarithm of a weight, so that small ones are seen; off: in step with it." }, log, "log opacity"), zoom));
	let now: Matrix | null = null;
	let cursor: { row: number; column: number } | null = null;
	let pinned = false;
	let window: LaidOut | null = null;
	let room = 0; // the width there is; 0: not known
	let paints = 0;

	const paint = () => {
		const look = view.look;
		if (!now || !look.frame) return;
		paints += 1;
		window ??= layOut(scroll, spacer, now, look.zoom, (room ||= roomOf(scroll)));
		const row = cursor?.row ?? rowOf(look);
		drawMatrix(canvas, { ...now, row, column: cursor?.column ?? null }, window, ramp(context.theme, look.log), context.theme);
		if (!ready(look.frame, look.layer, look.head)) return void setText(words, `loading head ${look.layer}.${look.head} …`);
		setText(words, cursor ? readout(look, look.frame, cursor.row, cursor.column) : hint(tabOf(look)));
	};
	const measure = () => {
		if (!now) return;
		window = layOut(scroll, spacer, now, view.look.zoom, (room ||= roomOf(scroll)));
		setShown(zoom, window.fit < 10 || view.look.zoom);
		paint();
	};
	const point = (to: typeof cursor, aloud: boolean) => {
		const look = view.look;
		const before = paints;
		cursor = to;
		view.point(to && look.frame ? textIndex(look, look.frame, to.row) : null);
		if (paints === before) paint();
		if (aloud) context.say(words.textContent ?? "");
	};
	const cellAt = (event: MouseEvent) => (window && now ? cellUnder(event, canvas, window, now.square.size) : null);

	listen(canvas, "pointermove", (event) => !pinned && point(cellAt(event), false), signal);
	listen(canvas, "pointerleave", () => !pinned && point(null, false), signal);
	listen(canvas, "click", (event) => {
		const cell = cellAt(event);
		pinned = !pinned && cell !== null;
		if (!pinned) view.free();
		point(cell, false);
		if (pinned && view.look.token !== null) view.set({ locked: true });
	}, signal);
	scroll.addEventListener("scroll", () => {
		window &&= windowOf(scroll, window); // read here only: it makes the page lay itself out
		paint();
	}, { signal, passive: true });
	listen(scroll, "keydown", (event) => {
		if (!now || event.ctrlKey || event.metaKey || event.altKey) return;
		const to = cursor === null && event.key.startsWith("Arrow") ? { row: rowOf(view.look) ?? now.square.size - 1, column: 0 } : moved(event.key, cursor ?? { row: 0, column: 0 }, now.square.size, now.square.size);
		if (!to) return;
		event.preventDefault();
		point(to, true);
		if (window) bring(scroll, window, to);
	}, signal);
	listen(context.root, "keydown", (event) => {
		if (event.key !== "Escape" || !cursor) return;
		pinned = false;
		point(null, false);
	}, signal);
	listen(log, "change", () => view.set({ log: log.checked }), signal);
	listen(zoom, "click", () => view.set({ zoom: !view.look.zoom }), signal);

	view.on((look, changed) => {
		if (!look.frame) return;
		const anew = (["frame", "layer", "head", "wanted", "hideFirst", "arrived", "log"] as const).some(changed);
		log.checked = look.log;
		setShown(hidden, look.hideFirst);
		if (anew) {
			const old = now?.labels.length;
			now = prepare(look, look.frame);
			if (old !== now.labels.length || changed("wanted")) [cursor, pinned] = [null, false];
			describe(look, now, canvas);
			const both = tabOf(look) === "difference";
			setText(low, both ? `−${now.end}` : "0");
			setText(high, both ? `+${now.end}` : String(now.end));
			drawKey(key, ramp(context.theme, look.log), context.theme, both);
		}
		if (changed("locked") && !look.locked && pinned) [cursor, pinned] = [null, false];
		if (changed("zoom")) setAttributes(zoom, { "aria-pressed": String(look.zoom) });
		if (changed("frame") || changed("wanted") || changed("zoom")) measure();
		else paint();
	});
	const theme = () => {
		drawKey(key, ramp(context.theme, view.look.log), context.theme, tabOf(view.look) === "difference");
		paint();
	};
	const resized = () => {
		if (roomOf(scroll) === room) return;
		room = roomOf(scroll);
		measure();
	};
	watchSize(el, resized, signal);
	return { el, theme, resized };
}

function hint(tab: Tab): string {
	if (tab !== "difference") return "A row reads the columns. Point at a cell for its number.";
	const hue = hueNames();
	return `${hue.reads}: reads more than before. ${hue.readBy}: less. Point at a cell for its numbers.`;
}

function prepare(look: Look, frame: Decoded): Matrix {
	const tab = tabOf(look);
	const side = sideOf(look, frame);
	const square = cells(frame, tab, look.layer, look.head, look.hideFirst);
	const both = frame.after && tab !== "difference" ? cells(frame, tab === "before" ? "after" : "before", look.layer, look.head, look.hideFirst) : null;
	const end = scaleEnd(Math.max(extent(square), both ? extent(both) : 0));
	return { square, labels: side.tokens.map((token) => short(token, 14)), hidden: look.hideFirst, pieces: [...side.pieces].sort((a, b) => a.start - b.start), end, row: null, column: null };
}

function describe(look: Look, matrix: Matrix, canvas: HTMLElement): void {
	const what = { before: "Attention before", after: "Attention after", difference: "Difference of attention, after minus before" }[tabOf(look)];
	canvas.setAttribute("aria-label", `${what}, layer ${look.layer}, head ${look.head}, ${matrix.labels.length} tokens; the numbers are in the table below`);
}
