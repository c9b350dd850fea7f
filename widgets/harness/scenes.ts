// Scenes to look at, each a set of traits. Open index.html#<scene>.
import { bytes } from "../src/lib/bytes";
import { stroke, touched } from "../src/playground/brush";
import { decode } from "../src/playground/decode";
import { blank, writePaint } from "../src/playground/paint";
import type { Entry, Frame, PieceText, Side, State, Steps, Tensor } from "../src/playground/types";
import { CATALOG, causal, DOSE, floats, frame, GENERATED, hunt, LENS, measured, POPULATION, reread, side, state, STEPS, tokenize } from "./fake";

const CODE = 'import ctkit as ct\n\nlm = ct.load("tiny")\nprompt = ct.Prompt(context="The key is in the box. …", question="Where is the key?", cue="Answer:")\ntrace = ct.run(lm, prompt, ct.Reread())\ntrace.next_tokens(k=5)';
const SENTENCE = "Reading again: the second “box” now reads “car” in the first copy. Top token jar → barn, 0.31 → 0.78. 200 problems: +23 points.";

function idle(pieces: PieceText[] = hunt(), layers = 4, heads = 4): Frame {
	return frame(1, side(tokenize(pieces), layers, heads, 3), null, "Nothing is switched on. Top token jar, 0.31.");
}

function again(pieces: PieceText[] = hunt(), layers = 4, heads = 4): Frame {
	return frame(2, side(tokenize(pieces), layers, heads, 3), side(tokenize(reread(pieces)), layers, heads, 5), SENTENCE);
}

function prefix(): Frame {
	const before = side(tokenize(hunt()), 4, 4, 3);
	return frame(2, before, side(tokenize(hunt()), 4, 4, 8, (q, k) => causal(q, k) || (q < 28 && k < 28)), "A prefix mask: the facts see each other both ways.");
}

function long(words: number): PieceText[] {
	const things = ["key", "cup", "box", "jar", "car", "barn", "shed", "coat", "desk", "lamp", "tent", "cart"];
	const context = Array.from({ length: Math.ceil(words / 7) }, (_, i) => `The ${things[i % 12]} is in the ${things[(i * 5 + 3) % 12]}.`).join(" ");
	return [{ name: "context", text: context }, ...hunt().slice(1)];
}

/** Weights as differences around none. */
function halves(tensor: Tensor): Tensor {
	const data = bytes(tensor.data).map((byte, i) => 128 + (i % 3 ? byte >> 1 : -byte >> 1));
	return { shape: tensor.shape, packing: "differences", data: new DataView(data.buffer) };
}

/** A frame without weights, as of a long text in a large model: heads come when they are asked for. */
function small(pieces: PieceText[], layers: number, heads: number, twice: boolean): Frame {
	const cells = 30;
	const words = tokenize(pieces);
	const bare = (text: typeof words): Side => ({ ...text, words: text.tokens.map((_, i) => i), sentences: text.tokens.flatMap((_, i) => (i === 0 || /[.?]/.test(text.tokens[i - 1] ?? "") ? [i] : [])), attention: null, allowed: null, unknown: text.tokens.map(() => false) });
	const picture = (seed: number) => side({ tokens: Array.from({ length: cells }, (_, i) => ` w${i % 7}`), pieces: [] }, layers, heads, seed).attention!;
	const made = twice ? frame(2, bare(words), bare(tokenize(reread(pieces))), SENTENCE) : frame(1, bare(words), null, "Nothing is switched on. Top token jar, 0.31.");
	const numbers = Array.from({ length: layers * heads }, (_, i) => ((i * 37) % 100) / 200);
	return { ...made, heads: { before: picture(3), after: twice ? picture(5) : null, difference: twice ? halves(picture(7)) : null, change: twice ? numbers : [], change_hidden: twice ? numbers : [], interest: numbers } };
}

/** A mask painted by hand: the question closed to the second fact, the first box opened to what comes later. */
const PAINTED: Entry = (() => {
	const text = side(tokenize(hunt()), 1, 1, 1);
	const paint = blank(decode(frame(1, text, null, "")).before);
	const edges = Array.from({ length: paint.size + 1 }, (_, i) => i);
	const shut = stroke(paint, edges, touched("rectangle", { row: 28, column: 7 }, { row: 32, column: 13 }, paint.size), "close");
	return { intervention: "Mask", kind: writePaint(stroke(shut, edges, touched("cells", { row: 5, column: 16 }, { row: 5, column: 20 }, paint.size), "open")), layers: [1, 2], heads: null };
})();

function mine(): Frame {
	return frame(2, side(tokenize(hunt()), 4, 4, 3), side(tokenize(hunt()), 4, 4, 5), "Another mask: the top token goes from “jar” (0.31) to “barn” (0.78).");
}

const HOSTILE: PieceText[] = [
	{ name: "context", text: '</script><img src=x onerror=window.pwned=1> <b>bold</b> &amp; 🗝️ 👩‍👩‍👧 المفتاح في الصندوق ‮evil‬ naïve antidisestablishmentarianism' },
	{ name: "question", text: "Where is the 🗝️ ?" },
	{ name: "cue", text: "Answer:" },
];

const on: { setup: Entry[] } = { setup: [{ intervention: "Reread", times: 2, phrase: "Read the question again:" }, { intervention: "Steer", direction: { name: "happy − sad", layer: 2 }, strength: 1.5, layers: [2] }] };
const common = { catalog: CATALOG, code: CODE };

/** A thought of which a step was edited, measured in all ways, with a step to choose. */
function edited(): Partial<State> {
	const scores = STEPS.measures.mistake!.scores;
	const corners = { "step intact, context intact": scores.map(() => 0.9), "step broken, context intact": scores.map(() => 0.2), "step intact, context broken": scores.map(() => 0.4), "step broken, context broken": scores.map(() => 0.1) };
	const said = (sentence: string) => ({ sentences: scores.map(() => sentence) });
	const steps: Steps = {
		...STEPS, seq: 2, edited: true, outline: "before the edit", sentence: "After the edit, barn falls from 0.91 to 0.30; “jar” comes first, 0.55.",
		steps: STEPS.steps.map((step, i) => ({ ...step, edited: i === 3, reads: [{ name: "step 1", text: "", share: 0.31 }, { name: "context 2", text: "The cup is in the jar.", share: 0.2 }] })),
		answers: { answer: "barn", before: 0.91, after: 0.3, tokens: [{ token: " jar", before: 0.02, after: 0.55 }, { token: " barn", before: 0.91, after: 0.3 }, { token: " car", before: 0.05, after: 0.08 }, { token: " box", before: 0.01, after: 0.03 }, { token: " cup", before: 0.004, after: 0.01 }] },
		measures: { mistake: measured(scores.map((score) => (score ?? 0) * 0.7), { before: scores }), "true-thinking": measured(scores, { ...said("asked right after it: barn falls from 0.90 to 0.20 when it is broken"), evaluations: corners }), early: measured(scores, said("asked before it, barn has 0.20; right after it, 0.90")), suppress: measured(scores, said("not looked at by what follows: barn stays at 0.91")) },
		matrix: floats([5, 5], Array.from({ length: 25 }, (_, i) => (i % 5 < Math.floor(i / 5) ? Math.sin(i) * 1.4 : 0))),
	};
	return { ...common, panels: ["text", "steps"], options: { steps: { detail: true, matrix: true } }, state: state({ setup: [{ intervention: "Think" }] }), seq: 2, frame: idle(), steps };
}

export const SCENES: Record<string, () => Partial<State>> = {
	empty: () => ({}),
	idle: () => ({ ...common, state: state(), seq: 1, frame: idle() }),
	reread: () => ({ ...common, state: state(on), seq: 2, frame: again(), lens: { ...LENS, seq: 2 }, generated: { ...GENERATED, seq: 2 }, steps: { ...STEPS, seq: 2 }, population: { ...POPULATION, seq: 2 } }),
	steps: edited,
	words: () => ({ ...edited(), options: { steps: { by: "word" } }, steps: { ...(edited().steps as Steps), by: "word", steps: "The key is in the box . The box is in the car . So it is there .".split(" ").map((text) => ({ text, lead: " ", label: null, edited: text === "car", reads: [] })), measures: { mistake: measured("abcdefghijklmnopqrst".split("").map((_, i) => (i * 37 % 100) / 100)) } } }),
	prefix: () => ({ ...common, state: state({ setup: [{ intervention: "Mask", kind: "prefix", layers: null }, { intervention: "PrependToken", start: 1, exit: 3 }, { intervention: "Knockout", queries: "reading 2", keys: "reading 1" }] }), seq: 2, frame: prefix(), population: { ...POPULATION, seq: 2, running: true, done: 120, difference: -0.02, low: -0.08, high: 0.04, baseline: 0.61, edited: 0.59, mended: 9, broken: 11, same: 100 } }),
	steered: () => ({ ...common, state: state({ setup: [{ intervention: "Mask", kind: "mutual", pieces: ["context", "question"], layers: [1, 2], heads: null }, on.setup[0]!, { ...on.setup[1]!, op: "add", kl: null }, { intervention: "Emphasize", piece: "The box is in the car.", alpha: 0.05, layers: null, heads: null }, { intervention: "Noise", where: "context" }] }), seq: 2, frame: again(), dose: DOSE, steps: { ...STEPS, seq: 2 }, population: { ...POPULATION, seq: 2 } }),
	painted: () => ({ ...common, state: state({ setup: [PAINTED] }), seq: 2, frame: mine() }),
	painter: () => ({ ...common, panels: ["text", "painter", "next"], state: state({ setup: [PAINTED] }), seq: 2, frame: mine() }),
	painterlong: () => ({ ...common, panels: ["text", "painter", "next"], state: state({ prompt: long(400) }), seq: 1, frame: idle(long(400), 1, 1) }),
	long: () => ({ ...common, state: state({ ...on, prompt: long(190) }), seq: 2, frame: again(long(190)), population: { ...POPULATION, seq: 1 }, steps: { ...STEPS, seq: 1 } }),
	wide: () => ({ ...common, catalog: { ...CATALOG, model: { ...CATALOG.model, name: "gpt2", n_layers: 12, n_heads: 12 } }, state: state(on), seq: 2, frame: again(hunt(), 12, 12) }),
	huge: () => ({ ...common, state: state({ prompt: long(500) }), seq: 1, frame: idle(long(500), 4, 4) }),
	gpt2: () => ({ ...common, catalog: { ...CATALOG, model: { ...CATALOG.model, name: "gpt2-size", n_layers: 12, n_heads: 12 } }, state: state({ prompt: long(470) }), seq: 1, frame: small(long(470), 12, 12, false) }),
	gpt2again: () => ({ ...common, catalog: { ...CATALOG, model: { ...CATALOG.model, name: "gpt2-size", n_layers: 12, n_heads: 12 } }, state: state({ ...on, prompt: long(470) }), seq: 2, frame: small(long(470), 12, 12, true) }),
	thousands: () => ({ ...common, catalog: { ...CATALOG, model: { ...CATALOG.model, name: "gpt2-size", n_layers: 12, n_heads: 12 } }, state: state({ prompt: long(3600) }), seq: 1, frame: small(long(3600), 12, 12, false) }),
	hostile: () => {
		const made = again(HOSTILE);
		made.next = [{ token: "\n", before: 0.2, after: 0.6 }, { token: "<|endoftext|>", before: 0.3, after: 0.2 }, { token: " <b>x</b>", before: 0.1, after: 0.1 }, { token: " ", before: 0.05, after: 0.04 }];
		made.sentence = "<img src=x onerror=window.pwned=1> is a token like any other.";
		return { ...common, state: state({ ...on, prompt: HOSTILE, task: null }), seq: 2, frame: made, error: null };
	},
	error: () => ({ ...common, catalog: { ...CATALOG, switches: CATALOG.switches.map((one) => (one.id === "prepend" ? { ...one, unsupported: "its blocks share one buffer (<i>sliding window</i>)" } : one)) }, state: state(on), seq: 3, frame: again(), error: { asked: "a prompt of 612 tokens", found: "a context of 512 tokens in tiny", remedy: "a shorter prompt, or fewer readings" } }),
	compared: () => ({ ...common, state: state({ ...on, against: [{ intervention: "Mask", kind: "prefix", layers: null }] }), seq: 2, frame: again(), population: { ...POPULATION, seq: 2, done: 100 }, loading: { name: "gpt9", busy: false, message: "", error: { asked: "the model 'gpt9'", found: "no network, and no such folder", remedy: "a shipped model" } } }),
	blank: () => ({ ...common, state: state({ prompt: [{ name: "text", text: "" }], task: null }), seq: 1, error: { asked: "a run", found: "a prompt without text", remedy: "some text" } }),
	failed: () => ({ ...common, state: state(), seq: 1, error: { asked: "the model <img>", found: "no folder of that name", remedy: "ct.load() for the model that is in the box" } }),
};
