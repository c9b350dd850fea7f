// Tokens in larger units: a word, a sentence or a piece reads the mean of what its tokens read; what is read in it is
// summed. A long text is joined further until a view can draw it, and a part of it can be opened again. Pure.
import type { Decoded, Reading } from "./decode";

export type Granularity = "token" | "word" | "sentence" | "piece";
export const GRANULARITIES: Granularity[] = ["token", "word", "sentence", "piece"];
export const MOST_UNITS = 512; // as many as Python gives of a head in one message, and a page can bear as elements
export const MOST_OPEN = 192; // tokens that are opened at a time

/** How a text is cut: unit i holds the tokens edges[i] to edges[i + 1] − 1. */
export interface Cut {
	before: number[];
	after: number[] | null;
	/** How many units were joined into one. */
	joined: number;
	/** What names this cut among those of one frame. */
	key: string;
}

export interface Wish {
	granularity: Granularity;
	/** Tokens of the text on show that are seen one by one, from and up to but without. */
	open: [number, number] | null;
	/** The first token is a unit of its own, so that it can be left out. */
	hideFirst: boolean;
}

/** The cut that a wish asks for: alike on both sides, and with no more units than can be drawn. */
export function cut(frame: Decoded, { granularity, open, hideFirst }: Wish): Cut {
	const { before, after, fold } = frame;
	const bare = [before, after].map((side) => (side ? starts(side, granularity) : []));
	if (hideFirst && granularity !== "token") {
		bare[0]!.push(1);
		fold.forEach((i, k) => after && i === 0 && bare[1]!.push(k, k + 1));
		if (after) bare[1]!.push(1);
	}
	const opened = openedTokens(frame, open);
	for (let joined = 1; ; joined++) {
		const [a, b] = [before, after].map((side, i) => (side ? edgesOf(side, bare[i]!, joined, opened[i]!) : null));
		if (Math.max(a!.length, b?.length ?? 0) <= MOST_UNITS + 1) return { before: a!, after: b ?? null, joined, key: [granularity, joined, open?.join("-") ?? "", granularity !== "token" && hideFirst].join(":") };
	}
}

/** Tokens to be seen one by one on each side: those asked for, and all readings of them. */
function openedTokens({ after, fold }: Decoded, open: Wish["open"]): [Set<number>, Set<number>] {
	const range = open ? Array.from({ length: Math.min(open[1] - open[0], MOST_OPEN) }, (_, i) => open[0] + i) : [];
	if (!after) return [new Set(range), new Set()];
	const old = new Set(range.map((k) => fold[k] ?? -1).filter((i) => i >= 0));
	return [old, new Set([...range, ...fold.flatMap((i, k) => (old.has(i) ? [k] : []))])];
}

function starts(side: Reading, granularity: Granularity): number[] {
	if (granularity === "token") return Array.from({ length: side.size }, (_, i) => i);
	if (granularity === "word") return [...side.words];
	if (granularity === "sentence") return [...side.sentences];
	return side.pieces.flatMap((piece) => [piece.start, piece.stop]);
}

/** Units joined so many at a time, within a piece; opened tokens stand alone. */
function edgesOf(side: Reading, bare: number[], joined: number, opened: Set<number>): number[] {
	const firsts = new Set(side.pieces.map((piece) => piece.start));
	const all = [...new Set([0, ...bare, ...firsts])].filter((at) => at < side.size).sort((a, b) => a - b);
	let since = -1; // the first token is always an edge, also where it belongs to no piece
	const kept = all.filter((at) => {
		since = firsts.has(at) ? 0 : since + 1;
		return since % joined === 0;
	});
	const edges = new Set(kept);
	for (const at of opened) if (at < side.size) edges.add(at).add(at + 1);
	return [...edges].filter((at) => at < side.size).sort((a, b) => a - b).concat(side.size);
}

/** Whether every unit is a token. */
export function isFine(edges: number[]): boolean {
	return edges.length - 1 === edges[edges.length - 1];
}

/** Token → its unit. */
export function unitsOf(edges: number[]): number[] {
	return edges.slice(0, -1).flatMap((start, i) => new Array<number>((edges[i + 1] ?? start) - start).fill(i));
}
