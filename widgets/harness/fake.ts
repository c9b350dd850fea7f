// Invented data in the shape of the traits: for looking at the view, and for its tests. Nothing here is measured.
import type { Catalog, Command, Detail, Dose, Frame, Generated, Lens, Measured, PieceText, PlayState, Population, Sent, Side, Span, Steps, Switch, Tensor } from "../src/playground/types";
import switches from "./switches.json"; // as Python makes them (tests/test_switches.py)

export const CATALOG: Catalog = {
	model: { name: "tiny", n_layers: 4, n_heads: 4, d_model: 128, device: "cpu", dtype: "float32", context: 512 },
	choices: { models: ["tiny", "tiny-anymask"], devices: ["cpu"], dtypes: ["auto", "float32"] },
	examples: [
		{ id: "key", label: "Lost key", note: "The answer is three facts away.", pieces: hunt(), task: "hunt", difficulty: 4, setup: [], options: {}, unsupported: null },
		{ id: "again", label: "Read it again", note: "The lost key, read twice.", pieces: hunt(), task: "hunt", difficulty: 4, setup: [{ intervention: "Reread", times: 2, phrase: "Read the question again:" }], options: {}, unsupported: null },
		{ id: "sum", label: "A sum in steps", note: "One variable after the other.", pieces: [{ name: "context", text: "a = 3. b = a + 4. c = b + 1." }, { name: "question", text: "c?" }, { name: "cue", text: "Answer:" }], task: "sums", difficulty: 3, setup: [{ intervention: "Think" }], options: {}, unsupported: null },
	],
	tasks: [
		{ name: "hunt", title: "hunt: where is the key?", difficulties: [1, 2, 3, 4, 5] },
		{ name: "sums", title: "sums: chains of variables", difficulties: [1, 2, 3] },
	],
	switches: switches as unknown as Switch[],
};

export function hunt(): PieceText[] {
	return [
		{ name: "context", text: "The key is in the box. The cup is in the jar. The box is in the car. The car is in the barn." },
		{ name: "question", text: "Where is the key?" },
		{ name: "cue", text: "Answer:" },
	];
}

export function state(part: Partial<PlayState> = {}): PlayState {
	return { prompt: hunt(), setup: [], against: [], task: "hunt", difficulty: 4, n: 200, seed: 0, ...part };
}

/** Words of the pieces as tokens: each with the space before it, full stops apart. */
export function tokenize(pieces: { name: string; text: string; origin?: string; reading?: number }[]): { tokens: string[]; pieces: Span[] } {
	const tokens: string[] = [];
	const spans: Span[] = [];
	for (const piece of pieces) {
		const start = tokens.length;
		const words = piece.text.match(/\n|[^\s.?:,]+|[.?:,]/g) ?? [];
		for (const word of words) tokens.push(/^[.?:,\n]$/.test(word) || tokens.length === 0 ? word : ` ${word}`);
		spans.push({ name: piece.name, origin: piece.origin ?? piece.name, reading: piece.reading ?? 1, start, stop: tokens.length });
	}
	return { tokens, pieces: spans };
}

/** The same pieces twice, with a phrase between. */
export function reread(pieces: PieceText[]): { name: string; text: string; origin: string; reading: number }[] {
	const body = pieces.filter((piece) => piece.name !== "cue");
	const copy = (reading: number) => body.map((piece) => ({ name: reading > 1 ? `${piece.name} (${reading})` : piece.name, text: piece.text, origin: piece.name, reading }));
	const cue = pieces.filter((piece) => piece.name === "cue").map((piece) => ({ ...piece, origin: "cue", reading: 1 }));
	return [...copy(1), { name: "phrase (2)", text: "\nRead the question again:", origin: "phrase", reading: 2 }, ...copy(2), ...cue];
}

export type MaskRule = (query: number, key: number) => boolean;
export const causal: MaskRule = (query, key) => key <= query;

/** One side of a frame, with attention that looks like that of trained heads. */
export function side(text: { tokens: string[]; pieces: Span[] }, layers: number, heads: number, seed: number, allowed: MaskRule = causal): Side {
	const { tokens, pieces } = text;
	const size = tokens.length;
	const weights = new Uint8Array(layers * heads * size * size);
	const mask = new Uint8Array(size * size);
	const random = dice(seed);
	for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) mask[i * size + j] = allowed(i, j) ? 1 : 0;
	for (let plane = 0; plane < layers * heads; plane++) {
		const kind = (plane * 7 + Math.floor(plane / heads)) % 5;
		for (let i = 0; i < size; i++) {
			const row = tokens.map((_, j) => (mask[i * size + j] ? random() ** 9 * 0.6 + score(kind, tokens, i, j) : 0));
			const sum = row.reduce((a, b) => a + b, 0) || 1;
			row.forEach((value, j) => (weights[plane * size * size + i * size + j] = Math.round((255 * value) / sum)));
		}
	}
	const sentences = tokens.flatMap((_, i) => (i === 0 || /[.?]/.test(tokens[i - 1] ?? "") || pieces.some((piece) => piece.start === i) ? [i] : []));
	return { tokens, pieces, words: tokens.map((_, i) => i), sentences, attention: tensor([layers, heads, size, size], weights), allowed: tensor([1, 1, size, size], mask), unknown: tokens.map((token) => /[^\x00-\x7f]/.test(token)) };
}

/** An invented head in the units that were asked for. */
export function answered(message: Command, frame: Sent | null): Detail | null {
	if (message.type !== "head" || !frame) return null;
	const { layer, head, key } = message;
	const size = message.edges.length - 1;
	const source = frame[message.side]!;
	const tokens = Array.from({ length: size }, (_, i) => source.tokens[message.edges[i]!] ?? "");
	const plane = side({ tokens, pieces: [] }, 1, 1, 10 * layer + head + 3);
	return { seq: frame.seq, layer, head, side: message.side, key, weights: { ...plane.attention!, shape: [size, size] }, allowed: { shape: [size, size], packing: "causal", data: new DataView(new ArrayBuffer(0)) } };
}

function score(kind: number, tokens: string[], i: number, j: number): number {
	const same = (a: number, b: number) => a >= 0 && b >= 0 && tokens[a]?.trim() === tokens[b]?.trim();
	if (kind === 0) return j === i - 1 ? 2 : 0;
	if (kind === 1) return j === 0 ? 2.4 : 0;
	if (kind === 2) return j > 0 && same(i, j - 1) && /\w/.test(tokens[i] ?? "") ? 1.6 : 0;
	if (kind === 3) return j === i ? 0.8 : /[.?]/.test(tokens[j] ?? "") ? 0.5 : 0;
	return same(i, j) && i !== j ? 1.4 : 0.01;
}

/** A tensor whose bytes begin at an odd place of their buffer, as they may when they come over the wire. */
export function tensor(shape: number[], data: Uint8Array): Tensor {
	const buffer = new ArrayBuffer(data.length + 5);
	new Uint8Array(buffer, 3, data.length).set(data);
	return { shape, data: new DataView(buffer, 3, data.length) };
}

/** Numbers of four bytes. */
export function floats(shape: number[], values: number[]): Tensor {
	const data = new DataView(new ArrayBuffer(4 * values.length));
	values.forEach((value, i) => data.setFloat32(4 * i, value, true));
	return tensor(shape, new Uint8Array(data.buffer));
}

/** A frame with a run before and, where `now` is given, one after. */
export function frame(seq: number, before: Side, now: Side | null, sentence: string): Frame {
	const { align, fold } = now ? match(before, now) : { align: [], fold: [] };
	const words: [string, number, number][] = [[" barn", 0.22, 0.78], [" jar", 0.31, 0.08], [" car", 0.27, 0.07], [" box", 0.11, 0.03], [" cup", 0.05, 0.02], [" the", 0.004, 0.001]];
	const next = words.map(([token, a, b]) => ({ token, before: a, after: now ? b : null }));
	return { seq, run: `run ${seq}`, ms: 41, before, after: now, align, fold, next: now ? next : [...next].sort((a, b) => b.before - a.before), sentence, heads: null };
}

function match(before: Side, after: Side): { align: number[]; fold: number[] } {
	const fold = after.tokens.map(() => -1);
	const align = before.tokens.map(() => -1);
	for (const piece of after.pieces) {
		const origin = before.pieces.find((one) => one.name === piece.origin);
		if (!origin || origin.stop - origin.start !== piece.stop - piece.start) continue;
		for (let i = 0; i < piece.stop - piece.start; i++) {
			fold[piece.start + i] = origin.start + i;
			align[origin.start + i] = piece.start + i;
		}
	}
	return { align, fold };
}

export const LENS: Lens = {
	seq: 1, note: "", before: { top: [" the", " the", " cup", " jar", " jar"], settled: 3 }, after: { top: [" the", " box", " box", " barn", " barn"], settled: 3 },
	tokens: [{ token: " barn", before: [0.01, 0.02, 0.05, 0.2, 0.22], after: [0.01, 0.04, 0.2, 0.7, 0.78] }, { token: " jar", before: [0.02, 0.03, 0.2, 0.4, 0.31], after: [0.01, 0.03, 0.1, 0.09, 0.08] }, { token: " car", before: [0.01, 0.1, 0.3, 0.2, 0.27], after: [0.01, 0.1, 0.5, 0.1, 0.07] }, { token: "\n", before: [0, 0, 0.01, 0.02, 0.03], after: [0, 0, 0.01, 0.02, 0.01] }],
};

export const GENERATED: Generated = {
	seq: 1, temperature: 0.8, length: 24, seed: 0, running: false,
	before: { tokens: [" jar", ".", " The", " key", " is", " in", " the", " jar", "."], stopped: "length" }, after: { tokens: [" barn", ".", " The", " car", " is", " in", " the", " barn", "."], stopped: "end" },
};

const TOLD: [string, string, number, string][] = [
	["The key is in the box.", "true", 0.82, "as “The key is in the jar.”: barn falls from 0.91 to 0.09"],
	["The cup is in the jar.", "decoy", 0.02, "as “The cup is in the box.”: barn falls from 0.91 to 0.89"],
	["The box is in the car.", "true", 0.77, "as “The box is in the jar.”: barn falls from 0.91 to 0.14"],
	["The car is in the barn.", "true", 0.88, "as “The car is in the box.”: barn falls from 0.91 to 0.03"],
	["Check: the key is in the barn.", "check", 0.11, "as “Check: the key is in the car.”: barn falls from 0.91 to 0.80"],
];

/** What one method found, invented from a list of scores. */
export function measured(scores: (number | null)[], part: Partial<Measured> = {}): Measured {
	const off = (by: number) => scores.map((score) => (score === null ? null : score + by));
	return {
		answer: "barn", probability: 0.91, done: scores.length, passes: 42, scores, low: off(-0.05), high: off(0.05), before: null,
		sentences: TOLD.map(([, , , sentence]) => sentence), evaluations: { "the step as it is": scores.map(() => 0.91), "the step broken": scores.map((score) => 0.91 - (score ?? 0)) }, ...part,
	};
}

const METHODS = ["mistake", "true-thinking", "early", "suppress"].map((name) => ({ name, label: { mistake: "a step broken, the rest written on", "true-thinking": "a step broken, the answer asked at once", early: "the answer asked early", suppress: "a step not looked at" }[name] ?? name, hint: `what ${name} does` }));

export const STEPS: Steps = {
	seq: 1, source: "model", edited: false, by: "sentence", method: "mistake", methods: METHODS, tail: "", outline: "", matrix: null, running: null, sentence: "", error: null,
	thought: TOLD.map(([text]) => text).join(" "), base: TOLD.map(([text]) => text).join(" "),
	steps: TOLD.map(([text, label], i) => ({ text, lead: i ? " " : "", label, edited: false, reads: [] })),
	answers: { answer: "barn", before: null, after: 0.91, tokens: [{ token: " barn", before: null, after: 0.91 }, { token: " car", before: null, after: 0.05 }, { token: " jar", before: null, after: 0.02 }] },
	measures: { mistake: measured(TOLD.map(([, , score]) => score)) },
};

export const DOSE: Dose = (() => {
	const doses = [-8, -6, -4, -2, 0, 1.5, 2, 4, 6, 8];
	const rise = (mid: number, top: number) => doses.map((dose) => top / (1 + Math.exp((mid - dose) / 1.5)));
	const near = (values: number[], by: number) => values.map((_, i) => Math.max(0, (values[4] ?? 0) + by * Math.abs((doses[i] ?? 0) / 8)));
	const token = (id: number, name: string, values: number[]) => ({ id, token: name, values, low: near(values, -0.05), high: near(values, 0.08) });
	return { seq: 2, note: "", name: "happy − sad", op: "add", doses, at: 1.5, random: 8, of: 8, tokens: [token(1, " jar", rise(1, 0.5).map((value) => 0.5 - value)), token(2, " barn", rise(1, 0.8))], offered: [{ id: 1, token: " jar" }, { id: 2, token: " barn" }, { id: 3, token: " car" }] };
})();

export const POPULATION: Population = {
	seq: 1, running: false, done: 200, n: 200, task: "hunt", title: "hunt", difficulty: 4, baseline: 0.61, edited: 0.84, difference: 0.23, low: 0.17, high: 0.29, mended: 62, broken: 16, same: 122, idle: false, note: "",
	flipped: Array.from({ length: 12 }, (_, i) => ({ seed: 40 + i, text: "The pen is in the bag. The bag is in the hut. The hut is in the yard. Where is the pen?", answer: "yard", before: i % 4 ? "bag" : "yard", after: i % 4 ? "yard" : "hut" })),
};

function dice(seed: number): () => number {
	let value = seed * 7919 + 1;
	return () => {
		value = (value * 16807) % 2147483647;
		return value / 2147483647;
	};
}
