// The mask painter: drag over cells to open or close them; keys do the same; each stroke is one step of the history.
import { freshId, h, listen, setShown, setText } from "../../lib/dom";
import { quoted, short } from "../../lib/words";
import { cellStates, IN_WORDS, type Spot, stroke, targetOf, type Tool } from "../brush";
import type { Context, Panel } from "../context";
import { drawPaint } from "../draw/paint";
import { blank, counts, emptyRow, isPainted, maskAt, type Paint, withPaint } from "../paint";
import { textSide } from "../view";
import { type LaidOut, layOut, windowOf } from "./layout";
import { type Brush, brushing } from "./brushing";
import { paintTable } from "./painttable";
import { present, targetIn, targets } from "./painttarget";

const TOOLS: [Tool, string][] = [["cells", "cell by cell"], ["rectangle", "a rectangle"], ["row", "whole rows"], ["column", "whole columns"]];

/** What is on show: the paint on the tokens of the newest run, in the units of the text. */
interface Shown {
	paint: Paint;
	resting: string[];
	edges: number[];
	labels: string[];
	states: Uint8Array;
}

export function painter(context: Context): Panel {
	const { view, signal } = context;
	const alone = context.model.get("panels")?.includes("switches") === false;
	const canvas = h("canvas", { role: "img", "data-test": "painter" });
	const spacer = h("div", { class: "ck-spacer" }, canvas);
	const scroll = h("div", { class: "ck-scroll", tabindex: 0, role: "group", "data-test": "painter-cells", "aria-label": "Mask. A row sees the open columns. Arrow keys move, Shift with them chooses more, Space opens or closes." }, spacer);
	const words = h("p", { class: "ck-readout", "data-test": "painter-words" });
	const count = h("p", { class: "ck-note", "data-test": "painter-count" });
	const rests = h("p", { class: "ck-note ck-rests", "data-test": "painter-rests", hidden: true });
	const tool = h("select", { id: freshId("tool"), "data-test": "painter-tool" }, ...TOOLS.map(([value, label]) => h("option", { value }, label)));
	const reset = h("button", { type: "button", class: "ck-link", "data-test": "painter-reset" }, "reset");
	const zoom = h("button", { type: "button", class: "ck-button ck-small", "data-test": "painter-zoom", "aria-pressed": "false" }, "zoom");
	const key = h("div", { class: "ck-key" }, ...(["open", "hatched", "shut", "opened"] as const).map((name, i) => h("span", { class: "ck-pair" }, h("span", { class: `ck-sign ck-sign-${name}`, "aria-hidden": "true" }, ["", "", "×", "○"][i]!), IN_WORDS[i]!)), zoom);
	const table = paintTable();
	const strips = alone ? targets(context, signal) : null;
	const el = h("section", { class: `${alone ? "ck-panel" : "ck-band"} ck-painter`, "aria-label": "Mask painter" }, h("div", { class: "ck-inline" }, h("h3", {}, "Mask · paint who sees whom"), h("label", { for: tool.id, class: "ck-note" }, "drag paints"), tool, reset), rests, h("div", { class: "ck-matrix" }, scroll, words, key), count, ...(strips ? [strips.el] : []), table.el);
	let now: Shown | null = null;
	let window: LaidOut | null = null;
	let zoomed = false;

	const prepare = (paint?: Paint): Shown | null => {
		const { base, frame, cut } = view.look;
		if (!base || !frame || !cut) return null;
		const found = paint ? { paint, resting: [] } : present(context, textSide(base));
		const edges = (cut.after ?? cut.before).filter((at) => at < found.paint.size).concat(found.paint.size);
		const labels = textSide(frame).tokens.slice(0, edges.length - 1).map((token) => short(token, 14));
		return { ...found, edges, labels, states: cellStates(found.paint, edges) };
	};
	const draw = () => {
		if (!now || el.hidden) return;
		const size = now.labels.length;
		const { cursor, chosen } = brush;
		const pieces = view.look.frame ? textSide(view.look.frame).pieces : [];
		const square = { size, values: new Float32Array(), open: now.states.map((state) => (state === 1 ? 0 : 1)), dropped: null };
		const matrix = { square, labels: now.labels, hidden: false, pieces, end: 1, row: cursor?.row ?? null, column: cursor?.column ?? null, states: now.states, chosen };
		window ??= layOut(scroll, spacer, matrix, zoomed);
		setShown(zoom, window.fit < 10 || zoomed);
		canvas.dataset.cell = String(window.cell); // for who points at a cell from outside
		drawPaint(canvas, matrix, window, context.theme);
		setText(words, cursor ? said(now, cursor) : "A row sees the open columns. Drag over cells to close or open them.");
		setText(count, inAll(now.paint));
	};
	const take = (paint: Paint) => {
		const empty = emptyRow(paint);
		if (empty >= 0) {
			const token = view.look.base ? textSide(view.look.base).tokens[empty] : "";
			refuse(`${quoted(token ?? "")} would see nothing. A word must see one word at least, if only itself.`);
			return;
		}
		context.commit({ setup: withPaint(context.state.setup, paint, strips ? strips.value() : targetIn(context)) });
		context.say(`${inAll(paint)}`);
	};
	const refuse = (why: string) => {
		now = prepare();
		draw();
		setText(words, why);
		context.say(why);
	};
	const brush: Brush = brushing({
		canvas,
		scroll,
		signal,
		tool: () => tool.value as Tool,
		window: () => window,
		units: () => now?.labels.length ?? 0,
		moved: (aloud) => {
			draw();
			if (aloud && now && brush.cursor) context.say(said(now, brush.cursor));
		},
		started: (from: Spot) => (now ? targetOf((now.states[from.row * now.labels.length + from.column] ?? 0) as 0, from, now.labels.length === now.paint.size) : "causal"),
		stroked: (spots, target) => {
			if (!now) return;
			now = prepare(stroke(now.paint, now.edges, spots, target));
			draw();
		},
		ended: () => now && take(now.paint),
		cancelled: () => refuse("left as it was"),
	});
	scroll.addEventListener("scroll", () => {
		window &&= windowOf(scroll, window);
		draw();
	}, { signal, passive: true });
	listen(zoom, "click", () => {
		zoomed = !zoomed;
		zoom.setAttribute("aria-pressed", String(zoomed));
		window = null;
		draw();
	}, signal);
	listen(reset, "click", () => {
		const base = view.look.base;
		if (base) context.commit({ setup: withPaint(context.state.setup, alone ? null : blank(textSide(base)), targetIn(context)) });
		scroll.focus();
	}, signal);

	const state = () => {
		setShown(el, alone || isPainted(context.state.setup));
		if (el.hidden || brush.busy) return;
		const size = now?.labels.length;
		now = prepare();
		if (size !== now?.labels.length) window = null;
		setShown(reset, alone ? maskAt(context.state.setup) >= 0 : !!now?.paint.other.some(Boolean));
		setText(rests, now?.resting.length ? `The paint of ${now.resting.map(quoted).join(", ")} rests, as it has other tokens now: undo the change of the text, or paint anew.` : "");
		setShown(rests, !!now?.resting.length);
		strips?.show();
		canvas.setAttribute("aria-label", now ? `Mask of ${now.labels.length} by ${now.labels.length}: ${inAll(now.paint)}. The same as a table below.` : "Mask");
		if (now) table.show(now.labels, now.states);
		draw();
	};
	view.on((_look, changed) => {
		if (changed("base") || changed("cut")) state();
	});
	const resized = () => {
		window = null;
		draw();
	};
	return { el, state, theme: draw, resized };
}

function said({ labels, states }: Shown, { row, column }: Spot): string {
	return `${quoted(labels[row] ?? "")} → ${quoted(labels[column] ?? "")} ${IN_WORDS[(states[row * labels.length + column] ?? 0) as 0]}`;
}

/** "6 of 78 cells closed, 2 opened". */
function inAll(paint: Paint): string {
	const { closed, opened } = counts(paint);
	const all = (paint.size * (paint.size + 1)) / 2;
	return `${closed} of ${all} cells closed by you, ${opened} opened.`;
}
