// The present picture as vectors: the text, the chosen head, the next token, drawn from the data and not from the page.
import { freshId } from "../../lib/dom";
import { css, type Theme } from "../../lib/theme";
import { number, shown } from "../../lib/words";
import { type Decoded, ready } from "../decode";
import { withRoom } from "../draw/labels";
import { place, ramp } from "../draw/ramp";
import { cells, type Cells, extent, pool, scaleEnd } from "../measure";
import { sideOf } from "../pointing";
import { summary } from "../told";
import type { Catalog, NextToken, PlayState } from "../types";
import { type Look, tabOf, textSide } from "../view";
import { columns, cut, MONO, s } from "./svg";

export { svgText } from "./svg";
export { toPng } from "./download";

const WIDTH = 1000;
const LEFT = 24;
const LETTER = 7.8; // of a monospaced font of 13 px
const LINES = 14; // of text, at most
const MOST_CELLS = 128; // a side; more are pooled
const SIDE = 460;
const LABELS = 60; // tokens that have room for a label
const BARS = 640;

/** The picture of what is shown now; null before there is any. */
export function drawPicture(look: Look, theme: Theme, catalog: Catalog, state: PlayState): SVGElement | null {
	const { frame } = look;
	if (!frame) return null;
	const compared = state.against.length ? `, compared with ${summary(state.against, catalog.switches)}` : "";
	const title = `${catalog.model.name} · ${summary(state.setup, catalog.switches)}${compared}`;
	const [text, below] = drawText(frame, 76, theme);
	const labels = frame.before.size <= LABELS;
	const top = below + 28;
	const [matrix, end] = ready(frame, look.layer, look.head) && frame.before.layers ? drawHead(look, frame, theme, top + (labels ? 96 : 24)) : [[], top];
	const bars = frame.next.map((one, i) => bar(one, frame.after === null, top + 26 + i * 24, theme));
	const height = Math.max(end, top + 40 + frame.next.length * 24) + 44;
	return s(
		"svg",
		{ width: WIDTH, height, viewBox: `0 0 ${WIDTH} ${Math.round(height)}`, role: "img", "font-family": "system-ui, 'DejaVu Sans', Arial, sans-serif", "font-size": 13, fill: css(theme.ink) },
		s("title", {}, title),
		s("desc", {}, frame.sentence),
		s("rect", { width: WIDTH, height, fill: css(theme.paper) }),
		s("text", { x: LEFT, y: 32, "font-size": 15, "font-weight": 600 }, cut(title, 110)),
		s("text", { x: LEFT, y: 52, fill: css(theme.mute) }, cut(frame.sentence, 140)),
		...text,
		s("text", { x: LEFT, y: top, "font-weight": 600 }, `Attention · layer ${look.layer}, head ${look.head} · ${tabOf(look)}`),
		...matrix,
		s("text", { x: BARS, y: top, "font-weight": 600 }, "Next token"),
		...bars.flat(),
		s("text", { x: BARS, y: top + 34 + frame.next.length * 24, fill: css(theme.mute), "font-size": 11 }, frame.after ? "outline: before · filled: after" : "nothing is changed"),
	);
}

/** The tokens in lines, and where they end; a new reading begins a line. */
function drawText(frame: Decoded, from: number, theme: Theme): [SVGElement[], number] {
	const side = textSide(frame);
	const parts = [...side.pieces].sort((a, b) => a.start - b.start);
	const fresh = new Set(parts.filter((piece, i) => piece.reading > (parts[i - 1]?.reading ?? 1)).map((piece) => piece.start));
	const inText = (i: number) => parts.some(({ start, stop }) => start <= i && i < stop);
	const drawn: SVGElement[] = [];
	let [x, line] = [LEFT, 0];
	for (const [i, token] of side.tokens.entries()) {
		const word = cut(shown(token), 48);
		const width = columns(word) * LETTER;
		const apart = /^\s/.test(token) || !inText(i) || !inText(i - 1); // a full stop stands at its word, a mark alone
		if (apart && x > LEFT) x += LETTER;
		if (x + width > WIDTH - LEFT || (fresh.has(i) && x > LEFT)) [x, line] = [LEFT, line + 1];
		if (line >= LINES) {
			drawn.push(s("text", { x: LEFT, y: from + line * 22, fill: css(theme.mute) }, `… and ${side.size - i} more tokens`));
			line += 1;
			break;
		}
		drawn.push(s("text", { x, y: from + line * 22, "font-family": MONO, textLength: width, lengthAdjust: "spacingAndGlyphs", style: "unicode-bidi: isolate" }, word));
		x += width;
	}
	return [drawn, from + line * 22 + 12];
}

/** The chosen head as squares, a path a colour; and where it ends. */
function drawHead(look: Look, frame: Decoded, theme: Theme, top: number): [SVGElement[], number] {
	const tab = tabOf(look);
	const { log } = look;
	const whole = cells(frame, tab, look.layer, look.head, look.hideFirst);
	const square = pool(whole, MOST_CELLS);
	const labelled = whole.size <= LABELS;
	const left = LEFT + (labelled ? 92 : 0);
	const cell = Math.min(20, SIDE / Math.max(1, square.size));
	const end = scaleEnd(extent(whole));
	const hatch = freshId("hatch");
	const pattern = s("pattern", { id: hatch, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, s("path", { d: "M0 0V6", stroke: css(theme.line) }));
	const drawn = [s("defs", {}, pattern), ...paths(square, left, top, cell, end, theme, log, `url(#${hatch})`)];
	const side = square.size * cell;
	drawn.push(s("rect", { x: left, y: top, width: side, height: side, fill: "none", stroke: css(theme.line) }));
	const words = labelled ? sideOf(look, frame).tokens.map((token) => cut(shown(token), 12)) : [];
	for (const i of withRoom(words, cell)) drawn.push(...label(words[i]!, left, top, (i + 0.5) * cell, theme));
	const legend = top + side + 18;
	const scale = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((i) => s("rect", { x: left + 40 + i * 9, y: legend - 8, width: 9, height: 8, fill: ramp(theme, log).colors[place(tab === "difference" ? i / 5 - 1 : i / 10, 1)] ?? "none" }));
	const small = { "font-size": 11, fill: css(theme.mute), y: legend };
	drawn.push(s("text", { ...small, x: left + 34, "text-anchor": "end" }, tab === "difference" ? `−${end}` : "0"), ...scale, s("text", { ...small, x: left + 145 }, `${tab === "difference" ? "+" : ""}${end} · hatched: masked · a row reads the columns`));
	return [drawn, legend + 6];
}

function paths(square: Cells, left: number, top: number, cell: number, end: number, theme: Theme, log: boolean, hatched: string): SVGElement[] {
	const of = new Map<string, string[]>();
	const gap = cell > 6 ? 1 : 0;
	square.values.forEach((value, at) => {
		const open = square.open[at] !== 0;
		if (open && value === 0) return;
		const color = open ? (ramp(theme, log).colors[place(value, end)] ?? "none") : hatched;
		const [x, y] = [left + (at % square.size) * cell, top + Math.floor(at / square.size) * cell];
		const [wide, from] = open ? [cell - gap, [x, y]] : [cell, [x, y]];
		push(of, color, `M${from.map((one) => one.toFixed(1)).join(" ")}h${wide.toFixed(1)}v${wide.toFixed(1)}h-${wide.toFixed(1)}z`);
	});
	return [...of].map(([color, parts]) => s("path", { d: parts.join(""), fill: color }));
}

function label(word: string, left: number, top: number, at: number, theme: Theme): SVGElement[] {
	const look = { "font-family": MONO, "font-size": 11, fill: css(theme.mute), "dominant-baseline": "central", style: "unicode-bidi: isolate" };
	return [s("text", { ...look, x: left - 5, y: top + at, "text-anchor": "end" }, word), s("text", { ...look, transform: `translate(${(left + at).toFixed(1)} ${top - 5}) rotate(-90)` }, word)];
}

function bar(one: NextToken, idle: boolean, y: number, theme: Theme): SVGElement[] {
	const [x, room] = [BARS + 96, 150];
	const outline = { x, y: y - 7, height: 14, width: Math.max(0.5, one.before * room), stroke: css(theme.mute), "stroke-width": 1.5 };
	const filled = s("rect", { x, y: y - 6, height: 12, width: (one.after ?? 0) * room, fill: css(theme.reads) });
	const words = idle ? number(one.before) : `${number(one.before)} → ${number(one.after ?? 0)}`;
	return [
		s("text", { x: BARS, y, "font-family": MONO, "font-size": 12, "dominant-baseline": "central", style: "unicode-bidi: isolate" }, cut(shown(one.token), 12)),
		s("rect", { x, y: y - 6, height: 12, width: room, fill: css(theme.line), opacity: 0.4 }),
		...(idle ? [] : [filled]),
		s("rect", { ...outline, fill: idle ? css(theme.line) : "none" }),
		s("text", { x: x + room + 8, y, "font-size": 11, "dominant-baseline": "central" }, words),
	];
}

function push(lists: Map<string, string[]>, name: string, value: string): void {
	const list = lists.get(name);
	if (list) list.push(value);
	else lists.set(name, [value]);
}
